/* Lines of a stored plan, read one after the other from their packed form: lines that nobody asked
 * for are passed over by their length, and never become messages. */
#ifndef ISOCOST_SERVER_LINE_READER_H
#define ISOCOST_SERVER_LINE_READER_H

#include "isocost/proto/arena.h"
#include "isocost/v1/plan.pb-c.h"
#include "store.h"

struct iso_line_reader {
    const unsigned char *at, *end; /* of the packed lines, which must stay */
    uint64_t tag;                  /* of every line */
    bool damaged;                  /* they make no sense from `at` on */
};

/* Begins with the first line of a Plan that has lines and nothing else. */
struct iso_line_reader iso_line_reader(struct iso_bytes packed);

/* The next line, packed; false after the last, or when `damaged` is set. */
bool iso_line_reader_next(struct iso_line_reader *reader, struct iso_bytes *ret_line);

/* A line as a message in the arena; NULL when it is none, or the arena is full. */
Isocost__V1__PlanLine *iso_line_unpack(struct iso_bytes line, struct iso_arena *arena);

/* Fails for lines that could not be read: damaged ones, or an arena that is full. */
enum iso_status iso_line_reader_fail(const char *plan_id, const struct iso_arena *arena,
                                     struct iso_error *reterr);

#endif
