# What `cmake --install` puts where, in two components: `program` to run Convoy, `development` to
# link its libraries.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# An installed program goes on finding libraries outside the system's folders: a module's MPI, the
# vendor's wheels.
set_target_properties(convoy PROPERTIES INSTALL_RPATH_USE_LINK_PATH ON)
install(TARGETS convoy RUNTIME COMPONENT program)

set(shared ${CMAKE_INSTALL_DATADIR}/convoy)
install(DIRECTORY configs DESTINATION ${shared} COMPONENT program)

# In the repository the batch scripts take what lies there; installed, what is installed with them.
file(RELATIVE_PATH from_program ${CMAKE_INSTALL_FULL_BINDIR} ${CMAKE_INSTALL_FULL_DATADIR}/convoy)
file(GLOB scripts RELATIVE ${CMAKE_SOURCE_DIR} CONFIGURE_DEPENDS slurm/*)
foreach(script ${scripts})
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${script})
  file(READ ${script} text)
  string(REPLACE ":-configs/" ":-$(dirname \"$(command -v convoy)\")/${from_program}/configs/"
    text "${text}")
  string(REPLACE "[configs/" "[the installed configs/" text "${text}")
  string(REPLACE "build/release/convoy" "convoy" text "${text}")
  string(REGEX REPLACE " +from the repository's folder" "" text "${text}")
  string(REPLACE " slurm/" " " text "${text}")
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/${script} CONTENT "${text}" @ONLY)
  install(PROGRAMS ${CMAKE_BINARY_DIR}/${script} DESTINATION ${shared}/slurm COMPONENT program)
endforeach()

# The program itself writes its manual pages and its completion.
set(help_folder ${CMAKE_BINARY_DIR}/help)
add_custom_command(OUTPUT ${help_folder}/convoy.bash
  COMMAND ${CMAKE_COMMAND} -DCONVOY=$<TARGET_FILE:convoy> -DFOLDER=${help_folder}
    -P ${CMAKE_SOURCE_DIR}/cmake/HelpFiles.cmake
  DEPENDS convoy ${CMAKE_SOURCE_DIR}/cmake/HelpFiles.cmake
  COMMENT "Writing manual pages and completion" VERBATIM)
add_custom_target(convoy_help ALL DEPENDS ${help_folder}/convoy.bash)
install(DIRECTORY ${help_folder}/man1 DESTINATION ${CMAKE_INSTALL_MANDIR} COMPONENT program)
install(FILES ${help_folder}/convoy.bash RENAME convoy COMPONENT program
  DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
install(FILES README.md LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT program)

# Headers keep their floors: "core/device.h" under include/convoy.
foreach(floor core io dist launcher)
  install(DIRECTORY ${floor} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/convoy COMPONENT development
    FILES_MATCHING PATTERN *.h PATTERN page EXCLUDE)
  set_target_properties(convoy_${floor} PROPERTIES EXPORT_NAME ${floor})
endforeach()
target_include_directories(convoy_core INTERFACE
  $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/convoy>)
install(TARGETS convoy_core convoy_formats convoy_io convoy_dist convoy_launcher EXPORT Convoy
  ARCHIVE COMPONENT development)

set(package ${CMAKE_INSTALL_LIBDIR}/cmake/Convoy)
install(EXPORT Convoy FILE ConvoyTargets.cmake NAMESPACE Convoy:: DESTINATION ${package}
  COMPONENT development)
configure_package_config_file(cmake/ConvoyConfig.cmake.in ConvoyConfig.cmake
  INSTALL_DESTINATION ${package} NO_SET_AND_CHECK_MACRO NO_CHECK_REQUIRED_COMPONENTS_MACRO)
write_basic_package_version_file(ConvoyConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/ConvoyConfig.cmake ${CMAKE_BINARY_DIR}/ConvoyConfigVersion.cmake
  cmake/FindcuDNN.cmake cmake/FindNCCL.cmake cmake/Dependencies.cmake
  DESTINATION ${package} COMPONENT development)

# What protoc makes goes along, as Convoy::formats.
set_target_properties(convoy_formats PROPERTIES EXPORT_NAME formats)
target_include_directories(convoy_formats INTERFACE
  $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/convoy/formats>)
install(DIRECTORY ${CMAKE_BINARY_DIR}/io/generated/ COMPONENT development
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/convoy/formats FILES_MATCHING PATTERN *.pb.h)
