/* Messages and bytes that are text in JSON: timestamps, durations, money, base64. */
#ifndef ISOCOST_PROTO_JSON_TEXT_H
#define ISOCOST_PROTO_JSON_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "isocost/proto/arena.h"

#define ISO_TIME_TEXT_SIZE 48

/* RFC 3339, years 1 to 9999: "2025-01-31T12:00:00.5Z", "...+02:00". */
bool iso_timestamp_parse(const char *text, int64_t *ret_seconds, int32_t *ret_nanos);

/* False when the value is outside of its range. 0, 3, 6 or 9 places. */
bool iso_timestamp_format(int64_t seconds, int32_t nanos, char buffer[ISO_TIME_TEXT_SIZE]);

/* "1.5s", at most 10,000 years. */
bool iso_duration_parse(const char *text, int64_t *ret_seconds, int32_t *ret_nanos);
bool iso_duration_format(int64_t seconds, int32_t nanos, char buffer[ISO_TIME_TEXT_SIZE]);

/* "12.5 USD": at most 9 places, then three letters A-Z. */
bool iso_money_parse(const char *text, int64_t *ret_units, int32_t *ret_nanos, char ret_code[4]);

/* Standard and URL alphabet, padding optional. NULL: malformed, or the arena is full. */
unsigned char *iso_base64_decode(const char *text, size_t n_chars, struct iso_arena *arena,
                                 size_t *ret_n_bytes);

/* 4 * ceil(n_bytes / 3) characters and a NUL into `text`. */
void iso_base64_encode(const unsigned char *bytes, size_t n_bytes, char *text);

#endif
