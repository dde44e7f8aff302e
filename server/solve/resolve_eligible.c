/* What commitments cover: the on-demand offerings of their provider that their selectors want, and
 * the units, or committed money an hour, that one instance of each uses. */
#include <stdlib.h>
#include <string.h>

#include "number.h"
#include "resolve_internal.h"
#include "selector_index.h"

/* An offering that a product may cover. */
struct pair {
    int32_t product, offering;
};

struct pairs {
    struct pair *items; /* heap; by offering, then by product */
    size_t n, capacity;
};

/* Selectors in the scratch arena with an index over them; NULL when that is full. */
static const struct iso_selector_index *index_eligible(struct iso_resolve *r)
{
    size_t n = (size_t)r->n_products;
    const struct iso_selector **selectors = iso_arena_calloc(r->scratch, n, sizeof(*selectors));

    for (size_t c = 0; selectors && c < n; c++) {
        selectors[c] = iso_selector_compile(r->products[c]->eligible, r->scratch);
        if (!selectors[c])
            return NULL;
    }
    return selectors ? iso_selector_index_new(selectors, n, r->scratch) : NULL;
}

static const struct iso_selector_index *index_rates(const Isocost__V1__CommitmentProduct *message,
                                                    struct iso_arena *arena)
{
    size_t n = message->n_rates;
    const struct iso_selector **selectors = iso_arena_calloc(arena, n, sizeof(*selectors));

    for (size_t i = 0; selectors && i < n; i++) {
        selectors[i] = iso_selector_compile(message->rates[i]->offerings, arena);
        if (!selectors[i])
            return NULL;
    }
    return selectors ? iso_selector_index_new(selectors, n, arena) : NULL;
}

/* nu: units, or committed money an hour, that one instance uses; 0 when it would be nothing. */
static iso_decimal use_of(const struct iso_resolve *r, int32_t c,
                          const struct iso_selector_index *rates, const struct iso_product *product,
                          int32_t o)
{
    const Isocost__V1__CommitmentProduct *message = r->products[c];
    const struct iso_offering *offering = &r->problem->offerings[o];
    int32_t first = rates ? iso_selector_index_first(rates, &r->kept[o].view) : -1;
    const Isocost__V1__CommitmentRate *rate = first >= 0 ? message->rates[first] : NULL;
    iso_decimal use = 0;

    if (!product->spend)
        return rate ? iso_number(rate->units) : ISO_DECIMAL_ONE;
    iso_decimal factors[] = {
        offering->price,
        rate ? iso_number(rate->price_ratio) : ISO_DECIMAL_ONE,
        iso_problem_rate(r->problem, offering->currency, product->currency, 0),
    };
    return iso_decimal_product(factors, 3, &use) ? use : 0;
}

static enum iso_status collect(struct iso_resolve *r, const struct iso_product *products,
                               struct pairs *pairs, struct iso_error *reterr)
{
    const struct iso_selector_index *index = index_eligible(r);

    if (!index)
        return iso_resolve_full(reterr);
    for (int32_t o = 0; o < r->problem->n_offerings; o++) {
        const struct iso_offering *offering = &r->problem->offerings[o];
        struct iso_selector_walk walk = iso_selector_walk(index, &r->kept[o].view);
        if (offering->spot)
            continue;
        for (int32_t c; (c = iso_selector_walk_next(&walk)) >= 0;) {
            if (products[c].provider != offering->provider)
                continue;
            ISO_TRY(iso_resolve_reserve(&pairs->items, &pairs->capacity, pairs->n + 1,
                                        sizeof(*pairs->items), reterr));
            pairs->items[pairs->n++] = (struct pair){.product = c, .offering = o};
        }
    }
    return ISO_OK;
}

/* Deals the pairs out to their products: offerings of each ascend. */
static enum iso_status deal_out(struct iso_resolve *r, const struct pairs *pairs,
                                struct iso_product *products, struct iso_error *reterr)
{
    size_t n_products = (size_t)r->n_products, first = 0;
    size_t *end = iso_arena_calloc(r->scratch, n_products, sizeof(*end));
    int32_t *offerings = iso_arena_calloc(r->scratch, pairs->n, sizeof(*offerings));
    struct iso_eligible *eligible = iso_arena_calloc(r->arena, pairs->n, sizeof(*eligible));

    if (!end || !offerings || !eligible)
        return iso_resolve_full(reterr);
    for (size_t i = 0; i < pairs->n; i++)
        end[pairs->items[i].product]++;
    for (size_t c = 0; c < n_products; c++) {
        size_t n = end[c];
        end[c] = first; /* grows as its offerings come */
        first += n;
    }
    for (size_t i = 0; i < pairs->n; i++)
        offerings[end[pairs->items[i].product]++] = pairs->items[i].offering;
    for (size_t c = 0, i = 0; c < n_products; c++) {
        struct iso_product *product = &products[c];
        const struct iso_selector_index *rates = NULL;
        struct iso_eligible *own = eligible + i;
        if (i < end[c] && r->products[c]->n_rates > 0) {
            rates = index_rates(r->products[c], r->scratch);
            if (!rates)
                return iso_resolve_full(reterr);
        }
        for (; i < end[c]; i++) {
            iso_decimal use = use_of(r, (int32_t)c, rates, product, offerings[i]);
            if (use > 0)
                own[product->n_eligible++] = (struct iso_eligible){offerings[i], use};
        }
        product->eligible = own;
        if (product->n_eligible == 0)
            iso_resolve_warn(r, "product %s covers no usable on-demand offering", product->id);
    }
    return ISO_OK;
}

enum iso_status iso_resolve_eligible(struct iso_resolve *r, struct iso_product *products,
                                     struct iso_error *reterr)
{
    struct pairs pairs = {0};
    enum iso_status status = collect(r, products, &pairs, reterr);

    if (status == ISO_OK)
        status = deal_out(r, &pairs, products, reterr);
    free(pairs.items);
    return status;
}
