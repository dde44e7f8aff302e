/* From a draft to snapshots: the public one, and one for each tenant that has overlays. */
#include <stdio.h>

#include "catalog_internal.h"

#define LIST_ARENA_BYTES ((size_t)8 << 20)

enum iso_status iso_catalog_find_base(struct iso_catalog *catalog,
                                      const struct iso_catalog_task *task, struct iso_arena *arena,
                                      struct catalog_base *base, struct iso_error *reterr)
{
    const struct iso_principal everybody = {"*", "default", "", 0};
    const struct iso_principal *whose[] = {&everybody, &task->principal};
    const struct iso_snapshot **maps[] = {&base->all, &base->own};
    const char *public_digest = "";

    base->create_ns = iso_catalog_now_ns();
    for (int i = 0; i < 2; i++) {
        struct iso_snapshot_record record;
        struct iso_error error = {0};
        enum iso_status status =
            iso_store_get_snapshot(catalog->store, whose[i], "", arena, &record, &error);

        if (status == ISO_E_NOT_FOUND)
            continue;
        if (status != ISO_OK)
            return iso_fail(reterr, status, error.field, "%s", error.text);
        if (i == 0)
            public_digest = record.digest;
        base->had_own = i == 1 && strcmp(record.digest, public_digest) != 0;
        if (base->create_ns <= record.create_ns)
            base->create_ns = record.create_ns + 1;
        if (!task->replace_all)
            ISO_TRY(iso_catalog_map(catalog, whose[i], record.digest, maps[i], reterr));
    }
    return ISO_OK;
}

/* Puts the rows of the draft, with the overlays it has now, in the store. */
static enum iso_status put(struct iso_catalog *catalog, const struct iso_catalog_task *task,
                           struct iso_draft *draft, const char *tenant, bool with_overlays,
                           int64_t create_ns, struct iso_arena *arena,
                           Isocost__V1__Snapshot **ret_snapshot, struct iso_error *reterr)
{
    const struct iso_audit audit = {task->import_folder ? "catalog.import" : "catalog.refresh",
                                    task->request_id};
    const char *folder = iso_store_snapshot_folder(catalog->store, arena);
    struct iso_principal owner = task->principal;
    struct iso_snapshot_record record;

    if (!folder)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a snapshot");
    snprintf(owner.tenant, sizeof(owner.tenant), "%s", tenant);
    ISO_TRY(iso_draft_publish(draft, folder, with_overlays, create_ns, arena, &record, ret_snapshot,
                              reterr));
    return iso_store_put_snapshot(catalog->store, &owner, &record, &audit, reterr);
}

/* The same rows with the overlays of another tenant, if it has any. */
static enum iso_status put_for_tenant(struct iso_catalog *catalog,
                                      const struct iso_catalog_task *task, struct iso_draft *draft,
                                      const char *tenant, int64_t create_ns,
                                      struct iso_arena *arena, struct iso_error *reterr)
{
    struct iso_principal owner = task->principal;
    const struct iso_snapshot *theirs = NULL;
    Isocost__V1__Snapshot *snapshot = NULL;
    enum iso_status status;

    snprintf(owner.tenant, sizeof(owner.tenant), "%s", tenant);
    ISO_TRY(iso_catalog_map(catalog, &owner, "", &theirs, reterr));
    status = iso_draft_replace_overlays(draft, theirs, reterr);
    iso_catalog_unmap(catalog, theirs);
    if (status != ISO_OK || !iso_draft_has_overlays(draft))
        return status;
    return put(catalog, task, draft, tenant, /* with_overlays= */ true, create_ns, arena, &snapshot,
               reterr);
}

void iso_catalog_publish_for_others(struct iso_catalog *catalog,
                                    const struct iso_catalog_task *task, struct iso_draft *draft,
                                    int64_t create_ns)
{
    ISO_AUTO(iso_arena) list = iso_arena_new(LIST_ARENA_BYTES);
    struct iso_error error = {0};
    const char **tenants = NULL;
    int n = 0;

    if (!list ||
        iso_store_list_snapshot_tenants(catalog->store, list, &tenants, &n, &error) != ISO_OK) {
        iso_catalog_log(catalog, 3, "the catalogs of tenants were not renewed: %s", error.text);
        return;
    }
    for (int i = 0; i < n; i++) {
        ISO_AUTO(iso_arena) arena = iso_arena_new(ISO_CATALOG_PUBLISH_BYTES);
        struct iso_error reason = {0};
        if (strcmp(tenants[i], task->principal.tenant) == 0)
            continue;
        if (!arena || put_for_tenant(catalog, task, draft, tenants[i], create_ns + i, arena,
                                     &reason) != ISO_OK)
            iso_catalog_log(catalog, 3, "the catalog of tenant %s was not renewed: %s", tenants[i],
                            reason.text);
    }
}

enum iso_status iso_catalog_publish(struct iso_catalog *catalog,
                                    const struct iso_catalog_task *task, struct iso_draft *draft,
                                    const struct catalog_base *base, struct iso_arena *arena,
                                    Isocost__V1__Snapshot **ret_snapshot, struct iso_error *reterr)
{
    bool overlays = iso_draft_has_overlays(draft);

    ISO_TRY(put(catalog, task, draft, "*", /* with_overlays= */ false, base->create_ns, arena,
                ret_snapshot, reterr));
    return overlays || base->had_own ? put(catalog, task, draft, task->principal.tenant, overlays,
                                           base->create_ns + 1, arena, ret_snapshot, reterr)
                                     : ISO_OK;
}
