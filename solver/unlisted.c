#include "unlisted.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BUNDLED_PAIRS 8 /* products that more options may use have rows: there are few of them */

static enum iso_status no_memory(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to price columns");
}

/* --- classes --- */

/* Entries of a unit served by an option in period 0, as a scratch column at the end of the mip;
 * false when memory is short. */
static bool open_service(struct iso_formulation *f, int32_t a, int32_t option, int32_t period)
{
    return iso_mip_add_column(&f->mip, &(struct iso_mip_column){.kind = ISO_COLUMN_PLACE}) >= 0 &&
           iso_formulation_service_entries(f, a, option, period, 1);
}

static void close_service(struct iso_formulation *f)
{
    f->mip.n_entries = f->mip.columns[--f->mip.n_columns].first_entry;
}

/* FNV-1a over the entries of the last column. */
static uint64_t hash_service(const struct iso_mip *mip)
{
    const struct iso_mip_column *column = &mip->columns[mip->n_columns - 1];
    uint64_t hash = 14695981039346656037u;

    for (int32_t k = column->first_entry; k < column->first_entry + column->n_entries; k++) {
        uint64_t words[2] = {(uint64_t)mip->entries[k].row, 0};
        memcpy(&words[1], &mip->entries[k].coefficient, sizeof(words[1]));
        for (int w = 0; w < 2; w++)
            hash = (hash ^ words[w]) * 1099511628211u;
    }
    return hash;
}

struct keyed {
    uint64_t hash;
    int32_t option;
};

static int by_hash(const void *left, const void *right)
{
    const struct keyed *a = left, *b = right;

    if (a->hash != b->hash)
        return a->hash < b->hash ? -1 : 1;
    return (a->option > b->option) - (a->option < b->option);
}

/* The classes of one workload, from *io_n on. */
static bool find_classes(struct iso_unlisted *u, int32_t a, struct keyed *keyed, int32_t *io_n)
{
    const struct iso_workload *workload = &u->f->problem->workloads[a];
    int32_t n = 0;

    for (int32_t i = 0; i < workload->n_options; i++) {
        u->class_of[a][i] = -1;
        if (!u->f->reduction->options[a][i])
            continue;
        bool ok = open_service(u->f, a, i, 0);
        keyed[n++] = (struct keyed){ok ? hash_service(&u->f->mip) : 0, i};
        close_service(u->f);
        if (!ok)
            return false;
    }
    qsort(keyed, (size_t)n, sizeof(*keyed), by_hash);
    for (int32_t i = 0; i < n; i++) {
        if (i == 0 || keyed[i].hash != keyed[i - 1].hash)
            if (!iso_append(&u->representative, io_n, sizeof(int32_t), &keyed[i].option))
                return false;
        u->class_of[a][keyed[i].option] = *io_n - 1;
    }
    return true;
}

static enum iso_status find_all_classes(struct iso_unlisted *u, struct iso_error *reterr)
{
    const struct iso_problem *problem = u->f->problem;
    ISO_AUTO_MEM struct keyed *keyed = iso_calloc((size_t)problem->n_offerings, sizeof(*keyed));
    int32_t n = 0;

    u->class_of = iso_calloc((size_t)problem->n_workloads, sizeof(*u->class_of));
    u->first_class = iso_calloc((size_t)problem->n_workloads + 1, sizeof(*u->first_class));
    if (!keyed || !u->class_of || !u->first_class)
        return no_memory(reterr);
    for (int32_t a = 0; a < problem->n_workloads; a++) {
        int32_t n_options = problem->workloads[a].n_options;
        u->first_class[a] = n;
        u->class_of[a] = iso_calloc((size_t)n_options, sizeof(**u->class_of));
        if (!u->class_of[a] || !find_classes(u, a, keyed, &n))
            return no_memory(reterr);
    }
    u->first_class[problem->n_workloads] = n;
    return ISO_OK;
}

/* --- pairs --- */

