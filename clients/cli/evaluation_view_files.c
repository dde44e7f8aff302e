/* Answers to scenarios as CSV and JSON. */
#include <string.h>

#include "csv_cell.h"
#include "evaluation_view.h"
#include "isocost/proto/json.h"

void iso_evaluation_view_csv(const struct iso_evaluation_results *results, FILE *stream)
{
    struct iso_arena *arena = results->cli->arena;
    const struct iso_view view = {.stream = stream, .arena = arena};

    fputs(
        "scenario,place,value,second_value,ended,cost,objective,currency,gap,served_share,same_as,"
        "problem_digest,error\n",
        stream);
    for (size_t i = 0; i < results->n; i++) {
        const Isocost__V1__ScenarioResult *r = results->items[i];
        const Isocost__V1__Plan *plan = iso_evaluation_has_cost(r) ? r->plan : NULL;
        iso_csv_text(r->name, ',', stream);
        fprintf(stream, "%d,", r->place);
        for (size_t k = 0; k < 2; k++) {
            if (k < r->n_values)
                iso_csv_number(r->values[k], ',', stream);
            else
                fputc(',', stream);
        }
        iso_csv_text(iso_evaluation_ended(&view, r), ',', stream);
        iso_csv_money(plan ? plan->cost : NULL, ',', stream);
        iso_csv_money(plan ? plan->objective : NULL, ',', stream);
        iso_csv_text(plan ? plan->cost->currency_code : "", ',', stream);
        if (plan && plan->n_tiers > 0)
            iso_csv_number(plan->tiers[plan->n_tiers - 1]->gap, ',', stream);
        else
            fputc(',', stream);
        if (r->opt_served_share_case)
            iso_csv_number(r->served_share, ',', stream);
        else
            fputc(',', stream);
        iso_csv_text(r->same_as, ',', stream);
        iso_csv_text(r->plan && r->plan->digests ? r->plan->digests->problem : "", ',', stream);
        iso_csv_text(r->error ? r->error->message : "", '\n', stream);
    }
}

enum iso_status iso_evaluation_view_json(const struct iso_evaluation_results *results, FILE *stream,
                                         struct iso_error *reterr)
{
    fputs("[", stream);
    for (size_t i = 0; i < results->n; i++) {
        ISO_AUTO_MEM char *text = NULL;
        ISO_TRY(iso_json_write(&results->items[i]->base, ISO_JSON_INDENT, &text, reterr));
        size_t n = strlen(text);
        while (n > 0 && text[n - 1] == '\n')
            n--;
        fprintf(stream, "%s\n%.*s", i ? "," : "", (int)n, text);
    }
    fputs("\n]\n", stream);
    return ISO_OK;
}
