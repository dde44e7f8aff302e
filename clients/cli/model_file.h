/* Models from YAML and JSON files, with every mistake told by its place. */
#ifndef ISOCOST_CLI_MODEL_FILE_H
#define ISOCOST_CLI_MODEL_FILE_H

#include <stdio.h>

#include "isocost/proto/arena.h"
#include "isocost/proto/violations.h"
#include "isocost/v1/model.pb-c.h"

/* A model and the file that it came from. */
struct iso_model_file {
    const char *path;          /* as given; "-" is standard input */
    Isocost__V1__Model *model; /* in the arena; NULL when the file is wrong */
    char *text;                /* in the arena */
    size_t n_bytes;
};

/* Reads the file at `path`, or standard input for "-". Mistakes in the content are written to
 * `messages`, one a line, as `file:line: path: text`. Errors: ISO_E_INVALID (content, or the file
 * cannot be read; then nothing was written to `messages` and *reterr says why), ISO_E_LIMIT,
 * ISO_E_NOMEM. */
enum iso_status iso_model_file_read(const char *path, struct iso_arena *arena, FILE *messages,
                                    struct iso_model_file *ret_file, struct iso_error *reterr);

/* Writes `file:line: path: text` for a field that the server refused. `field` may begin with the
 * names of the messages around the model, which are left out. */
void iso_model_file_complain(const struct iso_model_file *file, const char *field, const char *text,
                             FILE *messages);

#endif