/* Counts pairs, or places them; gives how many there are. */
static int32_t add_pairs(struct iso_unlisted *u, bool count)
{
    const struct iso_problem *problem = u->f->problem;
    const struct iso_reach *reach = &u->f->reduction->reach;

    for (int32_t a = 0; a < problem->n_workloads; a++)
        for (int32_t i = 0; i < problem->workloads[a].n_options; i++) {
            int32_t k = reach->first_option[a] + i;
            for (int32_t at = reach->first[k]; at < reach->first[k + 1] && u->class_of[a][i] >= 0;
                 at++) {
                struct iso_mention mention = reach->items[at];
                if (count)
                    u->first_pair[mention.set + 2]++;
                else
                    u->pairs[u->first_pair[mention.set + 1]++] = (struct iso_pair){
                        a, i,
                        iso_value(problem->products[mention.set].eligible[mention.place].use)};
            }
        }
    for (int32_t c = 0; c < problem->n_products && count; c++)
        u->first_pair[c + 2] += u->first_pair[c + 1];
    return u->first_pair[problem->n_products + count];
}

static enum iso_status find_pairs(struct iso_unlisted *u, struct iso_error *reterr)
{
    const struct iso_tier money = {.kind = ISO_TIER_MONEY};
    const struct iso_problem *problem = u->f->problem;
    size_t n_products = (size_t)problem->n_products;

    u->first_pair = iso_calloc(n_products + 2, sizeof(*u->first_pair));
    u->first_start = iso_calloc(n_products + 1, sizeof(*u->first_start));
    u->bundled = iso_calloc(n_products, 1);
    u->cover_column = iso_calloc(n_products, sizeof(*u->cover_column));
    u->buy_column = iso_calloc(n_products, sizeof(*u->buy_column));
    if (!u->first_pair || !u->first_start || !u->bundled || !u->cover_column || !u->buy_column)
        return no_memory(reterr);
    memset(u->buy_column, 0xff, n_products * sizeof(*u->buy_column));
    u->pairs = iso_calloc((size_t)add_pairs(u, true), sizeof(*u->pairs));
    for (int32_t c = 0; c < problem->n_products; c++)
        u->first_start[c + 1] = u->first_start[c] + problem->products[c].n_starts;
    u->purchase = iso_calloc((size_t)u->first_start[n_products], sizeof(*u->purchase));
    if (!u->pairs || !u->purchase)
        return no_memory(reterr);
    add_pairs(u, false);
    for (int32_t c = 0; c < problem->n_products; c++) {
        u->bundled[c] =
            u->f->commit_row[c] < 0 && u->first_pair[c + 1] - u->first_pair[c] <= BUNDLED_PAIRS;
        for (int32_t s = 0; s < problem->products[c].n_starts; s++)
            u->purchase[u->first_start[c] + s] = iso_formulation_coefficient(
                u->f, &(struct iso_mip_column){.kind = ISO_COLUMN_BUY, .a = c, .b = s}, &money);
    }
    return ISO_OK;
}

static bool see_cover(struct iso_unlisted *u, int32_t j)
{
    const struct iso_mip_column *column = &u->f->mip.columns[j];
    int32_t c = column->a, n_periods = u->f->problem->n_periods;
    int32_t n = (u->first_pair[c + 1] - u->first_pair[c]) * n_periods;

    if (!u->bundled[c])
        return true;
    if (!u->cover_column[c]) {
        u->cover_column[c] = iso_calloc((size_t)n, sizeof(**u->cover_column));
        if (!u->cover_column[c])
            return false;
        memset(u->cover_column[c], 0xff, (size_t)n * sizeof(**u->cover_column));
    }
    for (int32_t p = u->first_pair[c]; p < u->first_pair[c + 1]; p++) {
        int32_t a = u->pairs[p].workload;
        const struct iso_option *option = &u->f->problem->workloads[a].options[u->pairs[p].option];
        if (a == column->b && option->offering == column->c)
            u->cover_column[c][(p - u->first_pair[c]) * n_periods + column->d] = j;
    }
    return true;
}

enum iso_status iso_unlisted_see(struct iso_unlisted *u, struct iso_error *reterr)
{
    const struct iso_mip *mip = &u->f->mip;

