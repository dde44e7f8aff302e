iso_add_test(unit test_solve.c LIBS isocost::solver isocost::verify)
iso_add_test(unit test_transport.c LIBS isocost::solver)
iso_add_test(unit test_fillings.c LIBS isocost::solver isocost::verify)
iso_add_test(unit test_neighbourhood.c LIBS isocost::solver isocost::verify)
