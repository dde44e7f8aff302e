# The two back-ends of the store, on the same tests.
foreach(file IN ITEMS test_store_conformance.c test_store_jobs.c test_store_care.c test_store_sessions.c test_store_evaluations.c
    test_store_records.c)
    iso_add_test(integration ${file} LIBS iso_store_fixture TIMEOUT 600)
endforeach()
iso_add_test(integration test_store_crash.c LIBS isocost::store Threads::Threads)

# Catalogs with a plugin host that misbehaves on command, and with the real one.
add_executable(fake_host integration/fake_host.c)
target_link_libraries(fake_host PRIVATE isocost::defaults isocost::proto)
set_target_properties(fake_host PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests/integration)
iso_add_test(integration test_catalog.c LIBS isocost::providers Threads::Threads)
target_sources(integration_test_catalog PRIVATE integration/fake_call.c)
add_dependencies(integration_test_catalog fake_host isocost-plugin-host iso_plugin_static)
