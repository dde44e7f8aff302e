/* ExportPlan: the plain MIP as MPS or LP from a solver, or a stored plan as JSON or CSV. The file
 * is made whole and then sent as fast as the caller reads. */
#include <math.h>
#include <stdio.h>
#include <unistd.h>

#include "api_internal.h"
#include "isocost/proto/json.h"
#include "isocost/proto/money.h"

#define MAX_FILE_BYTES ((size_t)512 << 20)

struct export
{
    struct iso_call *call;
    struct iso_job *job;
    unsigned char *bytes;
    size_t n_bytes, capacity, sent;
    bool too_large;
};

static void free_export(void *data)
{
    struct export *export = data;

    iso_job_release(export->job);
    free(export->bytes);
    free(export);
}

static enum iso_status send_chunk(struct iso_call *call, void *service, struct iso_error *reterr)
{
    struct export *export = iso_call_data(call);
    Isocost__V1__ExportPlanResponse response = ISOCOST__V1__EXPORT_PLAN_RESPONSE__INIT;
    size_t n = export->n_bytes - export->sent;

    (void)service;
    (void)reterr;
    if (n == 0) {
        iso_call_finish(call);
        return ISO_OK;
    }
    if (n > ISO_MAX_CHUNK_BYTES)
        n = ISO_MAX_CHUNK_BYTES;
    response.chunk = (ProtobufCBinaryData){.len = n, .data = export->bytes + export->sent};
    export->sent += n;
    iso_call_send(call, &response.base);
    return ISO_OK;
}

/* --- from a solver --- */

static void on_chunk(void *context, const unsigned char *bytes, size_t n_bytes)
{
    struct export *export = context;

    if (export->too_large || n_bytes > MAX_FILE_BYTES - export->n_bytes) {
        export->too_large = true;
        return;
    }
    if (export->n_bytes + n_bytes > export->capacity) {
        size_t capacity = 2 * (export->n_bytes + n_bytes);
        unsigned char *grown = iso_realloc(export->bytes, capacity, 1);

        if (!grown) {
            export->too_large = true;
            return;
        }
        export->bytes = grown;
        export->capacity = capacity;
    }
    memcpy(export->bytes + export->n_bytes, bytes, n_bytes);
    export->n_bytes += n_bytes;
}

static void on_done(void *context, const struct iso_job_result *result)
{
    struct export *export = context;
    struct iso_violations *violations = iso_call_violations(export->call);
    struct iso_error error = result->error;

    for (int i = 0; result->violations && i < result->violations->n; i++)
        iso_violations_add(violations, result->violations->items[i].field, "%s",
                           result->violations->items[i].text);
    if (result->status == ISO_OK && export->too_large)
        iso_fail(&error, ISO_E_LIMIT, "", "the file would have more than %zu bytes",
                 MAX_FILE_BYTES);
    if (error.status == ISO_OK)
        iso_call_set_step(export->call, send_chunk);
    else
        iso_call_fail(export->call, &error);
    iso_call_unref(export->call);
}

static void on_cancel(struct iso_call *call, void *context)
{
    struct export *export = context;

    (void)call;
    iso_job_stop(export->job, ISO_STOP_CANCEL);
}

static enum iso_status export_model(struct iso_api *api, struct iso_call *call,
                                    const Isocost__V1__ExportPlanRequest *request,
                                    struct export *export, struct iso_error *reterr)
{
    struct iso_job_request job = {.mode = request->format ==
                                                  ISOCOST__V1__EXPORT_FORMAT__EXPORT_FORMAT_MPS
                                              ? ISO_JOB_EXPORT_MPS
                                              : ISO_JOB_EXPORT_LP,
                                  .tier = request->tier,
                                  .context = export,
                                  .export_chunk = on_chunk,
                                  .done = on_done};
    double remaining_s = iso_call_remaining_s(call);
    const Isocost__V1__Model *model;
    const char *snapshot_digest;
    enum iso_status status;

    ISO_TRY(iso_model_ref_get(api, iso_call_principal(call), request->model,
                              iso_call_violations(call), &model, NULL, reterr));
    ISO_TRY(iso_snapshot_open(api->config.store, iso_call_principal(call), model, "",
                              iso_call_arena(call), &job.snapshot_fd, &snapshot_digest, reterr));
    job.model = model;
    job.model_arena = iso_call_arena(call);
    job.deadline_s = isfinite(remaining_s) ? fmax(remaining_s, 0.001) : 0;
    export->call = iso_call_ref(call);
    status = iso_supervisor_submit(api->config.supervisor, &job, &export->job, reterr);
    if (job.snapshot_fd >= 0)
        close(job.snapshot_fd);
    if (status != ISO_OK) {
        iso_call_unref(call);
        if (status == ISO_E_LIMIT)
            iso_call_set_retry_after(call, 1);
        return status;
    }
    iso_call_on_cancel(call, on_cancel, export);
    return ISO_OK;
}

/* --- from the store --- */

static void write_text(FILE *file, const char *text)
{
    if (!strpbrk(text, ",\"\r\n")) {
        fputs(text, file);
        return;
    }
    fputc('"', file);
    for (; *text; text++) {
        if (*text == '"')
            fputc('"', file);
        fputc(*text, file);
    }
    fputc('"', file);
}

static void write_number(FILE *file, double value)
{
    char text[ISO_DECIMAL_TEXT_SIZE];
    iso_decimal decimal;

    if (iso_decimal_from_double(value, &decimal, NULL) == ISO_OK)
        fputs(iso_decimal_format(decimal, text), file);
    else
        fprintf(file, "%.17g", value);
}

