iso_add_test(unit test_store.c LIBS isocost::store)