    for (; u->n_seen < mip->n_columns; u->n_seen++) {
        const struct iso_mip_column *column = &mip->columns[u->n_seen];
        if (column->kind == ISO_COLUMN_BUY && column->b == 0)
            u->buy_column[column->a] = u->n_seen;
        if (column->kind == ISO_COLUMN_COVER && !see_cover(u, u->n_seen))
            return no_memory(reterr);
    }
    return ISO_OK;
}

/* --- life --- */

static enum iso_status init(struct iso_unlisted *u, struct iso_formulation *f,
                            struct iso_error *reterr)
{
    const struct iso_problem *problem = f->problem;
    size_t n_periods = (size_t)problem->n_periods, n = (size_t)problem->n_offerings * n_periods;

    u->f = f;
    ISO_TRY(find_all_classes(u, reterr));
    ISO_TRY(find_pairs(u, reterr));
    u->price = iso_calloc(n, sizeof(*u->price));
    u->caps = iso_calloc(n, sizeof(*u->caps));
    u->spend = iso_calloc((size_t)problem->n_budgets, sizeof(*u->spend));
    u->worth =
        iso_calloc((size_t)u->first_class[problem->n_workloads] * n_periods, sizeof(*u->worth));
    u->row = iso_calloc(n_periods, sizeof(*u->row));
    u->other = iso_calloc(n_periods, sizeof(*u->other));
    u->need = iso_calloc(n_periods, sizeof(*u->need));
    u->served = iso_calloc((size_t)u->f->reduction->reach.first_option[problem->n_workloads],
                           sizeof(*u->served));
    if (!u->price || !u->caps || !u->spend || !u->worth || !u->row || !u->other || !u->need ||
        !u->served)
        return no_memory(reterr);
    for (int32_t o = 0; o < problem->n_offerings; o++)
        iso_instance_money_row(problem, o, &u->price[(size_t)o * n_periods]);
    for (int32_t a = 0; a < problem->n_workloads; a++)
        for (int32_t i = 0; i < problem->workloads[a].n_options; i++)
            u->served[u->f->reduction->reach.first_option[a] + i] =
                iso_value(problem->workloads[a].options[i].served);
    return iso_unlisted_see(u, reterr);
}

enum iso_status iso_unlisted_new(struct iso_formulation *formulation,
                                 struct iso_unlisted **ret_unlisted, struct iso_error *reterr)
{
    struct iso_unlisted *unlisted = iso_calloc(1, sizeof(*unlisted));

    if (!unlisted)
        return no_memory(reterr);
    enum iso_status status = init(unlisted, formulation, reterr);
    if (status == ISO_OK)
        *ret_unlisted = unlisted;
    else
        iso_unlisted_free(unlisted);
    return status;
}

void iso_unlisted_free(struct iso_unlisted *u)
{
    if (!u)
        return;
    for (int32_t a = 0; u->class_of && a < u->f->problem->n_workloads; a++)
        free(u->class_of[a]);
    for (int32_t b = 0; u->spend && b < u->f->problem->n_budgets; b++)
        free(u->spend[b]);
    for (int32_t c = 0; u->cover_column && c < u->f->problem->n_products; c++)
        free(u->cover_column[c]);
    void *const arrays[] = {
        u->cover_column, u->buy_column, u->class_of, u->first_class, u->representative,
        u->first_pair,   u->pairs,      u->bundled,  u->first_start, u->purchase,
        u->price,        u->served,     u->caps,     u->floors,      u->spend,
        u->worth,        u->row,        u->other,    u->need};
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(arrays); i++)
        free(arrays[i]);
    free(u);
}

/* --- multipliers --- */

