/* Fees by the hour that are those of the term. */
#include <stdio.h>

#include "hygiene.h"
#include "isocost/proto/money.h"

#define ARENA_BYTES ((size_t)4 << 20)
#define TOO_DEAR 100 /* times what is covered: a term has 720 hours and more */

/* The dearest on-demand price of what an index entry names. */
struct reference {
    const char *provider, *type, *currency;
    double hourly;
};

struct references {
    struct reference *list;
    size_t n;
};

static int by_name(const void *a, const void *b)
{
    const struct reference *left = a, *right = b;
    int order = strcmp(left->provider, right->provider);

    order = order ? order : strcmp(left->type, right->type);
    return order ? order : strcmp(left->currency, right->currency);
}

/* One entry for each provider, type and currency. `rows` holds the texts. */
static void gather(const struct iso_snapshot_builder *builder, struct iso_snapshot_offering *rows,
                   struct references *references)
{
    size_t n = iso_snapshot_n_added(builder), kept = 0;

    for (size_t i = 0; i < n; i++) {
        iso_snapshot_added(builder, i, &rows[i]);
        if (rows[i].purchase == ISOCOST__V1__PURCHASE__PURCHASE_ON_DEMAND)
            references->list[references->n++] = (struct reference){
                rows[i].provider, rows[i].type, rows[i].currency, iso_snapshot_hourly(&rows[i])};
    }
    if (references->n > 1)
        qsort(references->list, references->n, sizeof(*references->list), by_name);
    for (size_t i = 0; i < references->n; i++) {
        struct reference *last = kept ? &references->list[kept - 1] : NULL;
        if (!last || by_name(last, &references->list[i]) != 0)
            references->list[kept++] = references->list[i];
        else if (references->list[i].hourly > last->hourly)
            last->hourly = references->list[i].hourly;
    }
    references->n = kept;
}

static double find(const struct references *references, const char *provider, const char *type,
                   const char *currency)
{
    struct reference key = {provider, type, currency, 0};
    const struct reference *found =
        references->n ? bsearch(&key, references->list, references->n, sizeof(key), by_name) : NULL;

    return found ? found->hourly : 0;
}

static double amount_of(const Google__Type__Money *money)
{
    return money ? (double)money->units + (double)money->nanos / 1e9 : 0;
}

/* The dearest on-demand price of the types that a product names; 0 when it names none. */
static double covered_price(const Isocost__V1__CommitmentProduct *product, const char *currency,
                            const struct references *references)
{
    double dearest = 0;

    for (size_t t = 0; product->eligible && t < product->eligible->n_include; t++) {
        const Isocost__V1__SelectorTerm *term = product->eligible->include[t];
        for (size_t i = 0; i < term->n_type; i++) {
            double price = find(references, product->provider, term->type[i], currency);
            if (price > dearest)
                dearest = price;
        }
    }
    return dearest;
}

/* Whether the fee of a unit by the hour can only be that of the term; says so in `text`. */
static bool is_term_total(const Isocost__V1__CommitmentProduct *product,
                          const struct references *references, char text[160])
{
    const Google__Type__Money *fee = product->hourly_fee;
    double covered = fee ? covered_price(product, fee->currency_code, references) : 0;

    if (product->kind != ISOCOST__V1__COMMITMENT_KIND__COMMITMENT_KIND_UNIT || covered <= 0 ||
        amount_of(fee) < TOO_DEAR * covered)
        return false;
    snprintf(text, 160,
             "%.9g %s an hour for what costs %.9g on demand; over %.9g hours that is %.9g",
             amount_of(fee), fee->currency_code, covered, product->term_hours,
             amount_of(fee) / product->term_hours);
    return true;
}

static enum iso_status judge(const Isocost__Internal__V1__HygieneSettings *settings,
                             struct iso_snapshot_builder *builder,
                             const struct references *references, bool *is_out,
                             iso_hygiene_tell tell, void *context, struct iso_error *reterr)
{
    static const char code[] = "term_total_as_hourly";
    enum iso_decision decision = iso_hygiene_decision(settings, code);
    char text[160];

    for (size_t i = 0; i < iso_snapshot_n_added_products(builder); i++) {
        ISO_AUTO(iso_arena) arena = iso_arena_new(ARENA_BYTES);
        const Isocost__V1__CommitmentProduct *product =
            arena ? iso_snapshot_added_product(builder, i, arena) : NULL;
        if (!product)
            return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to compare fees");
        if (decision == ISO_DECISION_IGNORE || !is_term_total(product, references, text))
            continue;
        is_out[i] = decision == ISO_DECISION_QUARANTINE;
        ISO_TRY(tell(context, code, is_out[i], product->id, text, reterr));
    }
    iso_snapshot_take_out_products(builder, is_out);
    return ISO_OK;
}

enum iso_status iso_hygiene_run_products(const Isocost__Internal__V1__HygieneSettings *settings,
                                         struct iso_snapshot_builder *builder,
                                         iso_hygiene_tell tell, void *context,
                                         struct iso_error *reterr)
{
    size_t n = iso_snapshot_n_added(builder), n_products = iso_snapshot_n_added_products(builder);
    ISO_AUTO_MEM struct iso_snapshot_offering *rows = iso_calloc(n, sizeof(*rows));
    ISO_AUTO_MEM struct reference *list = iso_calloc(n, sizeof(*list));
    ISO_AUTO_MEM bool *is_out = iso_calloc(n_products, sizeof(*is_out));
    struct references references = {.list = list};

    if (!rows || !list || !is_out)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to compare fees");
    if (n_products == 0)
        return ISO_OK;
    gather(builder, rows, &references);
    return judge(settings, builder, &references, is_out, tell, context, reterr);
}
