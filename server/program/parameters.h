/* The command line of a server program: one table drives parsing, ranges and --help. */
#ifndef ISOCOST_SERVER_PARAMETERS_H
#define ISOCOST_SERVER_PARAMETERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "isocost/base/status.h"

enum iso_parameter_type {
    ISO_PARAMETER_FLAG,  /* bool */
    ISO_PARAMETER_TEXT,  /* const char *; NULL: not given */
    ISO_PARAMETER_LIST,  /* struct iso_parameter_list; may be repeated */
    ISO_PARAMETER_WHOLE, /* int */
    ISO_PARAMETER_LEVEL, /* int; debug 0 .. error 3 */
};

enum { ISO_PARAMETER_LIST_MOST = 8 };

struct iso_parameter_list {
    const char *items[ISO_PARAMETER_LIST_MOST];
    int n;
};

struct iso_parameter {
    enum iso_parameter_type type;
    const char *name,
        *def;      /* WHOLE and LEVEL: the default itself; others: what --help says of it */
    long min, max; /* WHOLE */
    const char *unit, *sentence;
    size_t offset; /* of the member in the struct that is filled in */
};

/* Fills in defaults and reads the arguments from argv[1] on; texts are borrowed. `ret_values` is
 * zeroed by the caller. Errors: ISO_E_INVALID with the flag as field. */
enum iso_status iso_parameters_parse(const struct iso_parameter *table, size_t n_table, int argc,
                                     char *const *argv, void *ret_values, struct iso_error *reterr);
/* The flags with their ranges and defaults. */
void iso_parameters_help(const struct iso_parameter *table, size_t n_table, FILE *file);
/* 0: one a processor. */
int iso_parameters_solvers(int given);

#endif
