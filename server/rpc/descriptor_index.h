/* The contract's own description: which file defines which name. */
#ifndef ISOCOST_SERVER_DESCRIPTOR_INDEX_H
#define ISOCOST_SERVER_DESCRIPTOR_INDEX_H

#include "google/protobuf/descriptor.pb-c.h"
#include "isocost/base/status.h"

struct iso_descriptor_file {
    const unsigned char *bytes; /* the packed FileDescriptorProto, in the set */
    size_t n_bytes;
    Google__Protobuf__FileDescriptorProto *proto;
};

struct iso_descriptor_symbol {
    char *name; /* "isocost.v1.PlanService.SolvePlan" */
    int file;
};

struct iso_descriptor_index {
    int n_files, n_symbols;
    struct iso_descriptor_file *files;
    struct iso_descriptor_symbol *symbols; /* by name */
    Google__Protobuf__FileDescriptorSet *set;
};

/* Reads a packed FileDescriptorSet, which must outlive the index. Errors: ISO_E_INTERNAL (it is
 * malformed), ISO_E_NOMEM. */
ISO_EXPORT enum iso_status iso_descriptor_index_new(const unsigned char *set, size_t n_bytes,
                                                    struct iso_descriptor_index **ret_index,
                                                    struct iso_error *reterr);
ISO_EXPORT void iso_descriptor_index_free(struct iso_descriptor_index *index); /* accepts NULL */
ISO_DEFINE_FREEP(iso_descriptor_index)

/* Index of a file by its path, or of the file that defines a full name; -1 if there is none. */
ISO_EXPORT int iso_descriptor_index_file(const struct iso_descriptor_index *index,
                                         const char *path);
ISO_EXPORT int iso_descriptor_index_symbol(const struct iso_descriptor_index *index,
                                           const char *name);

#endif
