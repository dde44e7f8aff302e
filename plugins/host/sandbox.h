/* What the host takes away from itself before foreign code runs in it.
 *
 * The order matters: iso_sandbox_begin() at once, then the load request is read, then
 * iso_sandbox_close() before the plugin is mapped. What the kernel cannot do is listed, not
 * ignored: the server shows it to the operator. */
#ifndef ISOCOST_PLUGIN_HOST_SANDBOX_H
#define ISOCOST_PLUGIN_HOST_SANDBOX_H

#include <stdint.h>
#include <sys/types.h>

#include "isocost/base/status.h"

#define ISO_SANDBOX_MAX_MISSING 8

struct iso_sandbox {
    const char *plugin_folder;   /* readable */
    const char *const *readable; /* more files and folders to read, absolute */
    size_t n_readable;
    const char *cache_directory; /* writable; "" when there is none */
    const char *ca_file;         /* readable; "" when there is none */
    int64_t memory_bytes;        /* address space; 0: 512 MiB */
    size_t n_missing;            /* out: protections that the kernel does not have */
    const char *missing[ISO_SANDBOX_MAX_MISSING]; /* out: their names, never freed */
};

/* Dies with its parent, gains no privileges, leaves no core. `parent` is the parent's process id,
 * or 0 when it is not known. Errors: ISO_E_UNAVAILABLE when the parent is gone, ISO_E_INTERNAL. */
enum iso_status iso_sandbox_begin(pid_t parent, struct iso_error *reterr);

/* Limits memory and descriptors, drops capabilities, closes the file system and the system calls.
 * Errors: ISO_E_INVALID (a path that is not absolute or does not exist), ISO_E_INTERNAL. */
enum iso_status iso_sandbox_close(struct iso_sandbox *sandbox, struct iso_error *reterr);

/* Lets the process use `seconds` of processor time from now on before the kernel ends it. */
void iso_sandbox_budget(double seconds);

/* The parts of iso_sandbox_close(). They add to `missing`. */
enum iso_status iso_sandbox_close_files(struct iso_sandbox *sandbox, struct iso_error *reterr);
enum iso_status iso_sandbox_close_calls(struct iso_sandbox *sandbox, struct iso_error *reterr);
void iso_sandbox_add_missing(struct iso_sandbox *sandbox, const char *name);

#endif
