# Each strategy in turn, against the independent oracle.
add_executable(solve_models integration/solve_models.c)
target_link_libraries(solve_models PRIVATE isocost::defaults isocost::convert isocost::solver isocost::verify)
target_include_directories(solve_models PRIVATE ${PROJECT_SOURCE_DIR}/server/solve
    ${PROJECT_SOURCE_DIR}/solver)
set_target_properties(solve_models PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests/integration)
iso_add_pytest(e2e test_forced_strategies.py TIMEOUT 900)
iso_add_pytest(e2e test_forced_strategies.py NAME test_forced_strategies_at_length LABEL slow
    ENVIRONMENT ISO_SEEDS_TIMES=5 TIMEOUT 7200)
iso_add_pytest(e2e test_unlisted_columns.py TIMEOUT 300)
iso_add_pytest(e2e test_warm_starts.py TIMEOUT 900)
iso_add_pytest(e2e test_warm_starts.py NAME test_warm_starts_at_length LABEL slow
    ENVIRONMENT ISO_SEEDS_TIMES=3 TIMEOUT 7200)
