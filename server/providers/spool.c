#include "spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#define PAGE_ARENA_BYTES ((size_t)256 << 20)

struct iso_spool {
    FILE *file;
    int64_t n_pages;
};

enum iso_status iso_spool_new(const char *folder, struct iso_spool **ret_spool,
                              struct iso_error *reterr)
{
    struct iso_spool *spool = iso_calloc(1, sizeof(*spool));
    int fd;

    if (!spool)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a spool");
    fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600);
    spool->file = fd >= 0 ? fdopen(fd, "w+") : NULL;
    if (!spool->file) {
        int cause = errno;
        if (fd >= 0)
            close(fd);
        free(spool);
        return iso_fail(reterr, ISO_E_IO, "", "cannot make a temporary file in %.200s: %s", folder,
                        strerror(cause));
    }
    *ret_spool = spool;
    return ISO_OK;
}

void iso_spool_free(struct iso_spool *spool)
{
    if (!spool)
        return;
    fclose(spool->file);
    free(spool);
}

enum iso_status iso_spool_add(struct iso_spool *spool, const Isocost__Internal__V1__Page *page,
                              struct iso_error *reterr)
{
    uint64_t n_bytes = isocost__internal__v1__page__get_packed_size(page);
    ISO_AUTO_MEM unsigned char *bytes = iso_calloc(n_bytes, 1);

    if (!bytes)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a page");
    isocost__internal__v1__page__pack(page, bytes);
    if (fwrite(&n_bytes, sizeof(n_bytes), 1, spool->file) != 1 ||
        (n_bytes && fwrite(bytes, n_bytes, 1, spool->file) != 1))
        return iso_fail(reterr, ISO_E_IO, "", "cannot write a temporary file: %s", strerror(errno));
    spool->n_pages++;
    return ISO_OK;
}

static enum iso_status read_page(struct iso_spool *spool, struct iso_arena *arena,
                                 Isocost__Internal__V1__Page **ret_page, struct iso_error *reterr)
{
    uint64_t n_bytes = 0;

    if (fread(&n_bytes, sizeof(n_bytes), 1, spool->file) != 1)
        return iso_fail(reterr, ISO_E_IO, "", "cannot read a temporary file back");
    ISO_AUTO_MEM unsigned char *bytes = iso_calloc(n_bytes, 1);
    if (!bytes)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a page");
    if (n_bytes && fread(bytes, n_bytes, 1, spool->file) != 1)
        return iso_fail(reterr, ISO_E_IO, "", "cannot read a temporary file back");
    *ret_page = isocost__internal__v1__page__unpack(iso_arena_allocator(arena), n_bytes, bytes);
    return *ret_page ? ISO_OK : iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a page");
}

enum iso_status
iso_spool_replay(struct iso_spool *spool, void *context,
                 enum iso_status (*take)(void *context, Isocost__Internal__V1__Page *page,
                                         struct iso_arena *page_arena, struct iso_error *reterr),
                 struct iso_error *reterr)
{
    if (fflush(spool->file) != 0)
        return iso_fail(reterr, ISO_E_IO, "", "cannot write a temporary file: %s", strerror(errno));
    rewind(spool->file);
    for (int64_t i = 0; i < spool->n_pages; i++) {
        ISO_AUTO(iso_arena) arena = iso_arena_new(PAGE_ARENA_BYTES);
        Isocost__Internal__V1__Page *page = NULL;

        if (!arena)
            return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a page");
        ISO_TRY(read_page(spool, arena, &page, reterr));
        ISO_TRY(take(context, page, arena, reterr));
    }
    return ISO_OK;
}
