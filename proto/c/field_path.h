/* Where in a message we are: a chain on the stack, written out only when something is wrong. */
#ifndef ISOCOST_PROTO_FIELD_PATH_H
#define ISOCOST_PROTO_FIELD_PATH_H

#include <stddef.h>

#define ISO_FIELD_PATH_SIZE 128 /* as in struct iso_error; longer paths are cut at the front */

struct iso_field_path {
    const struct iso_field_path *parent; /* NULL at the top */
    const char *name;                    /* of the field, or a prefix at the top; "" adds nothing */
    long index;                          /* -1: the field is no list */
};

/* Writes "workloads[2].demand" and returns `buffer`. */
char *iso_field_path_text(const struct iso_field_path *path, char buffer[ISO_FIELD_PATH_SIZE]);

#endif
