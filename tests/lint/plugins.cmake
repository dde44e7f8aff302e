# Each plugin exports its one symbol and no other.
get_property(plugins GLOBAL PROPERTY ISO_PLUGINS)
foreach(plugin IN LISTS plugins)
    add_test(NAME lint.exports.${plugin} COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/lint/exports.sh
        ${CMAKE_NM} $<TARGET_FILE:iso_plugin_${plugin}> iso_plugin_v1)
    set_tests_properties(lint.exports.${plugin} PROPERTIES LABELS lint TIMEOUT 60)
endforeach()
