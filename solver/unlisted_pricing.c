/* What is brought in of columns that are not listed, round by round. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cheapest.h"
#include "unlisted.h"

#define NEGATIVE 1e-9        /* of an instance's reduced cost, relative to its price */
#define WORTHWHILE 1e-6      /* by how much a bundle must be worth more than it costs, relative */
#define OFFERS_A_CLASS 2     /* products a round, for each class of options */
#define PRODUCTS_A_LOOK 4096 /* at the stop */

struct offer {
    int32_t product, start, class;
    double ratio;   /* what it is worth over what it costs */
    int32_t column; /* of the purchase; -1: not listed yet */
};

struct pricing {
    struct iso_search *search;
    struct iso_unlisted *u;
    struct iso_lp *lp;
    bool grow;
    struct iso_cheapest *choices; /* [block]: options */
    uint8_t *awake;               /* [product]: comes in by itself, and has rows in the program */
    int32_t n_awake;
    int32_t n_offers, n_columns;
    struct offer *offers;
    int32_t *columns; /* to be switched on */
    int32_t *pair;    /* n_periods: scratch */
};

static void pricing_fini(struct pricing *pricing)
{
    void *const arrays[] = {pricing->choices, pricing->awake, pricing->offers, pricing->columns,
                            pricing->pair};

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(arrays); i++)
        free(arrays[i]);
}

static enum iso_status no_memory(struct iso_error *reterr)
{
    return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to price columns");
}

static bool is_held(const struct iso_problem *problem, int32_t c)
{
    for (int32_t t = 0; t < problem->n_periods; t++)
        if (problem->products[c].existing[t] > 0)
            return true;
    return false;
}

static enum iso_status pricing_init(struct pricing *pricing, struct iso_error *reterr)
{
    const struct iso_problem *problem = pricing->search->problem;
    size_t n_blocks = (size_t)problem->n_workloads * (size_t)problem->n_periods;

    pricing->choices = iso_calloc(n_blocks, sizeof(*pricing->choices));
    pricing->awake = iso_calloc((size_t)problem->n_products, 1);
    pricing->pair = iso_calloc((size_t)problem->n_periods, sizeof(*pricing->pair));
    if (!pricing->choices || !pricing->awake || !pricing->pair)
        return no_memory(reterr);
    for (int32_t c = 0; c < problem->n_products; c++) {
        int32_t buy = pricing->u->buy_column[c];
        if (pricing->u->bundled[c] || pricing->u->f->commit_row[c] < 0)
            continue;
        pricing->awake[c] =
            is_held(problem, c) || (buy >= 0 && iso_lp_has_column(pricing->lp, buy));
        pricing->n_awake += pricing->awake[c];
    }
    return ISO_OK;
}

/* Lowers what an option costs to what it costs covered by a product that is awake. */
static void price_covered(const struct pricing *pricing, int32_t a, int32_t option, double *row)
{
    const struct iso_unlisted *u = pricing->u;
    const struct iso_problem *problem = u->f->problem;
    const struct iso_reach *reach = &u->f->reduction->reach;
    int32_t k = reach->first_option[a] + option;

    for (int32_t at = reach->first[k]; at < reach->first[k + 1]; at++) {
        int32_t c = reach->items[at].set;
        const struct iso_product *product = &problem->products[c];
        double use = iso_value(product->eligible[reach->items[at].place].use);
        if (!pricing->awake[c])
            continue;
        iso_unlisted_covered(u, a, option, c, u->other);
        for (int32_t t = 0; t < problem->n_periods; t++)
            if (product->most != 0 || product->existing[t] > 0)
                row[t] = fmin(row[t],
                              u->other[t] - u->duals[iso_formulation_commit_row(u->f, c, t)] * use);
    }
}

/* Shows the columns of an option that are not listed to their blocks. */
static void price_option(const struct pricing *pricing, int32_t a, int32_t option)
{
    const struct iso_unlisted *u = pricing->u;
    int32_t n_periods = u->f->problem->n_periods;
    const int32_t *column = &u->f->use_column[a][option * n_periods];
    const struct iso_workload *workload = &u->f->problem->workloads[a];

    iso_unlisted_paid(u, a, option, u->row);
    if (pricing->n_awake > 0)
        price_covered(pricing, a, option, u->row);
    iso_unlisted_gain(u, a, option, u->other);
    for (int32_t t = 0; t < n_periods; t++) {
        double reduced_cost = u->row[t] - u->other[t];
        if (reduced_cost < -NEGATIVE * (1 + fabs(u->row[t])) && column[t] < 0 &&
            iso_formulation_useful(u->f, workload, t))
            iso_cheapest_show(&pricing->choices[a * n_periods + t], option, reduced_cost);
    }
}

