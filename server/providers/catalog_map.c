/* Mapped snapshots, kept for the next caller while there is room. */
#include <unistd.h>

#include "catalog_internal.h"

#define RECORD_ARENA_BYTES ((size_t)64 << 20)

static const struct iso_snapshot *find_mapped(struct iso_catalog *catalog, const char *digest)
{
    const struct iso_snapshot *found = NULL;

    pthread_mutex_lock(&catalog->mutex);
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(catalog->maps) && !found; i++) {
        if (catalog->maps[i].snapshot &&
            strcmp(iso_snapshot_digest(catalog->maps[i].snapshot), digest) == 0) {
            catalog->maps[i].n_users++;
            found = catalog->maps[i].snapshot;
        }
    }
    pthread_mutex_unlock(&catalog->mutex);
    return found;
}

/* Takes the place of one that nobody uses; without any, the caller's is the only reference. */
static void keep_mapped(struct iso_catalog *catalog, const struct iso_snapshot *snapshot)
{
    struct iso_snapshot *evicted = NULL;

    pthread_mutex_lock(&catalog->mutex);
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(catalog->maps); i++) {
        if (catalog->maps[i].n_users == 0) {
            evicted = (struct iso_snapshot *)catalog->maps[i].snapshot;
            catalog->maps[i].snapshot = snapshot;
            catalog->maps[i].n_users = 1;
            break;
        }
    }
    pthread_mutex_unlock(&catalog->mutex);
    iso_snapshot_free(evicted);
}

static enum iso_status map_file(struct iso_catalog *catalog,
                                const struct iso_snapshot_record *record,
                                struct iso_snapshot **ret_snapshot, struct iso_error *reterr)
{
    struct iso_error error = {0};
    enum iso_status status;
    int fd = -1;

    ISO_TRY(iso_store_open_snapshot(catalog->store, record, &fd, reterr));
    status = iso_snapshot_map(fd, ret_snapshot, &error);
    close(fd);
    if (status != ISO_OK)
        return iso_fail(reterr, status == ISO_E_INVALID ? ISO_E_IO : status, "",
                        "the file of snapshot %s is damaged: %.240s", record->digest, error.text);
    return ISO_OK;
}

enum iso_status iso_catalog_map(struct iso_catalog *catalog, const struct iso_principal *principal,
                                const char *digest, const struct iso_snapshot **ret_snapshot,
                                struct iso_error *reterr)
{
    ISO_AUTO(iso_arena) arena = iso_arena_new(RECORD_ARENA_BYTES);
    const struct iso_snapshot *found;
    struct iso_snapshot *mapped = NULL;
    struct iso_snapshot_record record;

    if (!arena)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a snapshot");
    ISO_TRY(iso_store_get_snapshot(catalog->store, principal, digest, arena, &record, reterr));
    found = find_mapped(catalog, record.digest);
    if (!found) {
        ISO_TRY(map_file(catalog, &record, &mapped, reterr));
        keep_mapped(catalog, mapped);
        found = mapped;
    }
    *ret_snapshot = found;
    return ISO_OK;
}

void iso_catalog_unmap(struct iso_catalog *catalog, const struct iso_snapshot *snapshot)
{
    bool kept = false;

    if (!snapshot)
        return;
    pthread_mutex_lock(&catalog->mutex);
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(catalog->maps) && !kept; i++) {
        if (catalog->maps[i].snapshot == snapshot) {
            catalog->maps[i].n_users--;
            kept = true;
        }
    }
    pthread_mutex_unlock(&catalog->mutex);
    if (!kept)
        iso_snapshot_free((struct iso_snapshot *)snapshot);
}
