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

enum iso_status iso_model_ref_get(struct iso_api *api, const struct iso_principal *principal,
                                  const Isocost__V1__ModelRef *ref,
                                  struct iso_violations *violations,
                                  const Isocost__V1__Model **ret_model, char *ret_digest,
                                  struct iso_error *reterr)
{
    const Isocost__V1__Model *model = NULL;

    if (!ref || ref->ref_case == ISOCOST__V1__MODEL_REF__REF__NOT_SET)
        return iso_fail(reterr, ISO_E_INVALID, "model",
                        "is missing; give a model, a model_digest or a plan_id");
    if (ref->ref_case == ISOCOST__V1__MODEL_REF__REF_MODEL)
        model = ref->model;
    else if (ref->ref_case == ISOCOST__V1__MODEL_REF__REF_MODEL_DIGEST)
        ISO_TRY(iso_model_load(api->config.store, principal, ref->model_digest, violations, &model,
                               reterr));
    else
        ISO_TRY(load_by_plan(api, principal, ref->plan_id, violations, &model, reterr));
    iso_model_check(model, "model", violations);
    ISO_TRY(iso_violations_status(violations, reterr));
    if (ret_digest)
        ISO_TRY(iso_message_digest(&model->base, NULL, ret_digest, reterr));
    *ret_model = model;
    return ISO_OK;
}
