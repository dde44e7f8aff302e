# The plugin SDK, and the static plugin on made-up files.
foreach(test IN ITEMS csv json sdk)
    iso_add_test(unit test_plugin_${test}.c LIBS isocost::plugin_sdk)
endforeach()
iso_add_test(unit test_plugin_static.c LIBS isocost::plugin_sdk)
file(GLOB static_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/plugins/static/*.c)
target_sources(unit_test_plugin_static PRIVATE ${static_sources})
target_include_directories(unit_test_plugin_static PRIVATE ${PROJECT_SOURCE_DIR}/plugins/static)
