#include "list_cursor.h"

#include <stdio.h>

#include "isocost/base/sha256.h"
#include "page_token.h"

enum iso_status iso_list_too_large(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_LIMIT, "page_size",
                    "the answer needs too much memory; ask for a smaller page");
}

enum iso_status iso_list_read_cursor(struct iso_call *call, const char *scope, const char *token,
                                     const char *asked_digest, struct iso_list_cursor *cursor,
                                     struct iso_error *reterr)
{
    const char *position = "", *colon;

    ISO_TRY(iso_page_token_read(iso_call_principal(call), scope, token, iso_call_arena(call),
                                &position, reterr));
    colon = strrchr(position, '@');
    cursor->next = colon ? strtoll(colon + 1, NULL, 10) : 0;
    cursor->digest =
        colon ? iso_arena_printf(iso_call_arena(call), "%.*s", (int)(colon - position), position)
              : asked_digest;
    if (!cursor->digest)
        return iso_list_too_large(reterr);
    return ISO_OK;
}

char *iso_list_make_cursor(struct iso_call *call, const char *scope, const char *digest,
                           int64_t next)
{
    char position[ISO_DIGEST_TEXT_SIZE + 32];

    snprintf(position, sizeof(position), "%s@%lld", digest, (long long)next);
    return iso_page_token_make(iso_call_principal(call), scope, position, iso_call_arena(call));
}

char *iso_list_make_scope(struct iso_call *call, const char *method, const char *digest,
                          const ProtobufCMessage *filter, const char *word)
{
    struct iso_arena *arena = iso_call_arena(call);
    unsigned char sum[ISO_SHA256_BYTES];
    char text[ISO_DIGEST_TEXT_SIZE] = "";

    if (filter) {
        size_t n_bytes = protobuf_c_message_get_packed_size(filter);
        unsigned char *bytes = iso_arena_calloc(arena, n_bytes, 1);
        struct iso_sha256 sha;
        if (!bytes)
            return NULL;
        protobuf_c_message_pack(filter, bytes);
        iso_sha256_init(&sha);
        iso_sha256_update(&sha, bytes, n_bytes);
        iso_sha256_final(&sha, sum);
        iso_digest_text(sum, text);
    }
    return iso_arena_printf(arena, "%s %s %s %s", method, digest, text, word);
}
