/* Failures on their way from the solver process to the supervisor, as google.rpc.Status. */
#ifndef ISOCOST_SERVER_FAILURE_H
#define ISOCOST_SERVER_FAILURE_H

#include "google/rpc/status.pb-c.h"
#include "isocost/proto/arena.h"
#include "isocost/proto/violations.h"

/* The message lives in the arena: code, text, ErrorInfo with the status' name as reason, and
 * BadRequest with all violations (or the error's own field). NULL when the arena is full. */
ISO_EXPORT Google__Rpc__Status *iso_failure_to_status(const struct iso_error *error,
                                                      const struct iso_violations *violations,
                                                      struct iso_arena *arena);

/* Reads it back. Details that cannot be read are left out. Returns the status, never ISO_OK. */
ISO_EXPORT enum iso_status iso_failure_from_status(const Google__Rpc__Status *status,
                                                   struct iso_violations *violations,
                                                   struct iso_error *ret_error);

#endif
