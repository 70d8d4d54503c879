# cmake --install <build> --prefix DIR: bin/, conf/ and conf/systemd/ as RocketMQ's own archive has them. ROCKETMQ_HOME falls back
# to the folder above the binary, so DIR works wherever it lies.
foreach(program mqnamesrv mqbroker mqadmin mqshutdown mqstore)
  if(TARGET ${program})
    install(TARGETS ${program} RUNTIME DESTINATION bin)
  endif()
endforeach()

install(DIRECTORY conf/ DESTINATION conf PATTERN "*.in" EXCLUDE)

# The units name the installed folder; @ONLY leaves systemd's own ${…} alone.
foreach(daemon mqnamesrv mqbroker)
  install(CODE "
    set(COMETMQ_HOME \"\${CMAKE_INSTALL_PREFIX}\")
    configure_file(\"${CMAKE_SOURCE_DIR}/conf/systemd/${daemon}.service.in\"
                   \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/conf/systemd/${daemon}.service\" @ONLY)
    message(STATUS \"Installing: \$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/conf/systemd/${daemon}.service\")")
endforeach()