static bool open_limits(struct iso_unlisted *u)
{
    const struct iso_problem *problem = u->f->problem;
    size_t n = (size_t)problem->n_offerings * (size_t)problem->n_periods;

    memset(u->caps, 0, n * sizeof(*u->caps));
    free(u->floors);
    u->floors = NULL;
    for (int32_t l = 0; l < problem->n_limits; l++)
        for (int32_t t = 0; t < problem->n_periods; t++) {
            const struct iso_limit *limit = &problem->limits[l];
            int32_t row = u->f->limit_row[l * problem->n_periods + t];
            double dual = row < 0 ? 0 : u->duals[row];
            if (dual == 0)
                continue;
            if (limit->minimum && !u->floors && !(u->floors = iso_calloc(n, sizeof(*u->floors))))
                return false;
            for (int32_t i = 0; i < limit->n_terms; i++) {
                int32_t at = limit->terms[i].offering * problem->n_periods + t;
                double part = dual * iso_value(limit->terms[i].weight);
                if (limit->minimum)
                    u->floors[at] += part;
                else
                    u->caps[at] -= part;
            }
        }
    return true;
}

static bool open_budget(struct iso_unlisted *u, int32_t b)
{
    const struct iso_problem *problem = u->f->problem;
    const struct iso_budget *budget = &problem->budgets[b];
    size_t n = (size_t)problem->n_offerings * (size_t)problem->n_periods;

    free(u->spend[b]);
    u->spend[b] = NULL;
    for (int32_t w = 0; w < budget->n_windows; w++) {
        double dual = u->duals[u->f->budget_row[b] + w];
        if (dual == 0)
            continue;
        if (!u->spend[b] && !(u->spend[b] = iso_calloc(n, sizeof(**u->spend))))
            return false;
        for (int32_t o = 0; o < problem->n_offerings; o++)
            for (int32_t t = 0; t < problem->n_periods && budget->offerings[o]; t++)
                if (budget->windows[w].periods[t])
                    u->spend[b][o * problem->n_periods + t] -=
                        dual * iso_budget_price(problem, &budget->windows[w], o, t);
    }
    return true;
}

/* What a unit that a class serves is worth in a period; false when memory is short. */
static bool find_worth(struct iso_unlisted *u, const double *duals, int32_t a, int32_t class,
                       int32_t period, double *ret_worth)
{
    const struct iso_mip *mip = &u->f->mip;
    bool ok = open_service(u->f, a, u->representative[class], period);

    *ret_worth = 0;
    for (int32_t e = mip->columns[mip->n_columns - 1].first_entry; e < mip->n_entries; e++)
        *ret_worth += duals[mip->entries[e].row] * mip->entries[e].coefficient;
    close_service(u->f);
    return ok;
}

bool iso_unlisted_worth(struct iso_unlisted *u, const double *duals, int32_t period,
                        double *ret_worth)
{
    bool ok = true;

    for (int32_t a = 0; a < u->f->problem->n_workloads; a++)
        for (int32_t k = u->first_class[a]; k < u->first_class[a + 1] && ok; k++)
            ok = find_worth(u, duals, a, k, period, &ret_worth[k]);
    return ok;
}

static bool open_worth(struct iso_unlisted *u)
{
    const struct iso_problem *problem = u->f->problem;
    bool ok = true;

    for (int32_t a = 0; a < problem->n_workloads; a++)
        for (int32_t k = u->first_class[a]; k < u->first_class[a + 1]; k++)
            for (int32_t t = 0; t < problem->n_periods && ok; t++)
                ok = find_worth(u, u->duals, a, k, t, &u->worth[k * problem->n_periods + t]);
    return ok;
}

enum iso_status iso_unlisted_open(struct iso_unlisted *u, const double *duals, double money,
                                  struct iso_error *reterr)
{
    bool ok = true;

    u->duals = duals;
    u->money = money;
    ok = open_limits(u) && open_worth(u);
    for (int32_t b = 0; b < u->f->problem->n_budgets; b++)
        ok = ok && open_budget(u, b);
    return ok ? ISO_OK : no_memory(reterr);
}

/* Adds what budgets count of an instance of an option; of one that a product covers, unless it is
 * -1. */
