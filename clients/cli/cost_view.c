#include "cost_view.h"

#include "csv_cell.h"
#include "table.h"

enum { N_DIMENSIONS = 6, N_AMOUNTS = 4, MAX_COLUMNS = N_DIMENSIONS + N_AMOUNTS };

static const struct iso_column dimension_columns[] = {
    {0},
    {"PROVIDER", false},
    {"ACCOUNT", false},
    {"SERVICE", false},
    {"REGION", false},
    {"CATEGORY", false},
    {"MONTH", false},
};

static const char *dimension_cell(const struct iso_view *view, const Isocost__V1__CostSum *sum,
                                  Isocost__V1__CostDimension dimension)
{
    switch (dimension) {
    case ISOCOST__V1__COST_DIMENSION__COST_DIMENSION_PROVIDER:
        return sum->provider;
    case ISOCOST__V1__COST_DIMENSION__COST_DIMENSION_ACCOUNT:
        return sum->account;
    case ISOCOST__V1__COST_DIMENSION__COST_DIMENSION_SERVICE:
        return sum->service;
    case ISOCOST__V1__COST_DIMENSION__COST_DIMENSION_REGION:
        return sum->region;
    case ISOCOST__V1__COST_DIMENSION__COST_DIMENSION_CATEGORY:
        return iso_view_enum(view, &isocost__v1__cost_category__descriptor, (int)sum->category);
    default:
        return sum->month;
    }
}

static const char *currency_of(const Isocost__V1__CostSum *sum)
{
    const Google__Type__Money *money = sum->billed      ? sum->billed
                                       : sum->effective ? sum->effective
                                                        : sum->list;

    return money ? money->currency_code : "";
}

static enum iso_exit_code print_table(struct iso_cli *cli,
                                      const Isocost__V1__QueryCostsRequest *request,
                                      const Isocost__V1__QueryCostsResponse *response)
{
    static const struct iso_column amounts[N_AMOUNTS] = {
        {"BILLED", true}, {"EFFECTIVE", true}, {"LIST", true}, {"RECORDS", true}};
    struct iso_column columns[MAX_COLUMNS];
    size_t n = 0;

    for (; n < request->n_group_by && n < N_DIMENSIONS; n++)
        columns[n] = dimension_columns[request->group_by[n]];
    for (size_t i = 0; i < N_AMOUNTS; i++)
        columns[n + i] = amounts[i];
    ISO_AUTO(iso_table) table = iso_table_new(columns, n + N_AMOUNTS);
    struct iso_view view = iso_cli_view(cli);
    for (size_t i = 0; table && i < response->n_sums; i++) {
        const Isocost__V1__CostSum *sum = response->sums[i];
        const char *cells[MAX_COLUMNS];
        for (size_t k = 0; k < n; k++)
            cells[k] = dimension_cell(&view, sum, request->group_by[k]);
        cells[n] = iso_view_money(&view, sum->billed);
        cells[n + 1] = iso_view_money(&view, sum->effective);
        cells[n + 2] = iso_view_money(&view, sum->list);
        cells[n + 3] = iso_arena_printf(cli->arena, "%lld", (long long)sum->record_count);
        iso_table_add(table, cells);
    }
    return table && iso_table_print(table, cli->out) ? ISO_EXIT_OK : ISO_EXIT_OTHER;
}

/* "-12.000000001": exact, also beyond what one amount holds; NULL: empty. */
static void csv_exact(const Google__Type__Money *money, FILE *stream)
{
    if (money) {
        bool negative = money->units < 0 || money->nanos < 0;
        uint64_t units = negative ? 0 - (uint64_t)money->units : (uint64_t)money->units;
        char places[16];
        int n = snprintf(places, sizeof(places), ".%09d",
                         money->nanos < 0 ? -money->nanos : money->nanos);
        while (places[n - 1] == '0')
            places[--n] = '\0';
        fprintf(stream, "%s%llu%s", negative ? "-" : "", (unsigned long long)units,
                n > 1 ? places : "");
    }
    fputc(',', stream);
}

static void print_csv(struct iso_cli *cli, const Isocost__V1__QueryCostsRequest *request,
                      const Isocost__V1__QueryCostsResponse *response)
{
    static const char *const names[] = {"",       "provider", "account", "service",
                                        "region", "category", "month"};
    struct iso_view view = iso_cli_view(cli);

    for (size_t k = 0; k < request->n_group_by; k++)
        iso_csv_text(names[request->group_by[k]], ',', cli->out);
    fputs("currency,billed,effective,list,records,effective_from_billed\n", cli->out);
    for (size_t i = 0; i < response->n_sums; i++) {
        const Isocost__V1__CostSum *sum = response->sums[i];
        for (size_t k = 0; k < request->n_group_by; k++)
            iso_csv_text(dimension_cell(&view, sum, request->group_by[k]), ',', cli->out);
        iso_csv_text(currency_of(sum), ',', cli->out);
        csv_exact(sum->billed, cli->out);
        csv_exact(sum->effective, cli->out);
        csv_exact(sum->list, cli->out);
        fprintf(cli->out, "%lld,%lld\n", (long long)sum->record_count,
                (long long)sum->effective_from_billed_count);
    }
}

/* What a reader of the sums should know of them. */
static void print_notes(struct iso_cli *cli, const Isocost__V1__QueryCostsResponse *response)
{
    long long n_taken = 0, n_unknown = 0;

    for (size_t i = 0; i < response->n_sums; i++) {
        n_taken += response->sums[i]->effective_from_billed_count;
        n_unknown += response->sums[i]->record_count - response->sums[i]->effective_count;
    }
    if (n_taken > 0)
        fprintf(cli->err,
                "%lld records have the billed cost for an effective one that is "
                "missing or faulty.\n",
                n_taken);
    if (n_unknown > 0)
        fprintf(cli->err, "%lld records have no effective cost; it is not in the sums.\n",
                n_unknown);
    if (*response->next_page_token)
        fputs("There are more; --limit shows them.\n", cli->err);
}

enum iso_exit_code iso_cost_view_print(struct iso_cli *cli,
                                       const Isocost__V1__QueryCostsRequest *request,
                                       const Isocost__V1__QueryCostsResponse *response)
{
    enum iso_exit_code code = ISO_EXIT_OK;

    if (cli->output == ISO_OUTPUT_CSV)
        print_csv(cli, request, response);
    else if (response->n_sums == 0)
        fputs("There are no costs.\n", cli->err);
    else
        code = print_table(cli, request, response);
    print_notes(cli, response);
    return code;
}
