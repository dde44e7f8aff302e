# The plugin SDK, and the plugins that read files on made-up ones.
foreach(test IN ITEMS bills csv json sdk spend xml)
    iso_add_test(unit test_plugin_${test}.c LIBS isocost::plugin_sdk)
endforeach()
foreach(plugin IN ITEMS focus static)
    iso_add_test(unit test_plugin_${plugin}.c LIBS isocost::plugin_sdk)
    file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/plugins/${plugin}/*.c)
    target_sources(unit_test_plugin_${plugin} PRIVATE ${sources} support/text_host.c)
    target_include_directories(unit_test_plugin_${plugin} PRIVATE ${PROJECT_SOURCE_DIR}/plugins/${plugin}
        ${CMAKE_CURRENT_SOURCE_DIR}/support)
endforeach()

# The host's signatures.
find_package(PkgConfig REQUIRED)
pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson)
iso_add_test(unit test_signing.c LIBS isocost::plugin_host PkgConfig::JANSSON)
