/* What is sold, at what price, and what is committed.
 *
 * The offerings of a snapshot are not in the model, so what changes them is an overlay after all
 * others: it also changes those that the model gives itself. */
#include <string.h>

#include "changes_internal.h"
#include "message_new.h"

static Isocost__V1__Overlay *new_overlay(struct iso_change_run *run,
                                         Isocost__V1__SelectorTerm *term)
{
    Isocost__V1__Catalog *catalog = iso_change_catalog(run);
    Isocost__V1__Overlay *overlay = iso_message_new(run->arena, &isocost__v1__overlay__descriptor);

    if (!catalog || !overlay)
        return NULL;
    overlay->offerings = iso_change_selector_of(run, term);
    return overlay->offerings &&
                   iso_change_append(run, &catalog->overlays, &catalog->n_overlays, overlay)
               ? overlay
               : NULL;
}

enum iso_status iso_apply_price(struct iso_change_run *run, struct iso_error *reterr)
{
    const Isocost__V1__PriceChange *change = run->change->price;
    const Isocost__V1__Currency *currency = run->model->currency;
    static char dollars[] = "USD";

    if (change->change_case == ISOCOST__V1__PRICE_CHANGE__CHANGE__NOT_SET) {
        iso_change_wrong(run, ISO_CHANGE_VALUE, "a factor or a price is required");
        return ISO_OK;
    }
    Isocost__V1__Overlay *overlay = new_overlay(run, change->offerings);
    if (!overlay)
        return iso_change_no_memory(reterr);
    if (change->change_case == ISOCOST__V1__PRICE_CHANGE__CHANGE_FACTOR) {
        overlay->change_case = ISOCOST__V1__OVERLAY__CHANGE_PRICE_FACTOR;
        overlay->price_factor = change->factor;
        return ISO_OK;
    }
    overlay->change_case = ISOCOST__V1__OVERLAY__CHANGE_PRICE;
    overlay->price = iso_change_copy(run, change->price, sizeof(*change->price));
    if (!overlay->price)
        return iso_change_no_memory(reterr);
    if (!overlay->price->currency_code[0])
        overlay->price->currency_code =
            currency && currency->base_currency[0] ? currency->base_currency : dollars;
    return ISO_OK;
}

static enum iso_status set_status(struct iso_change_run *run, Isocost__V1__SelectorTerm *term,
                                  Isocost__V1__OfferingStatus status, struct iso_error *reterr)
{
    Isocost__V1__Overlay *overlay = new_overlay(run, term);

    if (!overlay)
        return iso_change_no_memory(reterr);
    overlay->status = status;
    return ISO_OK;
}

enum iso_status iso_apply_outage(struct iso_change_run *run, struct iso_error *reterr)
{
    const Isocost__V1__OutageChange *change = run->change->outage;
    Isocost__V1__SelectorTerm *term =
        iso_message_new(run->arena, &isocost__v1__selector_term__descriptor);
    char **texts = iso_arena_calloc(run->arena, 2, sizeof(*texts));

    if (!change->provider[0]) {
        iso_change_wrong(run, ISO_CHANGE_TARGET, "a provider is required");
        return ISO_OK;
    }
    if (!term || !texts)
        return iso_change_no_memory(reterr);
    texts[0] = change->provider;
    texts[1] = change->region;
    term->provider = &texts[0];
    term->n_provider = 1;
    term->region = &texts[1];
    term->n_region = change->region[0] ? 1 : 0;
    return set_status(run, term, ISOCOST__V1__OFFERING_STATUS__OFFERING_STATUS_SOLD_OUT, reterr);
}

static bool same_or(const char *a, const char *b, const char *otherwise)
{
    return strcmp(a[0] ? a : otherwise, b[0] ? b : otherwise) == 0;
}

static bool same_offering(const Isocost__V1__Offering *a, const Isocost__V1__Offering *b)
{
    return strcmp(a->provider, b->provider) == 0 && strcmp(a->type, b->type) == 0 &&
           same_or(a->region, b->region, "*") && same_or(a->zone, b->zone, "*") &&
           same_or(a->os, b->os, "linux") && a->purchase == b->purchase;
}

static enum iso_status add_offering(struct iso_change_run *run, Isocost__V1__Offering *offering,
                                    struct iso_error *reterr)
{
    Isocost__V1__Catalog *catalog = iso_change_catalog(run);

    if (!catalog)
        return iso_change_no_memory(reterr);
    for (size_t i = 0; i < catalog->n_offerings; i++)
        if (same_offering(catalog->offerings[i], offering)) {
            iso_change_wrong(run, ISO_CHANGE_TARGET,
                             "the model has this offering already; price.ID=... changes its price");
            return ISO_OK;
        }
    return iso_change_append(run, &catalog->offerings, &catalog->n_offerings, offering)
               ? ISO_OK
               : iso_change_no_memory(reterr);
}

enum iso_status iso_apply_offering(struct iso_change_run *run, struct iso_error *reterr)
{
    const Isocost__V1__OfferingChange *change = run->change->offering;

