/* Statuses and error reports: how every fallible call in Isocost fails. */
#ifndef ISOCOST_BASE_STATUS_H
#define ISOCOST_BASE_STATUS_H

#include "isocost/base/memory.h"

/* One row per status: name, gRPC code (google.rpc.Code), text for people. This is the only
 * list; the enum, iso_status_text() and the server's reply codes expand it.
 * Plugins compile these values in: append rows, never move or reuse one. */
#define ISO_STATUS_MAP(X)                                           \
    X(ISO_OK, 0, "ok")                                              \
    X(ISO_E_INVALID, 3, "a value breaks its documented rule")       \
    X(ISO_E_NOT_FOUND, 5, "no object of that name")                 \
    X(ISO_E_LIMIT, 8, "a configured limit was reached")             \
    X(ISO_E_NOMEM, 8, "out of memory")                              \
    X(ISO_E_CANCELLED, 1, "the caller gave up")                     \
    X(ISO_E_UNSUPPORTED, 12, "this build or plugin cannot do that") \
    X(ISO_E_BACKEND, 13, "the numerical library failed")            \
    X(ISO_E_EXISTS, 6, "an object of that name exists already")     \
    X(ISO_E_DENIED, 7, "the caller may not do that")                \
    X(ISO_E_PRECONDITION, 9, "the object is not in a state for it") \
    X(ISO_E_CONFLICT, 10, "the object was changed meanwhile")       \
    X(ISO_E_UNAVAILABLE, 14, "try again: a part is not available")  \
    X(ISO_E_DEADLINE, 4, "the deadline passed")                     \
    X(ISO_E_IO, 14, "a file or socket failed")                      \
    X(ISO_E_INTERNAL, 13, "a bug in Isocost")                       \
    X(ISO_E_UNAUTHENTICATED, 16, "the caller did not say who it is")

enum iso_status {
#define X(name, grpc_code, text) name,
    ISO_STATUS_MAP(X)
#undef X
        ISO_STATUS_COUNT_ /* number of rows, not a status */
};

/* Where and why a call failed. Zero-initialise it: struct iso_error e = {0}; */
struct iso_error {
    enum iso_status status;
    char field[128]; /* path in the request, e.g. "model.workloads[2].demand"; "" if none */
    char text[384];  /* one sentence, no newline; says what was found and what is allowed */
};

/* Fills *reterr unless it is NULL or already holds a failure, so that the first
 * (deepest) report wins. Returns `status`, so that callers write
 * `return iso_fail(...)`. Never allocates, never logs. */
ISO_EXPORT __attribute__((format(printf, 4, 5))) enum iso_status iso_fail(struct iso_error *reterr,
                                                                          enum iso_status status,
                                                                          const char *field,
                                                                          const char *format, ...);

/* One row's text, e.g. "ok"; never NULL. */
ISO_EXPORT const char *iso_status_text(enum iso_status status);

/* One row's name without the prefix, e.g. "E_INVALID"; never NULL. */
ISO_EXPORT const char *iso_status_name(enum iso_status status);

/* One row's gRPC code, in [0, 16]. */
ISO_EXPORT int iso_status_grpc_code(enum iso_status status);

/* Returns from the caller with the status of a failed call. */
#define ISO_TRY(call)                     \
    do {                                  \
        enum iso_status status_ = (call); \
        if (status_ != ISO_OK)            \
            return status_;               \
    } while (0)

#endif
