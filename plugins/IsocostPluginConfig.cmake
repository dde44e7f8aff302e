# find_package(IsocostPlugin): isocost::plugin_abi, isocost::plugin_sdk and iso_add_plugin().
include(CMakeFindDependencyMacro)
find_dependency(PkgConfig)
pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson)
pkg_check_modules(EXPAT REQUIRED IMPORTED_TARGET expat)
pkg_check_modules(ZLIB REQUIRED IMPORTED_TARGET zlib)
include(${CMAKE_CURRENT_LIST_DIR}/IsocostPluginTargets.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/IsocostPlugin.cmake)
