#include "api_internal.h"
#include "isocost/proto/digest.h"

static enum iso_status load_by_plan(struct iso_api *api, const struct iso_principal *principal,
                                    const char *id, struct iso_violations *violations,
                                    const Isocost__V1__Model **ret_model, struct iso_error *reterr)
{
    struct iso_plan_record record;

    ISO_TRY(iso_ulid_check(id, "model.plan_id", reterr));
    ISO_TRY(iso_store_get_plan(api->config.store, principal, id, /* with_lines= */ false,
                               violations->arena, &record, reterr));
    return iso_model_load(api->config.store, principal, record.model_digest, violations, ret_model,
                          reterr);
}

static enum iso_status find_base(struct iso_api *api, const struct iso_principal *principal,
                                 const Isocost__V1__ModelRef *ref,
                                 struct iso_violations *violations, struct iso_model_base *base,
                                 struct iso_error *reterr)
{
    switch (ref ? ref->ref_case : ISOCOST__V1__MODEL_REF__REF__NOT_SET) {
    case ISOCOST__V1__MODEL_REF__REF_MODEL:
        base->model = ref->model;
        return ISO_OK;
    case ISOCOST__V1__MODEL_REF__REF_MODEL_DIGEST:
        return iso_model_load(api->config.store, principal, ref->model_digest, violations,
                              &base->model, reterr);
    case ISOCOST__V1__MODEL_REF__REF_PLAN_ID:
        return load_by_plan(api, principal, ref->plan_id, violations, &base->model, reterr);
    case ISOCOST__V1__MODEL_REF__REF_SESSION:
        return iso_session_base(api, principal, ref->session, violations, base, reterr);
    default:
        return iso_fail(reterr, ISO_E_INVALID, "model",
                        "is missing; give a model, a model_digest, a plan_id or a session");
    }
}

enum iso_status iso_model_ref_base(struct iso_api *api, const struct iso_principal *principal,
                                   const Isocost__V1__ModelRef *ref,
                                   struct iso_violations *violations,
                                   struct iso_model_base *ret_base, struct iso_error *reterr)
{
    struct iso_model_base base = {0};
    Isocost__V1__Change **own, **all;

    ISO_TRY(find_base(api, principal, ref, violations, &base, reterr));
    iso_model_check(base.model, "model", violations);
    ISO_TRY(iso_violations_status(violations, reterr));
    if (ref->n_changes > 0) {
        ISO_TRY(iso_changes_read(ref->changes, ref->n_changes, "model.changes", violations, &own,
                                 reterr));
        all =
            iso_changes_join(base.changes, base.n_changes, own, ref->n_changes, violations->arena);
        if (!all)
            return iso_fail(reterr, ISO_E_LIMIT, "", "no memory for changes");
        base.changes = all;
        base.n_changes += ref->n_changes;
    }
    *ret_base = base;
    return ISO_OK;
}

enum iso_status iso_model_ref_get(struct iso_api *api, const struct iso_principal *principal,
                                  const Isocost__V1__ModelRef *ref,
                                  struct iso_violations *violations,
                                  const Isocost__V1__Model **ret_model, char *ret_digest,
                                  struct iso_error *reterr)
{
    const Isocost__V1__Model *model = NULL;
    struct iso_model_base base;

    ISO_TRY(iso_model_ref_base(api, principal, ref, violations, &base, reterr));
    struct iso_changes changes = {.n = base.n_changes,
                                  .items = base.changes,
                                  .n_before = base.n_changes - ref->n_changes,
                                  .path = "model.changes"};
    ISO_TRY(iso_model_change(api, principal, base.model, &changes, violations, &model, reterr));
    if (ret_digest)
        ISO_TRY(iso_message_digest(&model->base, NULL, ret_digest, reterr));
    *ret_model = model;
    return ISO_OK;
}

/* --- changes --- */

Isocost__V1__Change **iso_changes_join(Isocost__V1__Change *const *first, size_t n_first,
                                       Isocost__V1__Change *const *second, size_t n_second,
                                       struct iso_arena *arena)
{
    Isocost__V1__Change **all = iso_arena_calloc(arena, n_first + n_second + 1, sizeof(*all));

    for (size_t i = 0; all && i < n_first + n_second; i++)
        all[i] = i < n_first ? first[i] : second[i - n_first];
    return all;
}

enum iso_status iso_model_change(struct iso_api *api, const struct iso_principal *principal,
                                 const Isocost__V1__Model *model, const struct iso_changes *changes,
                                 struct iso_violations *violations,
                                 const Isocost__V1__Model **ret_model, struct iso_error *reterr)
{
    return iso_stored_model_change(api->config.store, principal, model, "", changes, violations,
                                   ret_model, reterr);
}
