/* Models with changes, whose commitments may be about products of a snapshot in the store. */
#include <string.h>
#include <unistd.h>

#include "resolve.h"
#include "stored.h"

/* The snapshot that changes of a model's commitments look into, opened when first needed. */
struct product_lookup {
    struct iso_store *store;
    const struct iso_principal *principal;
    const Isocost__V1__Model *model;
    const char *digest;
    bool opened;
    struct iso_snapshot *snapshot; /* NULL: there is none */
};

static enum iso_status open_lookup(struct product_lookup *lookup, struct iso_arena *arena,
                                   struct iso_error *reterr)
{
    const char *digest;
    int fd;

    lookup->opened = true;
    ISO_TRY(iso_snapshot_open(lookup->store, lookup->principal, lookup->model, lookup->digest,
                              arena, &fd, &digest, reterr));
    if (fd < 0)
        return ISO_OK;
    enum iso_status status = iso_snapshot_map(fd, &lookup->snapshot, reterr);
    close(fd);
    return status;
}

static enum iso_status find_product(void *context, const char *id, struct iso_arena *arena,
                                    const Isocost__V1__CommitmentProduct **ret_product,
                                    struct iso_error *reterr)
{
    struct product_lookup *lookup = context;
    int32_t n;

    if (!lookup->opened)
        ISO_TRY(open_lookup(lookup, arena, reterr));
    n = lookup->snapshot ? iso_snapshot_n_products(lookup->snapshot) : 0;
    for (int32_t i = 0; i < n; i++) {
        const Isocost__V1__CommitmentProduct *product =
            iso_snapshot_product(lookup->snapshot, i, arena);
        if (!product)
            return iso_fail(reterr, ISO_E_LIMIT, "", "no memory for a product");
        if (strcmp(product->id, id) == 0) {
            *ret_product = product;
            return ISO_OK;
        }
    }
    return ISO_OK;
}

enum iso_status
iso_stored_model_change(struct iso_store *store, const struct iso_principal *principal,
                        const Isocost__V1__Model *model, const char *snapshot_digest,
                        const struct iso_changes *changes, struct iso_violations *violations,
                        const Isocost__V1__Model **ret_model, struct iso_error *reterr)
{
    struct product_lookup lookup = {
        .store = store, .principal = principal, .model = model, .digest = snapshot_digest};
    const struct iso_product_source source = {.context = &lookup, .find = find_product};
    Isocost__V1__Model *changed = NULL;

    if (changes->n == 0) {
        *ret_model = model;
        return ISO_OK;
    }
    enum iso_status status =
        iso_changes_apply(model, changes, &source, violations, &changed, reterr);
    iso_snapshot_free(lookup.snapshot);
    ISO_TRY(status);
    iso_model_check(changed, "model", violations);
    ISO_TRY(iso_violations_status(violations, reterr));
    *ret_model = changed;
    return ISO_OK;
}