static void write_money(FILE *file, const Google__Type__Money *money)
{
    char text[ISO_DECIMAL_TEXT_SIZE];
    iso_decimal amount;

    if (money && iso_money_to_decimal(money, &amount, NULL) == ISO_OK)
        fputs(iso_decimal_format(amount, text), file);
}

static void write_line(FILE *file, const Isocost__V1__PlanLine *line)
{
    const ProtobufCEnumValue *kind =
        protobuf_c_enum_descriptor_get_value(&isocost__v1__line_kind__descriptor, (int)line->kind);
    const char *const texts[] = {line->workload, line->team, line->offering, line->product};

    fputs(kind ? kind->name + strlen("LINE_KIND_") : "", file);
    fputc(',', file);
    write_text(file, line->period);
    fputc(',', file);
    write_text(file, line->last_period);
    fprintf(file, ",%d", line->periods);
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(texts); i++) {
        fputc(',', file);
        write_text(file, texts[i]);
    }
    fputc(',', file);
    write_number(file, line->quantity);
    fputc(',', file);
    write_money(file, line->unit_price);
    fputc(',', file);
    write_text(file, line->unit_price ? line->unit_price->currency_code : "");
    fputc(',', file);
    write_number(file, line->hours);
    fputc(',', file);
    write_number(file, line->rate);
    fputc(',', file);
    write_money(file, line->cost);
    fputc(',', file);
    write_text(file, line->cost ? line->cost->currency_code : "");
    fputc(',', file);
    write_number(file, line->served);
    fputc(',', file);
    write_text(file, line->reason);
    fputc(',', file);
    write_text(file, line->price_note);
    fputc('\n', file);
}

static enum iso_status write_csv(const Isocost__V1__Plan *plan, struct export *export,
                                 struct iso_error *reterr)
{
    char *text = NULL;
    size_t n = 0;
    FILE *file = open_memstream(&text, &n);
    bool failed;

    if (!file)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for the file");
    fputs("kind,period,last_period,periods,workload,team,offering,product,quantity,unit_price,"
          "unit_price_currency,hours,rate,cost,cost_currency,served,reason,price_note\n",
          file);
    for (size_t i = 0; i < plan->n_lines; i++)
        write_line(file, plan->lines[i]);
    failed = ferror(file) != 0;
    if (fclose(file) != 0 || failed) {
        free(text);
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for the file");
    }
    export->bytes = (unsigned char *)text;
    export->n_bytes = n;
    return ISO_OK;
}

static enum iso_status write_json(const Isocost__V1__Plan *plan, struct export *export,
                                  struct iso_error *reterr)
{
    char *text;

    ISO_TRY(iso_json_write(&plan->base, ISO_JSON_INDENT, &text, reterr));
    export->bytes = (unsigned char *)text;
    export->n_bytes = strlen(text);
    return ISO_OK;
}

static enum iso_status export_stored(struct iso_api *api, struct iso_call *call,
                                     const Isocost__V1__ExportPlanRequest *request,
                                     struct export *export, struct iso_error *reterr)
{
    ISO_AUTO(iso_arena) arena = iso_arena_new(ISO_PLAN_ARENA_BYTES);
    struct iso_plan_record record;
    Isocost__V1__Plan *plan;

    if (!arena)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a plan");
    if (!request->model || request->model->ref_case != ISOCOST__V1__MODEL_REF__REF_PLAN_ID)
        return iso_fail(reterr, ISO_E_INVALID, "model.plan_id",
                        "is missing; JSON and CSV are of a stored plan");
    if (request->model->n_changes > 0)
        return iso_fail(reterr, ISO_E_INVALID, "model.changes",
                        "are for MPS and LP; a stored plan is as it is");
    ISO_TRY(iso_ulid_check(request->model->plan_id, "model.plan_id", reterr));
    ISO_TRY(iso_store_get_plan(api->config.store, iso_call_principal(call), request->model->plan_id,
                               /* with_lines= */ true, arena, &record, reterr));
    ISO_TRY(iso_plan_from_record(&record, arena, &plan, reterr));
    ISO_TRY(iso_plan_lines_from_record(&record, arena, &plan->n_lines, &plan->lines, reterr));
    if (request->format == ISOCOST__V1__EXPORT_FORMAT__EXPORT_FORMAT_CSV)
        ISO_TRY(write_csv(plan, export, reterr));
    else
        ISO_TRY(write_json(plan, export, reterr));
    iso_call_set_step(call, send_chunk);
    return ISO_OK;
}

enum iso_status iso_export_plan(struct iso_call *call, void *service, struct iso_error *reterr)
{
    const Isocost__V1__ExportPlanRequest *request =
        (const Isocost__V1__ExportPlanRequest *)iso_call_request(call);
    struct export *export = iso_calloc(1, sizeof(*export));

    if (!export)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for an export");
    iso_call_set_data(call, export, free_export);
    switch (request->format) {
    case ISOCOST__V1__EXPORT_FORMAT__EXPORT_FORMAT_MPS:
    case ISOCOST__V1__EXPORT_FORMAT__EXPORT_FORMAT_LP:
        return export_model(service, call, request, export, reterr);
    case ISOCOST__V1__EXPORT_FORMAT__EXPORT_FORMAT_JSON:
    case ISOCOST__V1__EXPORT_FORMAT__EXPORT_FORMAT_CSV:
        return export_stored(service, call, request, export, reterr);
    default:
        return iso_fail(reterr, ISO_E_INVALID, "format",
                        "is missing; it must be MPS, LP, JSON or CSV");
    }
}
