/* Mapped snapshots, kept for the next caller while there is room. */
#include <errno.h>
#include <fcntl.h>
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

static enum iso_status map_file(const char *path, const char *digest,
                                struct iso_snapshot **ret_snapshot, struct iso_error *reterr)
{
    struct iso_error error = {0};
    enum iso_status status;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return iso_fail(reterr, errno == ENOENT ? ISO_E_NOT_FOUND : ISO_E_IO, "",
                        "the file of snapshot %s cannot be opened: %s", digest, strerror(errno));
    status = iso_snapshot_map(fd, ret_snapshot, &error);
    close(fd);
    if (status != ISO_OK)
        return iso_fail(reterr, status == ISO_E_INVALID ? ISO_E_IO : status, "",
                        "the file of snapshot %s is damaged: %.240s", digest, error.text);
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
    const char *path;

    if (!arena)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a snapshot");
    ISO_TRY(iso_store_get_snapshot(catalog->store, principal, digest, arena, &record, reterr));
    found = find_mapped(catalog, record.digest);
    if (!found) {
        path = iso_store_snapshot_path(catalog->store, record.digest, arena);
        if (!path)
            return iso_fail(reterr, ISO_E_INTERNAL, "", "snapshot %.80s has no path",
                            record.digest);
        ISO_TRY(map_file(path, record.digest, &mapped, reterr));
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
