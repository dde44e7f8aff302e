#include "plugin_harness.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "isocost/base/sha256.h"

#define CHILD_FD 3
#define MAX_PAGE_BYTES (4u << 20)
#define STALL_SECONDS 60 /* a host that says nothing for so long fails the test */

const char *harness_build_path(const char *relative)
{
    static char paths[4][1024];
    static unsigned next;
    char *path = paths[next++ % 4];
    const char *build = getenv("ISO_BUILD");

    ISO_ASSERT(build);
    snprintf(path, sizeof(paths[0]), "%s/%s", build, relative);
    return path;
}

void harness_start(struct harness *harness)
{
    int fds[2];
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    const char *path = harness_build_path("bin/isocost-plugin-host");
    char program[] = "isocost-plugin-host", fd[] = "3", parent[16];
    char *argv[] = {program, fd, parent, NULL}, *environment[] = {NULL};
    struct timeval stall = {.tv_sec = STALL_SECONDS};

    memset(harness, 0, sizeof(*harness));
    snprintf(parent, sizeof(parent), "%d", (int)getpid());
    ISO_ASSERT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
    posix_spawn_file_actions_init(&actions);
    if (fds[1] == CHILD_FD)
        ISO_ASSERT(fcntl(fds[1], F_SETFD, 0) == 0);
    else
        posix_spawn_file_actions_adddup2(&actions, fds[1], CHILD_FD);
    posix_spawn_file_actions_addclosefrom_np(&actions, CHILD_FD + 1);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    ISO_ASSERT(posix_spawn(&harness->pid, path, &actions, &attributes, argv, environment) == 0);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    close(fds[1]);
    harness->fd = fds[0];
    setsockopt(harness->fd, SOL_SOCKET, SO_RCVTIMEO, &stall, sizeof(stall));
    harness->reader = iso_frame_reader_new(harness->fd, MAX_PAGE_BYTES + 1024);
    harness->writer = iso_frame_writer_new(harness->fd);
    ISO_ASSERT(harness->reader && harness->writer);
}

int harness_wait(struct harness *harness, double seconds)
{
    const struct timespec pause = {.tv_nsec = 5000000};
    int status;

    for (double waited = 0; waited < seconds; waited += 0.005) {
        if (waitpid(harness->pid, &status, WNOHANG) == harness->pid) {
            harness->pid = 0;
            return status;
        }
        nanosleep(&pause, NULL);
    }
    return -1;
}

int harness_stop(struct harness *harness)
{
    int status = -1;

    close(harness->fd);
    if (harness->pid != 0) {
        status = harness_wait(harness, 5);
        if (status < 0) {
            kill(-harness->pid, SIGKILL);
            waitpid(harness->pid, &status, 0);
        }
    }
    iso_frame_reader_free(harness->reader);
    iso_frame_writer_free(harness->writer);
    return status;
}

static void send_request(struct harness *harness, const Isocost__Internal__V1__HostRequest *request)
{
    bool empty = false;

    ISO_ASSERT(iso_frame_write(harness->writer, 1, ++harness->next_id, &request->base, -1, NULL) ==
               ISO_OK);
    iso_frame_flush(harness->writer, &empty, NULL); /* a dead host shows when reading */
}

static void keep_event(struct harness_result *result, Isocost__Internal__V1__HostEvent *event)
{
    result->events = iso_realloc(result->events, result->n_events + 1, sizeof(*result->events));
    ISO_ASSERT(result->events);
    result->events[result->n_events++] = event;
}

static void take_page(struct harness_result *result, const Isocost__Internal__V1__Page *page,
                      size_t n_bytes)
{
    size_t n_rows = page->n_offerings + page->n_products + page->n_quotas + page->n_overlays +
                    page->n_usage + page->n_costs + page->n_inventory + page->n_egress_rates;

    result->pages++;
    result->rows += (int64_t)n_rows;
    result->n_offerings += (int64_t)page->n_offerings;
    result->n_products += (int64_t)page->n_products;
    result->n_quotas += (int64_t)page->n_quotas;
    result->n_overlays += (int64_t)page->n_overlays;
    result->n_diagnostics += (int64_t)page->n_diagnostics;
    result->page_too_large |= n_bytes > MAX_PAGE_BYTES || n_rows + page->n_diagnostics > 5000;
}

/* True: more events follow. Takes the event. */
static bool take_event(struct harness_result *result, Isocost__Internal__V1__HostEvent *event,
                       const struct iso_frame *frame, struct iso_sha256 *sha)
{
    unsigned char sum[ISO_SHA256_BYTES];

    switch (event->event_case) {
    case ISOCOST__INTERNAL__V1__HOST_EVENT__EVENT_HELLO:
        result->hello = true;
        result->said = event->hello;
        keep_event(result, event);
        return false;
    case ISOCOST__INTERNAL__V1__HOST_EVENT__EVENT_PAGE:
        iso_sha256_update(sha, frame->payload, frame->n_bytes);
        take_page(result, event->page, frame->n_bytes);
        keep_event(result, event);
        return true;
    case ISOCOST__INTERNAL__V1__HOST_EVENT__EVENT_LOG:
        result->n_logs++;
        keep_event(result, event);
        return true;
    case ISOCOST__INTERNAL__V1__HOST_EVENT__EVENT_END:
        iso_sha256_final(sha, sum);
        result->end = true;
        result->end_pages = event->end->pages;
        result->end_rows = event->end->rows;
        result->hash_matches = event->end->sha256.len == sizeof(sum) &&
                               memcmp(event->end->sha256.data, sum, sizeof(sum)) == 0;
        keep_event(result, event);
        return false;
    default:
        ISO_ASSERT(event->event_case == ISOCOST__INTERNAL__V1__HOST_EVENT__EVENT_FAILURE);
        result->failure = true;
        result->failure_class = event->failure->class_;
        snprintf(result->text, sizeof(result->text), "%s", event->failure->message);
        keep_event(result, event);
        return false;
    }
}

