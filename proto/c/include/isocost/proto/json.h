/* The proto3 JSON mapping by descriptor, in both directions, and YAML through the same reader. */
#ifndef ISOCOST_PROTO_JSON_H
#define ISOCOST_PROTO_JSON_H

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>

#include "isocost/proto/arena.h"
#include "isocost/proto/violations.h"

/* Reads JSON. Accepts lowerCamel and snake_case names, numbers as numbers or strings, enum values
 * by full name, by name without the enum's prefix in any case with `-` for `_` ("on-demand"), or by
 * number; google.type.Money also as "12.5 USD"; Timestamp and Duration as text; maps as objects; a
 * scalar where a list is expected as a list of one. Refuses unknown fields, duplicate keys, NaN,
 * and two members of a oneof, by name and path. All problems are added to `violations` with
 * snake_case paths. The message lives in the arena. null stands for "not given". Errors:
 * ISO_E_INVALID (text starts with "line N: " when the syntax is wrong), ISO_E_LIMIT (the arena is
 * too small), ISO_E_NOMEM. */
ISO_EXPORT enum iso_status iso_json_read(const ProtobufCMessageDescriptor *descriptor,
                                         const char *text, size_t n_bytes, struct iso_arena *arena,
                                         struct iso_violations *violations,
                                         ProtobufCMessage **ret_message, struct iso_error *reterr);

/* Reads one YAML document (JSON is YAML too). Plain scalars are resolved as in the core schema of
 * YAML 1.2, decimal numbers only, so `no` is text; quoted ones are text. Anchors, aliases and tags
 * are refused. Violations' texts start with "line N: ". Otherwise as iso_json_read(). */
ISO_EXPORT enum iso_status iso_yaml_read(const ProtobufCMessageDescriptor *descriptor,
                                         const char *text, size_t n_bytes, struct iso_arena *arena,
                                         struct iso_violations *violations,
                                         ProtobufCMessage **ret_message, struct iso_error *reterr);

enum iso_json_flags {
    ISO_JSON_INDENT = 1u << 0,     /* two spaces, one field a line */
    ISO_JSON_SNAKE_CASE = 1u << 1, /* proto names instead of lowerCamel */
};

/* Writes proto3 JSON: fields in number order, defaults left out, 64-bit integers as strings,
 * doubles in their shortest exact form, bytes as base64, maps sorted by key. Any is written with
 * "@type" for the google.rpc details. The caller frees *ret_text. Errors: ISO_E_NOMEM, ISO_E_LIMIT
 * (nested deeper than 128). */
ISO_EXPORT enum iso_status iso_json_write(const ProtobufCMessage *message, unsigned flags,
                                          char **ret_text, struct iso_error *reterr);

/* The same as block-style YAML, with 64-bit integers as numbers; iso_yaml_read() gives an equal
 * message. */
ISO_EXPORT enum iso_status iso_yaml_write(const ProtobufCMessage *message, unsigned flags,
                                          char **ret_text, struct iso_error *reterr);

#endif
