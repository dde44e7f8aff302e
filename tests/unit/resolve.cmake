# From models and snapshots to problems.
iso_add_test(unit test_problem.c LIBS isocost::problem)
iso_add_test(unit test_snapshot_file.c LIBS isocost::store)
iso_add_test(unit test_selector.c LIBS isocost::convert)
iso_add_test(unit test_model_check.c LIBS isocost::convert)
iso_add_test(unit test_resolve.c LIBS isocost::convert)
iso_add_test(unit test_resolve_rules.c LIBS isocost::convert)
iso_add_test(unit test_resolve_snapshot.c LIBS isocost::convert)
iso_add_test(unit test_resolve_damaged.c LIBS isocost::convert)
# Rules from the model to a verified plan.
iso_add_test(unit test_or_nothing.c LIBS isocost::convert isocost::solver isocost::verify)
iso_add_test(unit test_affinity.c LIBS isocost::convert isocost::solver isocost::verify)
iso_add_test(unit test_ramp.c LIBS isocost::convert isocost::solver isocost::verify)
iso_add_test(unit test_prices_of_rules.c LIBS isocost::convert isocost::solver isocost::verify)