static void read_answer(struct harness *harness, struct harness_result *result)
{
    struct iso_sha256 sha;
    bool more = true;

    iso_sha256_init(&sha);
    while (more) {
        struct iso_frame frame;
        struct iso_error error = {0};
        bool ready = false;

        if (iso_frame_read(harness->reader, &frame, &ready, &error) != ISO_OK || !ready) {
            result->closed = true;
            snprintf(result->text, sizeof(result->text), "%s", ready ? "" : error.text);
            return;
        }
        Isocost__Internal__V1__HostEvent *event =
            isocost__internal__v1__host_event__unpack(NULL, frame.n_bytes, frame.payload);
        if (!event) {
            result->closed = true;
            snprintf(result->text, sizeof(result->text), "not an event");
            return;
        }
        ISO_ASSERT(frame.request_id == harness->next_id && frame.type == 2);
        more = take_event(result, event, &frame, &sha);
    }
}

void harness_load_request(struct harness *harness, Isocost__Internal__V1__LoadRequest *load,
                          struct harness_result *ret_result)
{
    Isocost__Internal__V1__HostRequest request = ISOCOST__INTERNAL__V1__HOST_REQUEST__INIT;

    memset(ret_result, 0, sizeof(*ret_result));
    request.request_case = ISOCOST__INTERNAL__V1__HOST_REQUEST__REQUEST_LOAD;
    request.load = load;
    send_request(harness, &request);
    read_answer(harness, ret_result);
}

void harness_load(struct harness *harness, const char *path, const char *const *config,
                  const char *readable, struct harness_result *ret_result)
{
    Isocost__Internal__V1__LoadRequest load = ISOCOST__INTERNAL__V1__LOAD_REQUEST__INIT;
    Isocost__Internal__V1__ConfigValue values[16], *pointers[16];
    char instance[] = "test";
    char *paths[] = {(char *)(uintptr_t)readable};

    load.path = (char *)(uintptr_t)path;
    load.instance = instance;
    load.config = pointers;
    for (; config && config[2 * load.n_config]; load.n_config++) {
        ISO_ASSERT(load.n_config < ISO_ARRAY_LENGTH(values));
        isocost__internal__v1__config_value__init(&values[load.n_config]);
        values[load.n_config].name = (char *)(uintptr_t)config[2 * load.n_config];
        values[load.n_config].value = (char *)(uintptr_t)config[2 * load.n_config + 1];
        pointers[load.n_config] = &values[load.n_config];
    }
    load.readable_paths = paths;
    load.n_readable_paths = readable != NULL;
    harness_load_request(harness, &load, ret_result);
}

void harness_fetch(struct harness *harness, double deadline_seconds,
                   struct harness_result *ret_result)
{
    Isocost__Internal__V1__HostRequest request = ISOCOST__INTERNAL__V1__HOST_REQUEST__INIT;
    Isocost__Internal__V1__FetchRequest fetch = ISOCOST__INTERNAL__V1__FETCH_REQUEST__INIT;

    memset(ret_result, 0, sizeof(*ret_result));
    fetch.deadline_seconds = deadline_seconds;
    fetch.products = fetch.quotas = true;
    request.request_case = ISOCOST__INTERNAL__V1__HOST_REQUEST__REQUEST_FETCH;
    request.fetch = &fetch;
    send_request(harness, &request);
    read_answer(harness, ret_result);
}

void harness_fetch_records(struct harness *harness, double deadline_seconds,
                           struct harness_result *ret_result)
{
    Isocost__Internal__V1__HostRequest request = ISOCOST__INTERNAL__V1__HOST_REQUEST__INIT;
    Isocost__Internal__V1__FetchRequest fetch = ISOCOST__INTERNAL__V1__FETCH_REQUEST__INIT;
    Google__Protobuf__Timestamp from = GOOGLE__PROTOBUF__TIMESTAMP__INIT,
                                to = GOOGLE__PROTOBUF__TIMESTAMP__INIT;

    memset(ret_result, 0, sizeof(*ret_result));
    from.seconds = 1577836800; /* 2020-01-01 */
    to.seconds = 4102444800;   /* 2100-01-01 */
    fetch.deadline_seconds = deadline_seconds;
    fetch.no_offerings = fetch.usage = fetch.costs = fetch.inventory = true;
    fetch.from = &from;
    fetch.to = &to;
    request.request_case = ISOCOST__INTERNAL__V1__HOST_REQUEST__REQUEST_FETCH;
    request.fetch = &fetch;
    send_request(harness, &request);
    read_answer(harness, ret_result);
}

void harness_result_fini(struct harness_result *result)
{
    for (size_t i = 0; i < result->n_events; i++)
        isocost__internal__v1__host_event__free_unpacked(result->events[i], NULL);
    free(result->events);
    memset(result, 0, sizeof(*result));
}

const Isocost__V1__Diagnostic *harness_diagnostic(const struct harness_result *result,
                                                  const char *code)
{
    for (size_t e = 0; e < result->n_events; e++) {
        const Isocost__Internal__V1__HostEvent *event = result->events[e];
        if (event->event_case != ISOCOST__INTERNAL__V1__HOST_EVENT__EVENT_PAGE)
            continue;
        for (size_t i = 0; i < event->page->n_diagnostics; i++)
            if (strcmp(event->page->diagnostics[i]->code, code) == 0)
                return event->page->diagnostics[i];
    }
    return NULL;
}