/* What one more unit of a start has to be worth; INFINITY when it may not come in. */
static double asked_price(const struct pricing *pricing, int32_t c, int32_t s)
{
    const struct iso_unlisted *u = pricing->u;
    int32_t column = u->buy_column[c] < 0 ? -1 : u->buy_column[c] + s;
    bool inside = column >= 0 && iso_lp_has_column(pricing->lp, column);

    if (pricing->search->purchases_fixed &&
        (!inside || iso_lp_value(pricing->lp, column) < 0.5 || !u->bundled[c]))
        return INFINITY;
    double price = inside ? iso_lp_purchase_price(pricing->lp, column) : INFINITY;
    return isinf(price) ? iso_unlisted_purchase(u, c, s) : fmax(0, price);
}

/* Finds what a product is worth, sets its multipliers, and notes the starts that are worth more
 * than is asked for them. */
static enum iso_status price_product(struct pricing *pricing, int32_t c, double *duals,
                                     struct iso_error *reterr)
{
    const struct iso_unlisted *u = pricing->u;
    const struct iso_product *product = &u->f->problem->products[c];
    int32_t first = u->first_pair[c];

    if (pricing->awake[c] || first == u->first_pair[c + 1])
        return ISO_OK;
    iso_unlisted_need(u, c, !pricing->grow, u->need, NULL);
    for (int32_t t = 0; t < u->f->problem->n_periods && u->f->commit_row[c] >= 0; t++)
        duals[u->f->commit_row[c] + t] = -u->need[t];
    for (int32_t s = 0; s < product->n_starts && product->most != 0; s++) {
        double worth = 0;
        for (int32_t t = 0; t < u->f->problem->n_periods; t++)
            worth += product->starts[s].window[t] ? u->need[t] : 0;
        worth *= iso_value(product->lot);
        if (worth <= 0)
            continue;
        double price = asked_price(pricing, c, s);
        if (worth <= price + WORTHWHILE * u->purchase[u->first_start[c] + s])
            continue;
        struct offer offer = {c, s, u->class_of[u->pairs[first].workload][u->pairs[first].option],
                              worth / fmax(price, 1e-9 * worth), u->buy_column[c]};
        if (!iso_append(&pricing->offers, &pricing->n_offers, sizeof(offer), &offer))
            return no_memory(reterr);
    }
    return ISO_OK;
}

static int best_of_class_first(const void *left, const void *right)
{
    const struct offer *a = left, *b = right;

    if (a->class != b->class)
        return a->class < b->class ? -1 : 1;
    if (a->ratio != b->ratio)
        return a->ratio > b->ratio ? -1 : 1;
    if (a->product != b->product)
        return a->product < b->product ? -1 : 1;
    return (a->start > b->start) - (a->start < b->start);
}

/* Keeps the best offers of each class. */
static void choose_offers(struct pricing *pricing)
{
    int32_t n = 0, of_class = 0;

    if (pricing->n_offers > 0)
        qsort(pricing->offers, (size_t)pricing->n_offers, sizeof(*pricing->offers),
              best_of_class_first);
    for (int32_t i = 0; i < pricing->n_offers; i++) {
        of_class =
            i > 0 && pricing->offers[i].class == pricing->offers[i - 1].class ? of_class + 1 : 0;
        if (of_class < OFFERS_A_CLASS)
            pricing->offers[n++] = pricing->offers[i];
    }
    pricing->n_offers = n;
}

static bool list_choices(struct pricing *pricing)
{
    const struct iso_problem *problem = pricing->search->problem;

    for (int32_t a = 0; a < problem->n_workloads; a++)
        for (int32_t t = 0; t < problem->n_periods; t++) {
            const struct iso_cheapest *choice = &pricing->choices[a * problem->n_periods + t];
            for (int32_t i = 0; i < choice->n; i++) {
                int32_t j = iso_formulation_list_use(pricing->u->f, a, choice->column[i], t);
                if (j < 0 || !iso_append(&pricing->columns, &pricing->n_columns, sizeof(j), &j))
                    return false;
            }
        }
    return true;
}

/* Lists what the offers are made of. */
static bool list_offers(struct pricing *pricing)
{
    const struct iso_unlisted *u = pricing->u;
    bool ok = true;

    for (int32_t i = 0; i < pricing->n_offers && ok; i++) {
        int32_t c = pricing->offers[i].product;
        ok = iso_formulation_list_product(u->f, c);
        iso_unlisted_need(u, c, !pricing->grow, u->need, pricing->pair);
        for (int32_t t = 0; t < u->f->problem->n_periods && ok && pricing->grow; t++) {
            const struct iso_pair *pair = &u->pairs[pricing->pair[t] < 0 ? 0 : pricing->pair[t]];
            if (pricing->pair[t] >= 0)
                ok = iso_formulation_list_use(u->f, pair->workload, pair->option, t) >= 0;
        }
    }
    return ok;
}

/* Multipliers of rows that came in: those of what is listed newly. */
static enum iso_status move_duals(struct pricing *pricing, int32_t n_before, double **io_duals,
                                  struct iso_error *reterr)
{
    const struct iso_unlisted *u = pricing->u;

