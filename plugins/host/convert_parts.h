/* What the conversions of rows share. */
#ifndef ISOCOST_PLUGIN_HOST_CONVERT_PARTS_H
#define ISOCOST_PLUGIN_HOST_CONVERT_PARTS_H

#include "convert.h"
#include "google/protobuf/timestamp.pb-c.h"
#include "isocost/proto/money.h"

#define ISO_CONVERT_MAX_REPEATED 10000 /* labels, terms, conditions or rates of one row */

/* A message of the arena, cleared by its generated INIT; NULL when the arena is full. */
#define ISO_NEW_MESSAGE(arena, type, ...)                       \
    __extension__({                                             \
        static const type initial_ = __VA_ARGS__;               \
        type *made_ = iso_arena_calloc(arena, 1, sizeof(type)); \
        if (made_)                                              \
            *made_ = initial_;                                  \
        made_;                                                  \
    })

/* Each gives "" or NULL for what was not said, and NULL when the arena is full. */
char *iso_convert_text(const char *text, struct iso_arena *arena);
Google__Type__Money *iso_convert_money(struct iso_amount amount, const char *currency,
                                       struct iso_arena *arena);
Google__Protobuf__Timestamp *iso_convert_time(int64_t ns, struct iso_arena *arena);

/* An array of n pointers in the arena; NULL when it is full or there are too many. */
void *iso_convert_pointers(size_t n, struct iso_arena *arena);

/* An entry of a map of texts, of the type that its descriptor names. */
void *iso_convert_entry(const ProtobufCMessageDescriptor *type, const char *key, const char *value,
                        struct iso_arena *arena);

/* convert_egress.c */
ProtobufCMessage *iso_convert_egress_rate(const struct iso_plugin_egress_rate *row,
                                          struct iso_arena *arena);

/* convert_records.c: what ran and what it cost. */
ProtobufCMessage *iso_convert_usage(const struct iso_plugin_usage *row, struct iso_arena *arena);
ProtobufCMessage *iso_convert_cost(const struct iso_plugin_cost *row, struct iso_arena *arena);
ProtobufCMessage *iso_convert_running(const struct iso_plugin_running *row,
                                      struct iso_arena *arena);

#endif
