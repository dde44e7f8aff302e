/* A folder for the tests of a group. */
#ifndef ISOCOST_TESTS_TEMPORARY_FOLDER_H
#define ISOCOST_TESTS_TEMPORARY_FOLDER_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char folder[64];

/* Set-up and tear-down of a group. */
static inline int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/isocost-test-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static inline int remove_folder(void **state)
{
    char command[128];

    (void)state;
    snprintf(command, sizeof(command), "rm -rf '%s'", folder);
    return system(command);
}

#endif
