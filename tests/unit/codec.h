/* Short forms for the tests of the codec: read a text, look at the first error. */
#ifndef ISOCOST_TEST_CODEC_H
#define ISOCOST_TEST_CODEC_H

#include "isocost/proto/json.h"

/* Everything about one read; zero-initialise, then codec_read(), then codec_done(). */
struct codec_read {
    struct iso_arena *arena;
    struct iso_violations violations;
    struct iso_error error;
    ProtobufCMessage *message;
    enum iso_status status;
};

typedef enum iso_status codec_reader(const ProtobufCMessageDescriptor *, const char *, size_t,
                                     struct iso_arena *, struct iso_violations *,
                                     ProtobufCMessage **, struct iso_error *);

static inline void *codec_read(struct codec_read *read, codec_reader *reader,
                               const ProtobufCMessageDescriptor *descriptor, const char *text)
{
    read->arena = iso_arena_new(16u << 20);
    read->violations.arena = read->arena;
    read->status = reader(descriptor, text, strlen(text), read->arena, &read->violations,
                          &read->message, &read->error);
    return read->message;
}

static inline void codec_done(struct codec_read *read)
{
    iso_arena_free(read->arena);
    *read = (struct codec_read){0};
}

#endif
