/* Judges the records that plugins send: required fields, ranges, known words and currencies. The
 * one door for usage, costs and what runs; a plugin's word is never taken for it. */
#ifndef ISOCOST_SERVER_RECORD_CHECK_H
#define ISOCOST_SERVER_RECORD_CHECK_H

#include "record_store.h"
#include "row_check.h"

#include "isocost/v1/usage.pb-c.h"

/* Each returns whether the record may be kept; otherwise *ret_fault says why not. Messages are
 * changed in place (provider and region by their one name, defaults); *ret_row borrows from them
 * and has the message packed in the arena. When the arena is full the result is without meaning:
 * ask iso_arena_full(). [from_ns, to_ns) is what was asked for. */
bool iso_record_check_usage(Isocost__V1__UsageSample *record, int64_t from_ns, int64_t to_ns,
                            struct iso_arena *arena, struct iso_record_row *ret_row,
                            struct iso_row_fault *ret_fault);
bool iso_record_check_cost(Isocost__V1__CostRecord *record, int64_t from_ns, int64_t to_ns,
                           struct iso_arena *arena, struct iso_record_row *ret_row,
                           struct iso_row_fault *ret_fault);
bool iso_record_check_running(Isocost__V1__RunningResource *record, struct iso_arena *arena,
                              struct iso_record_row *ret_row, struct iso_row_fault *ret_fault);

#endif
