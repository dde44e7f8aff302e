# The plugin SDK, and the static plugin on made-up files.
foreach(test IN ITEMS bills csv json sdk spend xml)
    iso_add_test(unit test_plugin_${test}.c LIBS isocost::plugin_sdk)
endforeach()
iso_add_test(unit test_plugin_static.c LIBS isocost::plugin_sdk)
file(GLOB static_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/plugins/static/*.c)
target_sources(unit_test_plugin_static PRIVATE ${static_sources})
target_include_directories(unit_test_plugin_static PRIVATE ${PROJECT_SOURCE_DIR}/plugins/static)

# The host's signatures.
find_package(PkgConfig REQUIRED)
pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson)
iso_add_test(unit test_signing.c LIBS isocost::plugin_host PkgConfig::JANSSON)
