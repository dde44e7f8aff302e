# Each tool is a test of its own; one that is not installed is skipped, saying so.
function(iso_add_lint name)
    add_test(NAME lint.${name} COMMAND ${ARGN} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
    set_tests_properties(lint.${name} PROPERTIES LABELS lint TIMEOUT 600 SKIP_RETURN_CODE 77)
endfunction()

set(lint ${CMAKE_CURRENT_SOURCE_DIR}/lint)
iso_add_lint(includes ${ISO_PYTHON} ${lint}/includes.py ${PROJECT_SOURCE_DIR})
iso_add_lint(house_rules ${ISO_PYTHON} ${lint}/sizes.py ${PROJECT_SOURCE_DIR})
iso_add_lint(no_recursive_message ${ISO_PYTHON} ${lint}/recursion.py ${ISO_DESCRIPTOR_SET})
iso_add_lint(format sh ${lint}/format.sh ${PROJECT_SOURCE_DIR})
iso_add_lint(headers_compile_alone sh ${lint}/headers.sh ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR})
iso_add_lint(cppcheck sh ${lint}/cppcheck.sh ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR})
iso_add_lint(buf sh ${lint}/buf.sh ${PROJECT_SOURCE_DIR})
