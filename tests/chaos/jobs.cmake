# Solver processes killed at random.
iso_add_test(chaos test_kill_solver_processes.c LIBS isocost::jobs isocost::proto TIMEOUT 120)
target_sources(chaos_test_kill_solver_processes PRIVATE integration/job_watch.c)
target_include_directories(chaos_test_kill_solver_processes
    PRIVATE ${CMAKE_CURRENT_LIST_DIR}/../integration)
add_dependencies(chaos_test_kill_solver_processes isocost-solver)
