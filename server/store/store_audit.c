/* The audit rows are a chain: each holds the SHA-256 of the one before and of its own fields, so a
 * row that is changed or taken out behind the store's back shows. */
#include "store_internal.h"

static void add_field(struct iso_sha256 *sha, const char *text)
{
    iso_sha256_update(sha, text, strlen(text) + 1); /* the NUL keeps fields apart */
}

static enum iso_status last_hash(struct iso_sql *sql, unsigned char hash[ISO_SHA256_BYTES],
                                 struct iso_error *reterr)
{
    ISO_AUTO(iso_arena) arena = iso_arena_new(4096);
    struct iso_statement *statement = NULL;
    bool row = false;

    if (!arena)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for an audit row");
    memset(hash, 0, ISO_SHA256_BYTES); /* of the first row */
    ISO_TRY(iso_sql_start(sql, "SELECT hash FROM audit ORDER BY sequence DESC LIMIT 1", NULL, 0,
                          &statement, reterr));
    ISO_TRY(iso_sql_step(statement, &row, reterr));
    if (row) {
        struct iso_bytes bytes = iso_sql_blob(statement, 0, arena);
        if (bytes.n_bytes == ISO_SHA256_BYTES)
            memcpy(hash, bytes.bytes, ISO_SHA256_BYTES);
        iso_sql_reset(statement);
    }
    return ISO_OK;
}

void iso_store_audit_hash(const unsigned char previous[ISO_SHA256_BYTES],
                          const char *const fields[ISO_AUDIT_FIELDS], int64_t at_ns,
                          unsigned char ret_hash[ISO_SHA256_BYTES])
{
    struct iso_sha256 sha;

    iso_sha256_init(&sha);
    iso_sha256_update(&sha, previous, ISO_SHA256_BYTES);
    for (int i = 0; i < ISO_AUDIT_FIELDS; i++)
        add_field(&sha, fields[i]);
    for (int shift = 0; shift < 64; shift += 8)
        iso_sha256_update(&sha, &(unsigned char){(unsigned char)((uint64_t)at_ns >> shift)}, 1);
    iso_sha256_final(&sha, ret_hash);
}

enum iso_status iso_store_audit(struct iso_sql *sql, const struct iso_principal *principal,
                                const struct iso_audit *audit, const char *object,
                                struct iso_error *reterr)
{
    unsigned char previous[ISO_SHA256_BYTES], hash[ISO_SHA256_BYTES];
    const char *request_id;
    int64_t now_ns = iso_store_now_ns();

    if (!audit)
        return ISO_OK;
    request_id = audit->request_id ? audit->request_id : "";
    ISO_TRY(last_hash(sql, previous, reterr));
    iso_store_audit_hash(previous,
                         (const char *const[]){principal->tenant, principal->project,
                                               principal->subject, audit->action, object,
                                               request_id},
                         now_ns, hash);
    return ISO_RUN(sql,
                   "INSERT INTO audit (tenant, project, subject, action, object, request_id,"
                   " at_ns, previous_hash, hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                   reterr, ISO_TEXT(principal->tenant), ISO_TEXT(principal->project),
                   ISO_TEXT(principal->subject), ISO_TEXT(audit->action), ISO_TEXT(object),
                   ISO_TEXT(request_id), ISO_INT(now_ns),
                   ISO_BLOB(((struct iso_bytes){previous, sizeof(previous)})),
                   ISO_BLOB(((struct iso_bytes){hash, sizeof(hash)})));
}
