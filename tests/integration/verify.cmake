add_library(random_problem STATIC
    ${CMAKE_CURRENT_LIST_DIR}/../support/random_problem.c
    ${CMAKE_CURRENT_LIST_DIR}/../support/random_families.c
    ${CMAKE_CURRENT_LIST_DIR}/../support/random_repeats.c)
target_link_libraries(random_problem PUBLIC isocost::problem)
iso_add_test(integration test_solve_verified.c LIBS isocost::solver isocost::verify random_problem)
iso_add_test(integration test_column_classes.c LIBS isocost::solver isocost::verify random_problem)
iso_add_test(integration test_precedents.c LIBS isocost::solver isocost::verify random_problem)
iso_add_test(integration test_horizon.c LIBS isocost::solver isocost::verify random_problem)
iso_add_test(integration test_horizon_apart.c LIBS isocost::solver isocost::verify)
iso_add_test(integration test_separable.c LIBS isocost::solver isocost::verify random_problem)
iso_add_test(integration test_lattice.c LIBS isocost::solver isocost::verify random_problem)
iso_add_test(integration test_packing.c TIMEOUT 180 LIBS isocost::solver isocost::verify isocost::convert random_problem)
iso_add_test(integration test_presolve.c LIBS isocost::solver isocost::verify random_problem)