    ISO_TRY(iso_search_grow_duals(pricing->search, n_before, io_duals, reterr));
    pricing->u->duals = *io_duals;
    for (int32_t i = 0; i < pricing->n_offers; i++) {
        int32_t c = pricing->offers[i].product;
        iso_unlisted_need(u, c, !pricing->grow, u->need, NULL);
        for (int32_t t = 0; t < u->f->problem->n_periods; t++)
            (*io_duals)[iso_formulation_commit_row(u->f, c, t)] = -u->need[t];
    }
    return ISO_OK;
}

static enum iso_status add_bundle(const struct pricing *pricing, const struct offer *offer,
                                  struct iso_lp_part *parts, struct iso_error *reterr)
{
    const struct iso_unlisted *u = pricing->u;
    const struct iso_product *product = &u->f->problem->products[offer->product];
    int32_t n_periods = u->f->problem->n_periods, n = 0;

    iso_unlisted_need(u, offer->product, !pricing->grow, u->need, pricing->pair);
    for (int32_t t = 0; t < n_periods; t++) {
        int32_t p = pricing->pair[t];
        if (p < 0 || !product->starts[offer->start].window[t])
            continue;
        parts[n++] = (struct iso_lp_part){
            u->cover_column[offer->product][(p - u->first_pair[offer->product]) * n_periods + t],
            iso_value(product->lot) / u->pairs[p].use};
    }
    return iso_lp_add_bundle(pricing->lp, u->buy_column[offer->product] + offer->start, parts, n,
                             reterr);
}

/* Hands the linear program what was chosen. */
static enum iso_status switch_on(struct pricing *pricing, int32_t *io_n_new,
                                 struct iso_error *reterr)
{
    const struct iso_unlisted *u = pricing->u;
    ISO_AUTO_MEM struct iso_lp_part *parts =
        iso_calloc((size_t)u->f->problem->n_periods, sizeof(*parts));

    if (!parts)
        return no_memory(reterr);
    for (int32_t i = 0; i < pricing->n_columns; i++)
        ISO_TRY(iso_lp_add_column(pricing->lp, pricing->columns[i], reterr));
    for (int32_t i = 0; i < pricing->n_offers; i++)
        if (u->bundled[pricing->offers[i].product])
            ISO_TRY(add_bundle(pricing, &pricing->offers[i], parts, reterr));
        else
            ISO_TRY(iso_lp_add_column(
                pricing->lp, u->buy_column[pricing->offers[i].product] + pricing->offers[i].start,
                reterr));
    *io_n_new += pricing->n_columns + pricing->n_offers;
    return ISO_OK;
}

/* Prices everything that is not listed; *ret_whole is false when the search was stopped before. */
static enum iso_status price_all(struct pricing *pricing, double **io_duals, bool *ret_whole,
                                 struct iso_error *reterr)
{
    const struct iso_problem *problem = pricing->search->problem;

    *ret_whole = true;
    for (int32_t a = 0; a < problem->n_workloads && pricing->grow && *ret_whole; a++) {
        for (int32_t i = 0; i < problem->workloads[a].n_options; i++)
            if (pricing->u->class_of[a][i] >= 0)
                price_option(pricing, a, i);
        *ret_whole = !iso_search_stops(pricing->search);
    }
    for (int32_t c = 0; c < problem->n_products && *ret_whole; c++) {
        ISO_TRY(price_product(pricing, c, *io_duals, reterr));
        *ret_whole = c % PRODUCTS_A_LOOK != 0 || !iso_search_stops(pricing->search);
    }
    return ISO_OK;
}

enum iso_status iso_price_unlisted(struct iso_search *search, struct iso_lp *lp, double **io_duals,
                                   bool grow, int32_t *io_n_new, struct iso_error *reterr)
{
    struct pricing pricing __attribute__((cleanup(pricing_fini))) = {
        .search = search, .u = search->unlisted, .lp = lp, .grow = grow};
    const struct iso_mip *mip = &search->formulation->mip;
    int32_t n_columns = mip->n_columns, n_rows = mip->n_rows;
    bool whole;

    ISO_TRY(pricing_init(&pricing, reterr));
    ISO_TRY(iso_unlisted_open(search->unlisted, *io_duals, 1, reterr));
    ISO_TRY(price_all(&pricing, io_duals, &whole, reterr));
    if (!whole) { /* something may be left that prices in */
        ++*io_n_new;
        return ISO_OK;
    }
    choose_offers(&pricing);
    if (!list_choices(&pricing) || !list_offers(&pricing))
        return no_memory(reterr);
    if (mip->n_columns > n_columns) {
        ISO_TRY(move_duals(&pricing, n_rows, io_duals, reterr));
        ISO_TRY(iso_search_grow(search, n_columns, reterr));
        ISO_TRY(iso_lp_grow(lp, reterr));
        ISO_TRY(iso_unlisted_see(search->unlisted, reterr));
    }
    return switch_on(&pricing, io_n_new, reterr);
}