static void add_spend(const struct iso_unlisted *u, int32_t a, int32_t offering, int32_t product,
                      double *row)
{
    const struct iso_problem *problem = u->f->problem;

    for (int32_t b = 0; b < problem->n_budgets; b++) {
        const struct iso_budget *budget = &problem->budgets[b];
        if (!u->spend[b] || !budget->cells[a] || !budget->offerings[offering] ||
            (product >= 0 && budget->basis != ISO_BASIS_LIST && budget->products[product]))
            continue;
        for (int32_t t = 0; t < problem->n_periods; t++)
            row[t] += u->spend[b][offering * problem->n_periods + t];
    }
}

void iso_unlisted_paid(const struct iso_unlisted *u, int32_t a, int32_t option, double *ret_paid)
{
    int32_t n_periods = u->f->problem->n_periods;
    int32_t offering = u->f->problem->workloads[a].options[option].offering;
    const double *price = &u->price[offering * n_periods], *caps = &u->caps[offering * n_periods];

    for (int32_t t = 0; t < n_periods; t++)
        ret_paid[t] = u->money * price[t] + caps[t];
    add_spend(u, a, offering, -1, ret_paid);
}

void iso_unlisted_covered(const struct iso_unlisted *u, int32_t a, int32_t option, int32_t product,
                          double *ret_covered)
{
    int32_t n_periods = u->f->problem->n_periods;
    int32_t offering = u->f->problem->workloads[a].options[option].offering;

    memcpy(ret_covered, &u->caps[offering * n_periods], (size_t)n_periods * sizeof(*ret_covered));
    add_spend(u, a, offering, product, ret_covered);
}

void iso_unlisted_gain(const struct iso_unlisted *u, int32_t a, int32_t option, double *ret_gain)
{
    int32_t n_periods = u->f->problem->n_periods;
    int32_t offering = u->f->problem->workloads[a].options[option].offering;
    double served = u->served[u->f->reduction->reach.first_option[a] + option];
    const double *worth = &u->worth[u->class_of[a][option] * n_periods];

    for (int32_t t = 0; t < n_periods; t++)
        ret_gain[t] = served * worth[t];
    for (int32_t t = 0; t < n_periods && u->floors; t++)
        ret_gain[t] += u->floors[offering * n_periods + t];
}

/* Whether something of a product may be there in a period. */
static bool supplies(const struct iso_product *product, int32_t period)
{
    return product->most != 0 || product->existing[period] > 0;
}

void iso_unlisted_need(const struct iso_unlisted *u, int32_t c, bool listed, double *ret_need,
                       int32_t *ret_pair)
{
    const struct iso_problem *problem = u->f->problem;
    int32_t n_periods = problem->n_periods;

    for (int32_t t = 0; t < n_periods; t++) {
        ret_need[t] = 0;
        if (ret_pair)
            ret_pair[t] = -1;
    }
    for (int32_t p = u->first_pair[c]; p < u->first_pair[c + 1]; p++) {
        const struct iso_pair *pair = &u->pairs[p];
        const int32_t *column =
            listed ? &u->f->use_column[pair->workload][pair->option * n_periods] : NULL;
        iso_unlisted_gain(u, pair->workload, pair->option, u->row);
        iso_unlisted_covered(u, pair->workload, pair->option, c, u->other);
        for (int32_t t = 0; t < n_periods; t++) {
            double need = (u->row[t] - u->other[t]) / pair->use;
            if (need <= ret_need[t] || (listed && column[t] < 0) ||
                !supplies(&problem->products[c], t))
                continue;
            ret_need[t] = need;
            if (ret_pair)
                ret_pair[t] = p;
        }
    }
}

double iso_unlisted_purchase(const struct iso_unlisted *u, int32_t c, int32_t s)
{
    const struct iso_problem *problem = u->f->problem;
    double cost = u->money * u->purchase[u->first_start[c] + s];

    for (int32_t b = 0; b < problem->n_budgets; b++)
        for (int32_t w = 0; w < problem->budgets[b].n_windows && u->spend[b]; w++) {
            double dual = u->duals[u->f->budget_row[b] + w];
            if (dual != 0)
                cost -= dual * iso_budget_purchase(problem, &problem->budgets[b],
                                                   &problem->budgets[b].windows[w], c, s);
        }
    return cost;
}
