# Plans and failures between processes, and in the user's words.
iso_add_test(unit test_answer.c LIBS isocost::convert)
iso_add_test(unit test_plan_proto.c LIBS isocost::convert m)
iso_add_test(unit test_readable.c LIBS isocost::convert isocost::solver isocost::verify)
iso_add_test(unit test_scenario_result.c LIBS isocost::jobs m)
