/* Products, overlays and quotas of the snapshot and the model. A snapshot's record is not from the
 * user: one that is wrong is left out with a warning. */
#include <stdio.h>
#include <string.h>

#include "model_check.h"
#include "number.h"
#include "provider_alias.h"
#include "resolve_internal.h"

static bool is_sound(struct iso_resolve *r, struct iso_model_check *check, const char *path)
{
    if (check->violations->n == 0)
        return true;
    iso_resolve_warn(r, "%s is left out: %s: %s", path, check->violations->items[0].field,
                     check->violations->items[0].text);
    check->violations->n = 0;
    return false;
}

/* `own`: ids of the model's products, which replace those of the snapshot. */
static bool product_wanted(const struct iso_resolve *r, const struct iso_names *own, const char *id,
                           uint8_t *used)
{
    const Isocost__V1__Catalog *catalog = r->model->catalog;
    bool wanted = false;

    for (size_t i = 0; i < catalog->n_snapshot_products; i++)
        if (iso_pattern_matches(catalog->snapshot_products[i], id)) {
            used[i] = 1;
            wanted = true;
        }
    return wanted && iso_names_find(own, id) < 0;
}

static bool add_product(struct iso_resolve *r, const Isocost__V1__CommitmentProduct *product,
                        const char *path)
{
    r->products[r->n_products] = product;
    r->product_paths[r->n_products] = path;
    r->n_products++;
    return path != NULL;
}

static enum iso_status collect_products(struct iso_resolve *r, struct iso_model_check *check,
                                        struct iso_error *reterr)
{
    const Isocost__V1__Catalog *catalog = r->model->catalog;
    int32_t n_stored =
        r->snapshot && catalog->n_snapshot_products > 0 ? iso_snapshot_n_products(r->snapshot) : 0;
    size_t most = (size_t)n_stored + catalog->n_products;
    uint8_t *used = iso_arena_calloc(r->scratch, catalog->n_snapshot_products, 1);
    struct iso_names own = {.arena = r->scratch};

    r->products = iso_arena_calloc(r->scratch, most, sizeof(*r->products));
    r->product_paths = iso_arena_calloc(r->scratch, most, sizeof(*r->product_paths));
    if (!used || !r->products || !r->product_paths)
        return iso_resolve_full(reterr);
    for (size_t i = 0; n_stored > 0 && i < catalog->n_products; i++)
        if (iso_names_add(&own, catalog->products[i]->id) < 0)
            return iso_resolve_full(reterr);
    for (int32_t i = 0; i < n_stored; i++) {
        const Isocost__V1__CommitmentProduct *product =
            iso_snapshot_product(r->snapshot, i, r->arena);
        if (!product)
            return iso_resolve_full(reterr);
        if (!product_wanted(r, &own, product->id, used))
            continue;
        const char *path = iso_arena_printf(r->scratch, "snapshot product %s", product->id);
        iso_check_product(check, "product", product);
        if (path && is_sound(r, check, path))
            add_product(r, product, path);
    }
    for (size_t i = 0; i < catalog->n_snapshot_products; i++)
        if (!used[i]) {
            char path[ISO_PATH_SIZE];
            iso_check_path(path, "model.catalog", "snapshot_products", i);
            iso_violations_add(r->violations, path, "\"%.128s\" matches no product of the snapshot",
                               catalog->snapshot_products[i]);
        }
    for (size_t i = 0; i < catalog->n_products; i++)
        if (!add_product(r, catalog->products[i],
                         iso_arena_printf(r->scratch, "model.catalog.products[%zu]", i)))
            return iso_resolve_full(reterr);
    return ISO_OK;
}

static enum iso_status collect_overlays(struct iso_resolve *r, struct iso_model_check *check,
                                        struct iso_error *reterr)
{
    const Isocost__V1__Catalog *catalog = r->model->catalog;
    int32_t n_stored = r->snapshot ? iso_snapshot_n_overlays(r->snapshot) : 0;

