#include "store_internal.h"

struct model_call {
    const struct iso_principal *principal;
    const char *digest;
    struct iso_bytes model;
    const struct iso_audit *audit;
    struct iso_arena *arena;
};

enum iso_status iso_store_insert_model(struct iso_sql *sql, const struct iso_principal *principal,
                                       const char *digest, struct iso_bytes model,
                                       struct iso_error *reterr)
{
    return ISO_RUN(sql,
                   "INSERT INTO model (tenant, project, digest, create_ns, model)"
                   " VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
                   reterr, ISO_TEXT(principal->tenant), ISO_TEXT(principal->project),
                   ISO_TEXT(digest), ISO_INT(iso_store_now_ns()), ISO_BLOB(model));
}

static enum iso_status put(struct iso_sql *sql, void *context, struct iso_error *reterr)
{
    const struct model_call *call = context;

    ISO_TRY(iso_store_insert_model(sql, call->principal, call->digest, call->model, reterr));
    if (iso_sql_changes(sql) == 0)
        return ISO_OK; /* known already: nothing changes, nothing to audit */
    return iso_store_audit(sql, call->principal, call->audit, call->digest, reterr);
}

enum iso_status iso_store_put_model(struct iso_store *store, const struct iso_principal *principal,
                                    const char *digest, struct iso_bytes model,
                                    const struct iso_audit *audit, struct iso_error *reterr)
{
    struct model_call call = {
        .principal = principal, .digest = digest, .model = model, .audit = audit};

    return iso_store_write(store, put, &call, reterr);
}

static enum iso_status get(struct iso_sql *sql, void *context, struct iso_error *reterr)
{
    struct model_call *call = context;
    struct iso_statement *statement = NULL;
    bool row = false;

    ISO_TRY(ISO_START(sql,
                      "SELECT model FROM model WHERE tenant = $1 AND project = $2 AND digest = $3",
                      &statement, reterr, ISO_TEXT(call->principal->tenant),
                      ISO_TEXT(call->principal->project), ISO_TEXT(call->digest)));
    ISO_TRY(iso_sql_step(statement, &row, reterr));
    if (!row)
        return iso_fail(reterr, ISO_E_NOT_FOUND, "", "no model has the digest \"%.80s\"",
                        call->digest);
    call->model = iso_sql_blob(statement, 0, call->arena);
    return iso_store_check_arena(call->arena, reterr);
}

enum iso_status iso_store_get_model(struct iso_store *store, const struct iso_principal *principal,
                                    const char *digest, struct iso_arena *arena,
                                    struct iso_bytes *ret_model, struct iso_error *reterr)
{
    struct model_call call = {.principal = principal, .digest = digest, .arena = arena};

    ISO_TRY(iso_store_read(store, get, &call, reterr));
    *ret_model = call.model;
    return ISO_OK;
}
