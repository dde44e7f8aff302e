iso_add_test(unit test_store.c LIBS isocost::store)
iso_add_test(unit test_provider_alias.c LIBS isocost::store)
iso_add_test(unit test_draft.c LIBS isocost::providers)
iso_add_test(unit test_instance.c LIBS isocost::providers m)