    r->overlays =
        iso_arena_calloc(r->arena, (size_t)n_stored + catalog->n_overlays, sizeof(*r->overlays));
    if (!r->overlays)
        return iso_resolve_full(reterr);
    for (int32_t i = 0; i < n_stored + (int32_t)catalog->n_overlays; i++) {
        const Isocost__V1__Overlay *overlay = i < n_stored
                                                  ? iso_snapshot_overlay(r->snapshot, i, r->arena)
                                                  : catalog->overlays[i - n_stored];
        if (!overlay)
            return iso_resolve_full(reterr);
        if (i < n_stored) {
            iso_check_overlay(check, "overlay", overlay);
            if (!is_sound(r, check, "a snapshot overlay"))
                continue;
        }
        struct iso_validity validity;
        if (!iso_days_meet(r, overlay->valid_from, overlay->valid_until, &validity)) {
            if (i >= n_stored)
                iso_resolve_warn(r, "overlay %d holds on no day of the model's prices",
                                 i - n_stored);
            continue;
        }
        struct iso_overlay *added = &r->overlays[r->n_overlays++];
        added->message = overlay;
        added->validity = validity;
        added->index = i < n_stored ? -1 : i - n_stored;
        added->stored = i < n_stored ? i : -1;
        added->scope.selector = iso_selector_compile(overlay->offerings, r->scratch);
        if (!added->scope.selector)
            return iso_resolve_full(reterr);
    }
    return ISO_OK;
}

static enum iso_status add_quota(struct iso_resolve *r, const Isocost__V1__Quota *quota,
                                 struct iso_error *reterr)
{
    char buffer[ISO_PROVIDER_BUFFER_SIZE];
    const char *provider = iso_provider_fold(quota->provider, buffer);
    char *region = iso_arena_strdup(r->arena, quota->region[0] ? quota->region : "*");

    provider = iso_arena_strdup(r->arena, provider ? provider : quota->provider);
    const struct iso_selector *scope = iso_selector_compile(quota->scope, r->scratch);
    if (!provider || !region || !scope)
        return iso_resolve_full(reterr);
    for (char *c = region; *c; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
    r->quotas[r->n_quotas++] = (struct iso_quota){
        .message = quota,
        .scope = scope,
        .provider = provider,
        .region = region,
        .resource = (int)quota->resource - 1, /* unspecified: instances */
        .known = quota->unlimited || quota->opt_limit_case,
    };
    return ISO_OK;
}

/* Whether one of the model's quotas, which come first, has the same provider, code and region. */
static bool is_replaced(const struct iso_resolve *r, const struct iso_quota *stored, int32_t n_own)
{
    for (int32_t i = 0; i < n_own; i++)
        if (strcmp(r->quotas[i].message->code, stored->message->code) == 0 &&
            strcmp(r->quotas[i].provider, stored->provider) == 0 &&
            strcmp(r->quotas[i].region, stored->region) == 0)
            return true;
    return false;
}

static enum iso_status collect_quotas(struct iso_resolve *r, struct iso_model_check *check,
                                      struct iso_error *reterr)
{
    const Isocost__V1__Catalog *catalog = r->model->catalog;
    int32_t n_stored = r->snapshot ? iso_snapshot_n_quotas(r->snapshot) : 0;

    r->quotas =
        iso_arena_calloc(r->arena, (size_t)n_stored + catalog->n_quotas, sizeof(*r->quotas));
    r->near = iso_arena_calloc(r->arena, (size_t)n_stored + catalog->n_quotas, sizeof(*r->near));
    if (!r->quotas || !r->near)
        return iso_resolve_full(reterr);
    for (size_t i = 0; i < catalog->n_quotas; i++)
        ISO_TRY(add_quota(r, catalog->quotas[i], reterr));
    int32_t n_own = r->n_quotas;
    for (int32_t i = 0; i < n_stored; i++) {
        const Isocost__V1__Quota *quota = iso_snapshot_quota(r->snapshot, i, r->arena);
        if (!quota)
            return iso_resolve_full(reterr);
        iso_check_quota(check, "quota", quota);
        if (!is_sound(r, check, "a snapshot quota"))
            continue;
        ISO_TRY(add_quota(r, quota, reterr));
        if (is_replaced(r, &r->quotas[r->n_quotas - 1], n_own))
            r->n_quotas--;
    }
    return ISO_OK;
}

enum iso_status iso_resolve_records(struct iso_resolve *r, struct iso_error *reterr)
{
    struct iso_violations *own = iso_arena_calloc(r->arena, 1, sizeof(*own));

    if (!own)
        return iso_resolve_full(reterr);
    own->arena = r->arena;
    iso_days_open(r);
    struct iso_model_check check = {.violations = own};
    ISO_TRY(collect_products(r, &check, reterr));
    ISO_TRY(collect_overlays(r, &check, reterr));
    ISO_TRY(iso_days_cut(r, reterr));
    ISO_TRY(iso_resolve_tariffs(r, reterr));
    return collect_quotas(r, &check, reterr);
}
