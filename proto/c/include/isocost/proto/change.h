/* The text form of changes: `demand.web=+30%`. docs/reference/changes.md has the grammar.
 *
 * One parser for the server and for clients. Messages and strings live in the arena given. */
#ifndef ISOCOST_PROTO_CHANGE_H
#define ISOCOST_PROTO_CHANGE_H

#include "isocost/base/status.h"
#include "isocost/proto/arena.h"
#include "isocost/v1/session_service.pb-c.h"

/* A place in a text, in characters (not bytes). */
struct iso_text_place {
    int column; /* from 1; 0: none */
    int length; /* at least 1 */
};

/* Reads one change; the message has the text too. What is known of a change without its model is
 * checked: kinds, ids, numbers, selectors. Errors: ISO_E_INVALID: the text of *reterr begins with
 * "column N: ", and *ret_place (may be NULL) says where; ISO_E_LIMIT: the arena is full. */
ISO_EXPORT enum iso_status iso_change_read(const char *text, struct iso_arena *arena,
                                           Isocost__V1__Change **ret_change,
                                           struct iso_text_place *ret_place,
                                           struct iso_error *reterr);

/* Writes the text of a change that is a message; of one with a text gives that. iso_change_read()
 * reads an equal message from it. NULL when the arena is full or the change is not set. */
ISO_EXPORT char *iso_change_write(const Isocost__V1__Change *change, struct iso_arena *arena);

enum iso_change_part { ISO_CHANGE_TARGET, ISO_CHANGE_VALUE };

/* Where a part of a change stands in its text; column 0 when the text has no such part. */
ISO_EXPORT struct iso_text_place iso_change_place(const char *text, enum iso_change_part part);

/* Takes the next of changes that are joined by commas; NULL at the end. Commas in quotes and in
 * objects do not count. *text moves on. NULL too when the arena is full: then *text stays. */
ISO_EXPORT char *iso_change_next(const char **text, struct iso_arena *arena);

/* Reads the text form of a parameter of a sweep, `budget.total=8000..16000USD:9`, into target,
 * values and unit. Errors as iso_change_read(). */
ISO_EXPORT enum iso_status iso_sweep_read(const char *text, struct iso_arena *arena,
                                          Isocost__V1__SweepParameter **ret_parameter,
                                          struct iso_text_place *ret_place,
                                          struct iso_error *reterr);

/* The text of the change that gives a parameter one of its values. NULL when the arena is full. */
ISO_EXPORT char *iso_sweep_change(const Isocost__V1__SweepParameter *parameter, double value,
                                  struct iso_arena *arena);

/* The kinds of changes, in alphabetical order, for completion; ends with NULL. */
ISO_EXPORT extern const char *const iso_change_kinds[];

#endif
