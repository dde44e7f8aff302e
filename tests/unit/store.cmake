# Stores of their own, and a private PostgreSQL cluster.
add_library(iso_store_fixture STATIC support/postgres_cluster.c)
target_include_directories(iso_store_fixture PUBLIC ${CMAKE_CURRENT_SOURCE_DIR}/support)
target_link_libraries(iso_store_fixture PUBLIC isocost::store PRIVATE isocost::defaults)
iso_add_test(unit test_store.c LIBS iso_store_fixture)
iso_add_test(unit test_provider_alias.c LIBS isocost::store)
iso_add_test(unit test_draft.c LIBS isocost::providers)
iso_add_test(unit test_hygiene.c LIBS isocost::providers)
iso_add_test(unit test_instance.c LIBS isocost::providers m)
