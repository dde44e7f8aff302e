# Each plugin exports its one symbol and no other.
get_property(plugins GLOBAL PROPERTY ISO_PLUGINS)
foreach(plugin IN LISTS plugins)
    add_test(NAME lint.exports.${plugin}
        COMMAND ${CMAKE_COMMAND} -DNM=${CMAKE_NM} -DSO=$<TARGET_FILE:iso_plugin_${plugin}>
            -DWANT=iso_plugin_v1 -P ${CMAKE_CURRENT_SOURCE_DIR}/lint/exports.cmake)
    set_tests_properties(lint.exports.${plugin} PROPERTIES LABELS lint TIMEOUT 60)
endforeach()
