# Run by CPack before it packs what was installed: gives each package what Debian's policy asks for
# (copyright, changelog, compressed manual pages), and the program no search path of its own.
set(sources ${CMAKE_CURRENT_LIST_DIR})
foreach(component_package program:convoy development:libconvoy-dev)
  string(REPLACE ":" ";" pair ${component_package})
  list(GET pair 0 component)
  list(GET pair 1 package)
  set(root ${CPACK_TEMPORARY_DIRECTORY}/${component}/usr)
  set(documents ${root}/share/doc/${package})
  configure_file(${sources}/copyright ${documents}/copyright COPYONLY)
  configure_file(${sources}/changelog ${documents}/changelog.Debian COPYONLY)
  file(REMOVE ${documents}/LICENSE)  # that is the file copyright
  file(GLOB pages ${root}/share/man/man1/*.1)
  execute_process(COMMAND gzip -9nf ${pages} ${documents}/changelog.Debian
    COMMAND_ERROR_IS_FATAL ANY)
endforeach()
file(RPATH_REMOVE FILE ${CPACK_TEMPORARY_DIRECTORY}/program/usr/bin/convoy)
