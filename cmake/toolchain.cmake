# Language level, warnings, sanitizers, linker and compiler cache: the same for every room.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")

set(COMETMQ_SANITIZE "" CACHE STRING "Comma-separated sanitizers, e.g. address,undefined")
option(COMETMQ_BUILD_TESTS "Build the tests" ON)
option(COMETMQ_FUZZ "Build the fuzz targets (clang)" OFF)

add_compile_options(-Wall -Wextra -Wpedantic -Werror -Wshadow -Wnon-virtual-dtor -Wconversion -Wno-sign-conversion
                    -fno-omit-frame-pointer)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 reports false positives of these inside its own headers.
  add_compile_options(-Wno-restrict -Wno-maybe-uninitialized -Wno-stringop-overflow -Wno-array-bounds -Wno-dangling-pointer)
endif()
# Assertions stay on in every build (COMET_ASSERT); RelWithDebInfo is the one we ship.
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g1")
set(CMAKE_CXX_FLAGS_DEBUG "-O0 -g1")

if(COMETMQ_SANITIZE)
  add_compile_options(-fsanitize=${COMETMQ_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${COMETMQ_SANITIZE})
endif()
if(COMETMQ_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link -O1)
endif()

find_program(COMETMQ_CCACHE ccache)
if(COMETMQ_CCACHE)
  # Clones in other folders share the cache: paths are made relative to the source folder.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1
      CCACHE_SLOPPINESS=time_macros,include_file_mtime,include_file_ctime ${COMETMQ_CCACHE})
endif()
find_program(COMETMQ_MOLD mold)
if(COMETMQ_MOLD)
  add_link_options(-fuse-ld=mold)
endif()
