#include "change_complain.h"

#include <string.h>
#include <wchar.h>

#include "google/rpc/error_details.pb-c.h"
#include "isocost/proto/change.h"

/* Places that the first n characters of the text take on a terminal. */
static int width_of(const char *text, int n)
{
    mbstate_t state = {0};
    int width = 0;

    for (int i = 0; i < n && *text; i++) {
        wchar_t wide;
        size_t n_bytes = mbrtowc(&wide, text, strlen(text), &state);
        if (n_bytes == 0 || n_bytes > strlen(text))
            return width + n - i;
        int places = wcwidth(wide);
        width += places > 0 ? places : 0;
        text += n_bytes;
    }
    return width;
}

/* How long what stands at the column is, if it is a target or a value. */
static int length_at(const char *text, int column)
{
    struct iso_text_place target = iso_change_place(text, ISO_CHANGE_TARGET);
    struct iso_text_place value = iso_change_place(text, ISO_CHANGE_VALUE);

    if (target.column == column)
        return target.length;
    return value.column == column ? value.length : 1;
}

void iso_change_complain(struct iso_cli *cli, const char *label, const char *text,
                         const char *message)
{
    int column = 0;

    fprintf(cli->err, "isocost: %s%s%s\n", label, *label ? ": " : "", message);
    if (sscanf(message, "column %d: ", &column) != 1 || column < 1)
        return;
    fprintf(cli->err, "    %s\n    %*s^", text, width_of(text, column - 1), "");
    for (int i = 1; i < length_at(text, column); i++)
        fputc('~', cli->err);
    fputc('\n', cli->err);
}

static const char *text_of(Isocost__V1__Change *const *changes, size_t n, size_t i)
{
    return i < n ? changes[i]->text : NULL;
}

bool iso_change_complain_field(struct iso_cli *cli, const char *field, const char *message,
                               const Isocost__V1__ModelRef *model,
                               Isocost__V1__Change *const *changes, size_t n_changes,
                               Isocost__V1__Scenario *const *scenarios, size_t n_scenarios)
{
    const char *text = NULL, *label = "";
    size_t i, k;

    if (sscanf(field, "scenarios[%zu].changes[%zu]", &k, &i) == 2 && k < n_scenarios) {
        label = scenarios[k]->name;
        text = text_of(scenarios[k]->changes, scenarios[k]->n_changes, i);
    } else if (model && sscanf(field, "model.changes[%zu]", &i) == 1) {
        text = text_of(model->changes, model->n_changes, i);
    } else if (sscanf(field, "changes[%zu]", &i) == 1) {
        text = text_of(changes, n_changes, i);
    }
    if (!text)
        return false;
    iso_change_complain(cli, label, text, message);
    return true;
}

static const Google__Rpc__BadRequest *wrong_fields(struct iso_cli *cli,
                                                   const Google__Rpc__Status *error)
{
    static const char url[] = "type.googleapis.com/google.rpc.BadRequest";

    for (size_t i = 0; i < error->n_details; i++)
        if (strcmp(error->details[i]->type_url, url) == 0)
            return google__rpc__bad_request__unpack(iso_arena_allocator(cli->arena),
                                                    error->details[i]->value.len,
                                                    error->details[i]->value.data);
    return NULL;
}

void iso_change_complain_result(struct iso_cli *cli, const Isocost__V1__ScenarioResult *result,
                                Isocost__V1__Scenario *const *scenarios, size_t n_scenarios)
{
    const Google__Rpc__BadRequest *wrong = wrong_fields(cli, result->error);
    bool told = false;

    for (size_t i = 0; wrong && i < wrong->n_field_violations; i++) {
        const Google__Rpc__BadRequest__FieldViolation *item = wrong->field_violations[i];
        if (!iso_change_complain_field(cli, item->field, item->description, NULL, NULL, 0,
                                       scenarios, n_scenarios))
            fprintf(cli->err, "isocost: %s: %s: %s\n", result->name, item->field,
                    item->description);
        told = true;
    }
    if (!told)
        fprintf(cli->err, "isocost: %s: %s\n", result->name, result->error->message);
}

Isocost__V1__Change **iso_changes_from_texts(struct iso_cli *cli, const char *label,
                                             char *const *texts, size_t n)
{
    Isocost__V1__Change **changes = iso_arena_calloc(cli->arena, n + 1, sizeof(*changes));
    bool wrong = false;

    for (size_t i = 0; changes && i < n; i++) {
        struct iso_error error = {0};
        Isocost__V1__Change *read;
        changes[i] = iso_arena_calloc(cli->arena, 1, sizeof(*changes[i]));
        if (!changes[i])
            return NULL;
        isocost__v1__change__init(changes[i]);
        changes[i]->text = texts[i];
        if (iso_change_read(texts[i], cli->arena, &read, NULL, &error) != ISO_OK) {
            iso_change_complain(cli, label, texts[i], error.text);
            wrong = true;
        }
    }
    return wrong ? NULL : changes;
}
