/* A plugin host whose files are texts in memory: all that a plugin needs which reads files. */
#ifndef ISOCOST_TESTS_TEXT_HOST_H
#define ISOCOST_TESTS_TEXT_HOST_H

#include "isocost/plugin.h"

struct text_file {
    const char *name, *text;
};

struct text_host {
    struct iso_host host; /* first */
    const struct text_file *files;
    size_t n_files;
    bool is_folder;
};

/* `files` are borrowed. Their folders do not count; without `is_folder` there is no folder to list.
 */
struct text_host text_host_of(const struct text_file *files, size_t n_files, bool is_folder);

#endif
