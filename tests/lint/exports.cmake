# A plugin exports one symbol and no other. Arguments: NM, SO, WANT.
execute_process(COMMAND ${NM} --dynamic --defined-only ${SO}
    OUTPUT_VARIABLE symbols RESULT_VARIABLE failed)
if(failed)
    message(FATAL_ERROR "${NM} cannot read ${SO}")
endif()
string(STRIP "${symbols}" symbols)
if(NOT symbols MATCHES "^[0-9a-f]+ [A-Z] ${WANT}$")
    message(FATAL_ERROR "${SO} must export ${WANT} and nothing else; it exports:\n${symbols}")
endif()
