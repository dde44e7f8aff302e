add_library(plan_cases STATIC ${CMAKE_CURRENT_LIST_DIR}/../support/plan_cases.c)
target_link_libraries(plan_cases PUBLIC isocost::problem)
iso_add_test(unit test_mutation.c LIBS isocost::verify plan_cases)
