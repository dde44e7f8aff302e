/* Hints between processes that share a store: what changed, so that others need not wait for their
 * next look. A hint may be lost; nobody relies on one. */
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "store_internal.h"

enum { HINT_BYTES = 512, AGAIN_MS = 1000 };

enum iso_status iso_store_tell(struct iso_sql *sql, const char *kind,
                               const struct iso_principal *principal, const char *id,
                               struct iso_error *reterr)
{
    char text[HINT_BYTES];

    if (iso_sql_dialect(sql) == ISO_SQL_SQLITE)
        return ISO_OK; /* there is nobody else */
    snprintf(text, sizeof(text), "%s\t%s\t%s\t%s", kind, principal->tenant, principal->project, id);
    return iso_sql_notify(sql, text, reterr);
}

/* False when `text` is none of ours. */
static bool parse(const char *text, struct iso_hint *hint)
{
    memset(hint, 0, sizeof(*hint));
    return sscanf(text, "%15[^\t]\t%64[^\t]\t%64[^\t]\t%63[^\t]", hint->kind,
                  hint->principal.tenant, hint->principal.project, hint->id) == 4;
}

static enum iso_status listen_if_needed(struct iso_store *store, struct iso_error *reterr)
{
    if (!store->listener)
        ISO_TRY(iso_sql_open(store->address, ISO_SQL_READER, &store->listener, reterr));
    if (!store->listening)
        ISO_TRY(iso_sql_listen(store->listener, reterr));
    store->listening = true;
    return ISO_OK;
}

static void sleep_until_woken(struct iso_store *store, int timeout_ms)
{
    struct pollfd entry = {.fd = store->wake_fd, .events = POLLIN};

    poll(&entry, 1, timeout_ms);
}

bool iso_store_wait(struct iso_store *store, int timeout_ms, struct iso_hint *ret_hint)
{
    char text[HINT_BYTES] = "";
    uint64_t n_wakes;

    if (!store->address)
        sleep_until_woken(store, timeout_ms);
    else if (listen_if_needed(store, NULL) != ISO_OK)
        sleep_until_woken(store, timeout_ms < AGAIN_MS ? timeout_ms : AGAIN_MS);
    else if (iso_sql_wait(store->listener, store->wake_fd, timeout_ms, text, sizeof(text), NULL) !=
             ISO_OK)
        store->listening = false;
    if (read(store->wake_fd, &n_wakes, sizeof(n_wakes)) < 0)
        n_wakes = 0; /* nobody woke us */
    return text[0] && parse(text, ret_hint);
}

void iso_store_wake(struct iso_store *store)
{
    const uint64_t one = 1;

    if (write(store->wake_fd, &one, sizeof(one)) < 0)
        return; /* its counter is full: it is awake */
}
