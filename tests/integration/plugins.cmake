# Plugins and the program that hosts them. Every faulty plugin is the same file with one thing wrong.
set(faulty_plugins)
function(iso_add_faulty_plugin name)
    add_library(iso_faulty_${name} MODULE integration/faulty_plugin.c)
    iso_set_plugin_properties(iso_faulty_${name} ${name} ${PROJECT_BINARY_DIR}/tests/plugins)
    target_compile_options(iso_faulty_${name} PRIVATE -Wno-override-init)
    target_compile_definitions(iso_faulty_${name} PRIVATE ${ARGN})
    set(faulty_plugins ${faulty_plugins} iso_faulty_${name} PARENT_SCOPE)
endfunction()

foreach(fault IN ITEMS segv abort stack hang exit memory garbage escape hide many silent none half_frame
        hang_up well wrong_rows half_way half_way_crash throttled unavailable refused_key)
    iso_add_faulty_plugin(${fault} "FAULT=\"${fault}\"")
endforeach()
iso_add_faulty_plugin(other_major "DESCRIPTOR_CHANGE=.abi_major = ISO_ABI_MAJOR + 1")
iso_add_faulty_plugin(newer_minor "DESCRIPTOR_CHANGE=.abi_minor = ISO_ABI_MINOR + 1")
iso_add_faulty_plugin(as_of_1_2 "FAULT=\"old\"" "DESCRIPTOR_CHANGE=.abi_minor = 2")
iso_add_faulty_plugin(small_struct "DESCRIPTOR_CHANGE=.struct_size = 64")
iso_add_faulty_plugin(large_struct "DESCRIPTOR_CHANGE=.struct_size = 1 << 20")
iso_add_faulty_plugin(large_param "DESCRIPTOR_CHANGE=.param_bytes = 4096")
iso_add_faulty_plugin(unknown_cap "DESCRIPTOR_CHANGE=.caps = ISO_CAP_CATALOG | 1u << 30")
iso_add_faulty_plugin(reserved_cap "DESCRIPTOR_CHANGE=.caps = ISO_CAP_CATALOG | ISO_CAP_APPLY")
iso_add_faulty_plugin(no_cap "DESCRIPTOR_CHANGE=.caps = 0")
iso_add_faulty_plugin(no_fetch "DESCRIPTOR_CHANGE=.fetch = NULL")
iso_add_faulty_plugin(bad_name "DESCRIPTOR_CHANGE=.name = \"Not a name\"")
iso_add_faulty_plugin(no_config "DESCRIPTOR_CHANGE=.config_size = 0")
iso_add_faulty_plugin(no_symbol OTHER_SYMBOL)

foreach(test IN ITEMS contract faults refusals rows)
    iso_add_test(integration test_plugin_${test}.c LIBS isocost::proto isocost::plugin_abi
        ${CMAKE_DL_LIBS})
    target_sources(integration_test_plugin_${test} PRIVATE integration/plugin_harness.c)
    add_dependencies(integration_test_plugin_${test} isocost-plugin-host ${faulty_plugins})
    get_property(plugins GLOBAL PROPERTY ISO_PLUGINS)
    foreach(plugin IN LISTS plugins)
        add_dependencies(integration_test_plugin_${test} iso_plugin_${plugin})
    endforeach()
endforeach()

# The host's HTTP: a plugin that asks once, and a server with every fault.
pkg_check_modules(ZLIB_FOR_TESTS REQUIRED IMPORTED_TARGET zlib)
add_library(iso_http_plugin MODULE integration/http_plugin.c)
iso_set_plugin_properties(iso_http_plugin http ${PROJECT_BINARY_DIR}/tests/plugins)
target_link_libraries(iso_http_plugin PRIVATE PkgConfig::ZLIB_FOR_TESTS)
iso_add_pytest(integration test_plugin_http.py)

# Plugins that ask a cloud, each against a replay of it.
foreach(provider IN ITEMS alibaba aws aws_versions azure gcp huawei huawei_prices
        huawei_account)
    iso_add_pytest(integration test_plugin_${provider}.py)
endforeach()

# Bills in files.
iso_add_pytest(integration test_plugin_focus.py)
iso_add_pytest(integration test_plugin_focus_files.py)
