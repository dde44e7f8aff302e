# How a plugin is made, in this tree and outside of it: find_package(IsocostPlugin) reads this file too.
# iso_add_plugin(<name> [SOURCES <file>...] [LIBS <target>...]) builds <name>/*.c, or the sources, into
# plugins/<name>.so of the build folder. A plugin sees the ABI, the base layer and the SDK, nothing
# else of ours, and exports one symbol.
function(iso_add_plugin name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LIBS")
    if(NOT arg_SOURCES)
        file(GLOB arg_SOURCES CONFIGURE_DEPENDS ${name}/*.c)
    endif()
    add_library(iso_plugin_${name} MODULE ${arg_SOURCES})
    iso_set_plugin_properties(iso_plugin_${name} ${name} ${PROJECT_BINARY_DIR}/plugins)
    target_link_libraries(iso_plugin_${name} PRIVATE ${arg_LIBS})
    set_property(GLOBAL APPEND PROPERTY ISO_PLUGINS ${name})
endfunction()

# What makes a module a plugin: one exported symbol, no undefined ones, its file name and folder.
function(iso_set_plugin_properties target name folder)
    set(exports ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/exports.map) # lies beside this file everywhere
    target_link_libraries(${target} PRIVATE isocost::plugin_abi)
    target_compile_options(${target} PRIVATE -fvisibility=hidden)
    target_link_options(${target} PRIVATE -Wl,-z,relro,-z,now -Wl,--version-script=${exports})
    if(NOT ISO_SANITIZE) # the sanitizers' own symbols are in the program
        target_link_options(${target} PRIVATE -Wl,-z,defs)
    endif()
    set_target_properties(${target} PROPERTIES PREFIX "" OUTPUT_NAME ${name}
        LIBRARY_OUTPUT_DIRECTORY ${folder} LINK_DEPENDS ${exports})
endfunction()
