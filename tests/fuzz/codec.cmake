# Fuzz targets of the codec. Each is a ctest over its committed corpus. To fuzz: configure with clang,
# -DISO_LIBFUZZER=ON -DISO_SANITIZE=address,undefined, and run fuzz/fuzz_wire on a folder of yours.
option(ISO_LIBFUZZER "Link the fuzz targets with clang's libFuzzer" OFF)

function(iso_add_fuzz name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "LIBS")
    set(folder ${CMAKE_CURRENT_FUNCTION_LIST_DIR})
    add_executable(${name} ${folder}/${name}.c)
    target_link_libraries(${name} PRIVATE isocost::defaults ${arg_LIBS})
    set_target_properties(${name} PROPERTIES
        RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests/fuzz)
    string(REPLACE "fuzz_" "corpus_" corpus ${name})
    if(ISO_LIBFUZZER)
        target_link_options(${name} PRIVATE -fsanitize=fuzzer)
        add_test(NAME fuzz.${name} COMMAND ${name} -runs=0 ${folder}/${corpus})
    else()
        target_sources(${name} PRIVATE ${folder}/replay.c)
        add_test(NAME fuzz.${name} COMMAND ${name} ${folder}/${corpus})
    endif()
    set_tests_properties(fuzz.${name} PROPERTIES LABELS fuzz TIMEOUT 60)
endfunction()

iso_add_fuzz(fuzz_wire LIBS isocost::proto)
iso_add_fuzz(fuzz_json LIBS isocost::proto)
iso_add_fuzz(fuzz_change LIBS isocost::proto)
iso_add_fuzz(fuzz_xml LIBS isocost::plugin_sdk)
