#include "json_load.h"

#include "isocost/base/memory.h"

static _Thread_local bool ran_out;

static void *allocate(size_t n_bytes)
{
    void *bytes = iso_realloc(NULL, n_bytes, 1);

    ran_out = ran_out || !bytes;
    return bytes;
}

/* Jansson takes a token that it has no memory for as one that is wrong (2.14, load.c). */
json_t *iso_json_load(const char *bytes, size_t n_bytes, size_t flags, json_error_t *ret_why,
                      bool *ret_no_memory)
{
    json_set_alloc_funcs(allocate, free); /* the same for all that the host and plugins load */
    ran_out = false;
    json_t *document = json_loadb(bytes, n_bytes, flags, ret_why);
    *ret_no_memory = !document && ran_out;
    return document;
}
