iso_add_test(integration test_store_crash.c LIBS isocost::store Threads::Threads)