    switch (change->change_case) {
    case ISOCOST__V1__OFFERING_CHANGE__CHANGE_ADD:
        return add_offering(run, change->add, reterr);
    case ISOCOST__V1__OFFERING_CHANGE__CHANGE_REMOVE:
        return set_status(run, change->remove,
                          ISOCOST__V1__OFFERING_STATUS__OFFERING_STATUS_SOLD_OUT, reterr);
    case ISOCOST__V1__OFFERING_CHANGE__CHANGE_RESTORE:
        return set_status(run, change->restore,
                          ISOCOST__V1__OFFERING_STATUS__OFFERING_STATUS_AVAILABLE, reterr);
    default:
        iso_change_wrong(run, ISO_CHANGE_VALUE, "say what to add, remove or restore");
        return ISO_OK;
    }
}

/* --- commitments --- */

static size_t find_product(const Isocost__V1__Catalog *catalog, const char *id)
{
    size_t i = 0;

    while (i < catalog->n_products && strcmp(catalog->products[i]->id, id) != 0)
        i++;
    return i;
}

/* A product of the model, ours to change; one of the snapshot becomes one of the model, which then
 * replaces it. NULL with ISO_OK: there is none, which was told. */
static enum iso_status own_product(struct iso_change_run *run, const char *id,
                                   Isocost__V1__CommitmentProduct **ret_product,
                                   struct iso_error *reterr)
{
    Isocost__V1__Catalog *catalog = iso_change_catalog(run);
    const Isocost__V1__CommitmentProduct *stored = NULL;
    Isocost__V1__CommitmentProduct *own;

    *ret_product = NULL;
    if (!catalog)
        return iso_change_no_memory(reterr);
    size_t i = find_product(catalog, id);
    if (i < catalog->n_products) {
        *ret_product = iso_change_own(run, &catalog->products, catalog->n_products, i);
        return *ret_product ? ISO_OK : iso_change_no_memory(reterr);
    }
    if (run->source)
        ISO_TRY(run->source->find(run->source->context, id, run->arena, &stored, reterr));
    if (!stored) {
        iso_change_unknown(run, "commitment of the model or the snapshot", id, &catalog->products,
                           catalog->n_products, offsetof(Isocost__V1__CommitmentProduct, id));
        return ISO_OK;
    }
    own = iso_change_copy(run, stored, sizeof(*stored));
    if (!iso_change_append(run, &catalog->products, &catalog->n_products, own))
        return iso_change_no_memory(reterr);
    *ret_product = own;
    return ISO_OK;
}

static enum iso_status hold(struct iso_change_run *run, const char *id, double quantity,
                            struct iso_error *reterr)
{
    Isocost__V1__CommitmentProduct *product;

    ISO_TRY(own_product(run, id, &product, reterr));
    if (!product)
        return ISO_OK;
    product->existing = NULL;
    product->n_existing = 0;
    if (quantity == 0)
        return ISO_OK;
    Isocost__V1__ExistingCommitment *existing =
        iso_message_new(run->arena, &isocost__v1__existing_commitment__descriptor);
    if (existing)
        existing->quantity = quantity;
    return iso_change_append(run, &product->existing, &product->n_existing, existing)
               ? ISO_OK
               : iso_change_no_memory(reterr);
}

/* It stays as one that nobody holds and nobody can buy, so that it does not come back from the
 * snapshot. */
static enum iso_status remove_product(struct iso_change_run *run, const char *id,
                                      struct iso_error *reterr)
{
    Isocost__V1__CommitmentProduct *product;

    ISO_TRY(own_product(run, id, &product, reterr));
    if (!product)
        return ISO_OK;
    product->existing = NULL;
    product->n_existing = 0;
    product->scope = NULL;
    product->opt_purchasable_maximum_case =
        ISOCOST__V1__COMMITMENT_PRODUCT__OPT_PURCHASABLE_MAXIMUM_PURCHASABLE_MAXIMUM;
    product->purchasable_maximum = 0;
    return ISO_OK;
}

enum iso_status iso_apply_commitment(struct iso_change_run *run, struct iso_error *reterr)
{
    const Isocost__V1__CommitmentChange *change = run->change->commitment;
    Isocost__V1__Catalog *catalog = iso_change_catalog(run);

    if (!catalog)
        return iso_change_no_memory(reterr);
    switch (change->change_case) {
    case ISOCOST__V1__COMMITMENT_CHANGE__CHANGE_HOLD:
        return hold(run, change->hold->product, change->hold->quantity, reterr);
    case ISOCOST__V1__COMMITMENT_CHANGE__CHANGE_REMOVE:
        return remove_product(run, change->remove, reterr);
    case ISOCOST__V1__COMMITMENT_CHANGE__CHANGE_ADD:
        break;
    default:
        iso_change_wrong(run, ISO_CHANGE_VALUE, "say what to add, hold or remove");
        return ISO_OK;
    }
    if (find_product(catalog, change->add->id) < catalog->n_products) {
        iso_change_wrong(run, ISO_CHANGE_TARGET, "the model has the commitment %.64s already",
                         change->add->id);
        return ISO_OK;
    }
    return iso_change_append(run, &catalog->products, &catalog->n_products, change->add)
               ? ISO_OK
               : iso_change_no_memory(reterr);
}
