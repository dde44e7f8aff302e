/* Names in JSON: lowerCamel and snake_case fields, short and full enum values. */
#ifndef ISOCOST_PROTO_JSON_NAMES_H
#define ISOCOST_PROTO_JSON_NAMES_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>

#define ISO_JSON_NAME_SIZE 128
#define ISO_JSON_HINT_SIZE 256

/* "time_limit_seconds" gives "timeLimitSeconds". Returns `buffer`. */
char *iso_json_name(const char *snake_case, char buffer[ISO_JSON_NAME_SIZE]);

/* The field of that name in either spelling, or NULL. */
const ProtobufCFieldDescriptor *iso_json_field(const ProtobufCMessageDescriptor *descriptor,
                                               const char *name);

/* What to say after an unknown name: `; did you mean "periods"?`, or the known names. Returns
 * `buffer`. */
char *iso_json_field_hint(const ProtobufCMessageDescriptor *descriptor, const char *name,
                          char buffer[ISO_JSON_HINT_SIZE]);

/* Full name, or without the enum's prefix in any case and with `-` for `_`. False: unknown. */
bool iso_json_enum_value(const ProtobufCEnumDescriptor *descriptor, const char *text,
                         int *ret_value);
char *iso_json_enum_hint(const ProtobufCEnumDescriptor *descriptor, const char *text,
                         char buffer[ISO_JSON_HINT_SIZE]);

/* Name of a value; NULL: unknown. */
const char *iso_json_enum_name(const ProtobufCEnumDescriptor *descriptor, int value);

#endif
