# comet_room(store SOURCES a.cc b.cc USES comet::common [LIBS PkgConfig::X])
#
# One room of the suite as a static library, target comet::<name>. USES holds the arrows of the picture in
# docs/architecture.md and nothing else; tests/layers checks every #include against it.
function(comet_room name)
  cmake_parse_arguments(ROOM "" "" "SOURCES;USES;LIBS;PRIVATE_LIBS" ${ARGN})
  add_library(comet_${name} STATIC ${ROOM_SOURCES})
  add_library(comet::${name} ALIAS comet_${name})
  target_include_directories(comet_${name} PUBLIC ${CMAKE_SOURCE_DIR})
  target_link_libraries(comet_${name} PUBLIC ${ROOM_USES} ${ROOM_LIBS} PRIVATE ${ROOM_PRIVATE_LIBS})
endfunction()

# comet_program(mqbroker MAIN main.cc USES comet::broker): one of the suite's executables, into <build>/bin.
function(comet_program name)
  cmake_parse_arguments(PROGRAM "" "" "SOURCES;USES" ${ARGN})
  add_executable(${name} ${PROGRAM_SOURCES})
  target_link_libraries(${name} PRIVATE ${PROGRAM_USES})
endfunction()

# comet_test(store_tests LABEL unit SOURCES … USES …): a Catch2 program, run by ctest under its label. The target unit_tests
# builds those of label unit and nothing else, which is what the sanitizers run.
function(comet_test name)
  cmake_parse_arguments(TEST "" "LABEL" "SOURCES;USES" ${ARGN})
  add_executable(comet_${name} ${TEST_SOURCES})
  target_link_libraries(comet_${name} PRIVATE comet_test_main ${TEST_USES})
  add_test(NAME ${name} COMMAND comet_${name})
  set_tests_properties(${name} PROPERTIES LABELS "${TEST_LABEL}" TIMEOUT 300)
  if(TEST_LABEL STREQUAL "unit")
    add_dependencies(unit_tests comet_${name})
  endif()
endfunction()
