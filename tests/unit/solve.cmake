iso_add_test(unit test_solve.c LIBS isocost::solver isocost::verify)
