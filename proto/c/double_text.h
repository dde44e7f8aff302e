/* Binary64 numbers as text that reads back equal, in any locale. */
#ifndef ISOCOST_PROTO_DOUBLE_TEXT_H
#define ISOCOST_PROTO_DOUBLE_TEXT_H

#include <stdbool.h>

#define ISO_DOUBLE_TEXT_SIZE 48

/* Shortest form: "0.1", "100000", "1e+300", "NaN", "Infinity", "-Infinity". Returns `buffer`. */
char *iso_double_text(double value, char buffer[ISO_DOUBLE_TEXT_SIZE]);

/* Form of the digests: digits and a power of ten, "1e-1", "-125e-1", "0", "nan", "inf", "-inf".
 * Specified in docs/reference/digests.md. Returns `buffer`. */
char *iso_double_canonical(double value, char buffer[ISO_DOUBLE_TEXT_SIZE]);

/* Whether `text` is [+-]digits[.digits][e[+-]digits], with a digit before or after the point. */
bool iso_is_number(const char *text);

/* Nearest binary64 of a text that iso_is_number(). */
double iso_double_parse(const char *text);

#endif
