/* Judges the rows that plugins send: fills in defaults, folds names, and says why a row is left
 * out. A plugin's word is never taken for it. */
#ifndef ISOCOST_SERVER_ROW_CHECK_H
#define ISOCOST_SERVER_ROW_CHECK_H

#include "isocost/proto/arena.h"
#include "isocost/v1/offering.pb-c.h"
#include "snapshot_file.h"

/* Why a row is left out: a stable code and a sentence with what was found and what is allowed. */
struct iso_row_fault {
    const char *code; /* a constant, e.g. "zero_price" */
    char text[256];
};

/* Says why a row is left out. False, so that checks can return it. */
__attribute__((format(printf, 3, 4))) bool
iso_row_refuse(struct iso_row_fault *ret_fault, const char *code, const char *format, ...);

/* Reads an amount of a known currency. False when it is none: *ret_fault names `field`, with `code`
 * unless the currency is at fault. */
bool iso_row_read_money(const Google__Type__Money *money, const char *field, const char *code,
                        iso_decimal *ret_amount, struct iso_row_fault *ret_fault);

/* Each returns whether the row may be used; otherwise *ret_fault says why not. Messages are changed
 * in place (provider words, defaults); new strings are in the arena. When the arena is full the
 * result is without meaning: ask iso_arena_full(). */

/* `source` is for rows that do not name theirs. */
bool iso_row_check_offering(const Isocost__V1__Offering *row, const char *source,
                            struct iso_arena *arena, struct iso_snapshot_offering *ret_offering,
                            struct iso_row_fault *ret_fault);
bool iso_row_check_product(Isocost__V1__CommitmentProduct *row, struct iso_arena *arena,
                           struct iso_row_fault *ret_fault);
bool iso_row_check_quota(Isocost__V1__Quota *row, struct iso_arena *arena,
                         struct iso_row_fault *ret_fault);
bool iso_row_check_overlay(Isocost__V1__Overlay *row, struct iso_arena *arena,
                           struct iso_row_fault *ret_fault);
bool iso_row_check_egress_rate(Isocost__V1__EgressRate *row, struct iso_arena *arena,
                               struct iso_row_fault *ret_fault);

/* Empties the texts of a row that are only a way to write nothing ("NULL", "N/A", "-", "无");
 * returns how many. */
int iso_row_clear_nulls(Isocost__V1__Offering *row);

/* The id that an offering would have, as far as its parts are there; for messages about it. */
const char *iso_row_describe(const Isocost__V1__Offering *row, struct iso_arena *arena);

#endif
