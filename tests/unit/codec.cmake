iso_add_test(unit test_arena.c LIBS isocost::proto)
iso_add_test(unit test_frame.c LIBS isocost::proto Threads::Threads)
iso_add_test(unit test_wire.c LIBS isocost::proto)
iso_add_pytest(unit test_digest_vectors.py)
