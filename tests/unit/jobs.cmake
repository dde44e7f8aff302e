# Plans and failures between processes, and in the user's words.
iso_add_test(unit test_answer.c LIBS isocost::convert)
