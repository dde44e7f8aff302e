# The supervisor with a solver that misbehaves on command.
add_executable(fake_solver integration/fake_solver.c)
target_link_libraries(fake_solver PRIVATE isocost::defaults isocost::problem isocost::proto)
set_target_properties(fake_solver PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests/integration)
iso_add_test(integration test_supervisor.c LIBS isocost::jobs TIMEOUT 120)
target_sources(integration_test_supervisor PRIVATE integration/job_watch.c)
add_dependencies(integration_test_supervisor fake_solver)
iso_add_test(integration test_solver_process.c LIBS isocost::jobs isocost::proto TIMEOUT 120)
target_sources(integration_test_solver_process PRIVATE integration/job_watch.c)
add_dependencies(integration_test_solver_process isocost-solver)
