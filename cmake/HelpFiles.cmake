# cmake -DCONVOY=program -DFOLDER=folder -P HelpFiles.cmake: writes the manual pages (man1/) and the
# completion of bash (convoy.bash) that the program prints.
function(write_help file)
  execute_process(COMMAND ${CONVOY} help ${ARGN} OUTPUT_VARIABLE text COMMAND_ERROR_IS_FATAL ANY)
  file(WRITE ${FOLDER}/${file} "${text}")
endfunction()

execute_process(COMMAND ${CONVOY} help OUTPUT_VARIABLE overview COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "\n  [a-z]+ " lines "${overview}")
string(REGEX REPLACE "[\n ]+" "" commands "${lines}")
list(REMOVE_ITEM commands help)
file(REMOVE_RECURSE ${FOLDER}/man1)
write_help(man1/convoy.1 --man)
foreach(command ${commands})
  write_help(man1/convoy-${command}.1 --man ${command})
endforeach()
write_help(convoy.bash --bash-completion)
