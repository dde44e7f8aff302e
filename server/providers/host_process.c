#include "host_process.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "isocost/base/sha256.h"
#include "isocost/proto/frame.h"
#include "isocost/proto/wire.h"

enum { FRAME_REQUEST = 1, FRAME_EVENT = 2 };
enum { CHILD_FD = 3, POLL_MS = 50, EXIT_GRACE_MS = 1000 };
#define PAGE_ARENA_BYTES ((size_t)256 << 20)
#define LATE_S 0.5 /* the host stops itself at the deadline; this is for the way back */
#define LATE_TEXT "the plugin did not finish within its %g seconds and was ended"

struct host {
    const struct iso_host_request *request;
    struct iso_host_report *report;
    pid_t pid;
    int fd;
    bool left; /* it closed its end by itself */
    struct iso_frame_reader *reader;
    struct iso_frame_writer *writer;
    double deadline_s; /* on the monotonic clock */
    int64_t n_pages, n_rows, n_diagnostics;
    struct iso_sha256 sha;
};

static double now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static enum iso_status crashed(struct host *host, struct iso_error *reterr, const char *what)
{
    host->report->crashed = true;
    return iso_fail(reterr, ISO_E_UNAVAILABLE, "", "the plugin host %s", what);
}

/* --- the process --- */

static int spawn_with(posix_spawn_file_actions_t *actions, posix_spawnattr_t *attributes,
                      const struct iso_host_request *request, int child_fd, pid_t *ret_pid)
{
    char fd_text[16], parent_text[16];
    char *const arguments[] = {(char *)"isocost-plugin-host", fd_text, parent_text,
                               request->load->instance, /* for who looks at processes */
                               NULL};
    char *const environment[] = {(char *)"PATH=/usr/bin:/bin", (char *)"LANG=C.UTF-8", NULL};
    sigset_t none, all;
    int code = 0;

    snprintf(fd_text, sizeof(fd_text), "%d", CHILD_FD);
    snprintf(parent_text, sizeof(parent_text), "%ld", (long)getpid());
    sigemptyset(&none);
    sigfillset(&all);
    for (int fd = 0; fd < CHILD_FD && code == 0; fd++)
        code = posix_spawn_file_actions_addopen(actions, fd, "/dev/null", O_RDWR, 0);
    if (code == 0)
        code = posix_spawn_file_actions_adddup2(actions, child_fd, CHILD_FD);
    if (code == 0)
        code = posix_spawn_file_actions_addclosefrom_np(actions, CHILD_FD + 1);
    if (code == 0)
        code = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                                        POSIX_SPAWN_SETSIGDEF);
    if (code == 0)
        code = posix_spawnattr_setpgroup(attributes, 0);
    if (code == 0)
        code = posix_spawnattr_setsigmask(attributes, &none);
    if (code == 0)
        code = posix_spawnattr_setsigdefault(attributes, &all);
    return code ? code
                : posix_spawn(ret_pid, request->host_path, actions, attributes, arguments,
                              environment);
}

static enum iso_status spawn_host(struct host *host, struct iso_error *reterr)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int pair[2], child_fd, code;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return iso_fail(reterr, ISO_E_UNAVAILABLE, "", "cannot make a socket pair: %s",
                        strerror(errno));
    host->fd = pair[0];
    /* Out of the way of 0..3, which the file actions write over. */
    child_fd = fcntl(pair[1], F_DUPFD_CLOEXEC, CHILD_FD + 1);
    close(pair[1]);
    if (child_fd < 0 || fcntl(host->fd, F_SETFL, O_NONBLOCK) != 0) {
        if (child_fd >= 0)
            close(child_fd);
        return iso_fail(reterr, ISO_E_UNAVAILABLE, "", "cannot set up a socket: %s",
                        strerror(errno));
    }
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    code = spawn_with(&actions, &attributes, host->request, child_fd, &host->pid);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    close(child_fd);
    if (code != 0) {
        host->pid = -1;
        return iso_fail(reterr, ISO_E_UNAVAILABLE, "", "cannot start the plugin host %.200s: %s",
                        host->request->host_path, strerror(code));
    }
    return ISO_OK;
}

/* Waits for the process a little if it ended well, kills its group, reaps it. The group is killed
 * before the reaping, while its id cannot be anybody else's. Returns the wait status. */
static int reap(struct host *host, bool let_end)
{
    int status = 0;

    for (int waited_ms = 0; let_end && waited_ms < EXIT_GRACE_MS; waited_ms += 5) {
        siginfo_t info = {0};
        if (waitid(P_PID, (id_t)host->pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
            info.si_pid == host->pid)
            break;
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    }
    kill(-host->pid, SIGKILL);
    while (waitpid(host->pid, &status, 0) < 0 && errno == EINTR)
        ;
    host->pid = -1;
    return status;
}

/* --- frames --- */

static enum iso_status check_time(struct host *host, struct iso_error *reterr)
{
    const struct iso_host_request *request = host->request;

    if (request->cancelled && request->cancelled(request->context))
        return iso_fail(reterr, ISO_E_CANCELLED, "", "the caller gave up");
    if (now_s() > host->deadline_s + LATE_S) {
        host->report->crashed = true;
        return iso_fail(reterr, ISO_E_DEADLINE, "", LATE_TEXT, request->deadline_s);
    }
    return ISO_OK;
}

static enum iso_status wait_for(struct host *host, short events, struct iso_error *reterr)
{
    struct pollfd poller = {.fd = host->fd, .events = events};

    ISO_TRY(check_time(host, reterr));
    if (poll(&poller, 1, POLL_MS) < 0 && errno != EINTR)
        return iso_fail(reterr, ISO_E_IO, "", "cannot wait for the plugin host: %s",
                        strerror(errno));
    return ISO_OK;
}

static enum iso_status send_request(struct host *host, uint64_t request_id,
                                    const Isocost__Internal__V1__HostRequest *message,
                                    struct iso_error *reterr)
{
    bool empty = false;

    ISO_TRY(iso_frame_write(host->writer, FRAME_REQUEST, request_id, &message->base, -1, reterr));
    for (;;) {
        struct iso_error error = {0};
        enum iso_status status = iso_frame_flush(host->writer, &empty, &error);
        if (status == ISO_E_UNAVAILABLE)
            return ISO_OK; /* it may have said why before it left; reading tells */
        if (status != ISO_OK)
            return iso_fail(reterr, status, "", "%s", error.text);
        if (empty)
            return ISO_OK;
        ISO_TRY(wait_for(host, POLLOUT, reterr));
    }
}

/* The next frame of the request, whole; logs are passed on and not returned. */
static enum iso_status receive(struct host *host, uint64_t request_id, struct iso_frame *ret_frame,
                               struct iso_error *reterr)
{
    for (;;) {
        struct iso_error error = {0};
        bool ready = false;
        enum iso_status status = iso_frame_read(host->reader, ret_frame, &ready, &error);

        if (status == ISO_E_UNAVAILABLE) {
            host->left = true;
            return crashed(host, reterr, "ended before it was done");
        }
        if (status == ISO_E_NOMEM)
            return iso_fail(reterr, status, "", "%s", error.text);
        if (status != ISO_OK) {
            host->report->crashed = true;
            return iso_fail(reterr, ISO_E_UNAVAILABLE, "",
                            "the plugin host sent a broken frame: %s", error.text);
        }
        if (!ready) {
            ISO_TRY(wait_for(host, POLLIN, reterr));
            continue;
        }
        if (ret_frame->passed_fd >= 0) {
            close(ret_frame->passed_fd);
            return crashed(host, reterr, "sent a descriptor, which it must not");
        }
        if (ret_frame->type != FRAME_EVENT || ret_frame->request_id != request_id)
            return crashed(host, reterr, "answered something that was not asked");
        return check_time(host, reterr);
    }
}

static enum iso_status decode(struct host *host, const struct iso_frame *frame,
                              struct iso_arena *arena, Isocost__Internal__V1__HostEvent **ret_event,
                              struct iso_error *reterr)
{
    static const struct iso_wire_limits limits = {.max_bytes = ISO_HOST_PAGE_BYTES,
                                                  .max_messages = 1000000,
                                                  .max_strings = 2000000,
                                                  .max_string_bytes = 65536,
                                                  .max_depth = 16};
    struct iso_violations violations = {.arena = arena};
    struct iso_error error = {0};
    ProtobufCMessage *message = NULL;

    if (iso_wire_decode(&isocost__internal__v1__host_event__descriptor, frame->payload,
                        frame->n_bytes, &limits, arena, &violations, &message, &error) != ISO_OK) {
        host->report->crashed = true;
        return iso_fail(reterr, ISO_E_UNAVAILABLE, "",
                        "the plugin host sent a message that is not allowed: %.80s %.200s",
                        error.field, error.text);
    }
    *ret_event = (Isocost__Internal__V1__HostEvent *)message;
    return ISO_OK;
}

/* --- what the events mean --- */

static enum iso_status take_failure(struct host *host,
                                    const Isocost__Internal__V1__Failure *failure,
                                    struct iso_error *reterr)
{
    static const enum iso_status by_class[] = {ISO_E_PRECONDITION, ISO_E_UNAVAILABLE,
                                               ISO_E_PRECONDITION, ISO_E_UNAUTHENTICATED,
                                               ISO_E_UNAVAILABLE};
    enum iso_status status = ISO_E_PRECONDITION;
    const char *code = failure->provider_code;

    if ((size_t)failure->class_ < ISO_ARRAY_LENGTH(by_class))
        status = by_class[failure->class_];
    if (isfinite(failure->retry_after_seconds) && failure->retry_after_seconds > 0)
        host->report->retry_after_s = failure->retry_after_seconds;
    host->report->refused = !host->report->loaded;
    return iso_fail(reterr, status, "", "%.300s%s%.40s%s",
                    failure->message[0] ? failure->message : "the plugin gave no reason",
                    code[0] ? " (" : "", code, code[0] ? ")" : "");
}

static void take_hello(struct host *host, const Isocost__Internal__V1__Hello *hello)
{
    struct iso_host_report *report = host->report;
    size_t n = 0;

    report->loaded = true;
    report->capabilities = hello->capabilities;
    snprintf(report->version, sizeof(report->version), "%s", hello->version);
    report->missing_protections[0] = '\0';
    for (size_t i = 0; i < hello->n_missing_protections; i++) {
        size_t left = sizeof(report->missing_protections) - n;
        int wrote = snprintf(report->missing_protections + n, left, "%s%s", n ? " " : "",
                             hello->missing_protections[i]);
        if (wrote < 0 || (size_t)wrote >= left)
            break;
        n += (size_t)wrote;
    }
}

static enum iso_status take_page(struct host *host, const struct iso_frame *frame,
                                 Isocost__Internal__V1__Page *page, struct iso_arena *arena,
                                 struct iso_error *reterr)
{
    const struct iso_host_request *request = host->request;

    iso_sha256_update(&host->sha, frame->payload, frame->n_bytes);
    host->n_pages++;
    host->n_rows +=
        (int64_t)(page->n_offerings + page->n_products + page->n_quotas + page->n_overlays +
                  page->n_egress_rates + page->n_usage + page->n_costs + page->n_inventory);
    host->n_diagnostics += (int64_t)page->n_diagnostics;
    if (host->n_rows + host->n_diagnostics > ISO_HOST_MAX_ROWS) {
        host->report->crashed = true;
        return iso_fail(reterr, ISO_E_LIMIT, "", "the plugin sent more than %d rows",
                        ISO_HOST_MAX_ROWS);
    }
    return request->page ? request->page(request->context, page, arena, reterr) : ISO_OK;
}

static enum iso_status check_end(struct host *host, const Isocost__Internal__V1__End *end,
                                 struct iso_error *reterr)
{
    unsigned char digest[ISO_SHA256_BYTES];

    iso_sha256_final(&host->sha, digest);
    if (end->pages != host->n_pages || end->rows != host->n_rows) {
        host->report->crashed = true;
        return iso_fail(reterr, ISO_E_UNAVAILABLE, "",
                        "the plugin host says it sent %lld rows in %lld pages; %lld rows in %lld "
                        "pages came",
                        (long long)end->rows, (long long)end->pages, (long long)host->n_rows,
                        (long long)host->n_pages);
    }
    if (end->sha256.len != sizeof(digest) || memcmp(end->sha256.data, digest, sizeof(digest)) != 0)
        return crashed(host, reterr, "sent a checksum that is not that of its pages");
    return ISO_OK;
}

static enum iso_status take_event(struct host *host, uint64_t request_id, bool *ret_done,
                                  struct iso_error *reterr)
{
    const struct iso_host_request *request = host->request;
    ISO_AUTO(iso_arena) arena = iso_arena_new(PAGE_ARENA_BYTES);
    Isocost__Internal__V1__HostEvent *event = NULL;
    struct iso_frame frame;

    if (!arena)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a page");
    ISO_TRY(receive(host, request_id, &frame, reterr));
    ISO_TRY(decode(host, &frame, arena, &event, reterr));
    switch (event->event_case) {
    case ISOCOST__INTERNAL__V1__HOST_EVENT__EVENT_LOG:
        if (request->log)
            request->log(request->context, event->log->level, event->log->text);
        return ISO_OK;
    case ISOCOST__INTERNAL__V1__HOST_EVENT__EVENT_FAILURE:
        return take_failure(host, event->failure, reterr);
    case ISOCOST__INTERNAL__V1__HOST_EVENT__EVENT_HELLO:
        if (host->report->loaded)
            return crashed(host, reterr, "said hello twice");
        take_hello(host, event->hello);
        *ret_done = true;
        return host->request->hello
                   ? host->request->hello(host->request->context, event->hello, reterr)
                   : ISO_OK;
    case ISOCOST__INTERNAL__V1__HOST_EVENT__EVENT_PAGE:
        if (!host->report->loaded)
            return crashed(host, reterr, "sent rows before it was loaded");
        return take_page(host, &frame, event->page, arena, reterr);
    case ISOCOST__INTERNAL__V1__HOST_EVENT__EVENT_END:
        if (!host->report->loaded)
            return crashed(host, reterr, "ended before it was loaded");
        *ret_done = true;
        return check_end(host, event->end, reterr);
    default:
        return crashed(host, reterr, "sent an event that this isocostd does not know");
    }
}

static enum iso_status ask(struct host *host, uint64_t request_id,
                           const Isocost__Internal__V1__HostRequest *message,
                           struct iso_error *reterr)
{
    bool done = false;

    ISO_TRY(send_request(host, request_id, message, reterr));
    while (!done)
        ISO_TRY(take_event(host, request_id, &done, reterr));
    return ISO_OK;
}

static enum iso_status converse(struct host *host, struct iso_error *reterr)
{
    Isocost__Internal__V1__HostRequest load = ISOCOST__INTERNAL__V1__HOST_REQUEST__INIT;
    Isocost__Internal__V1__HostRequest fetch = ISOCOST__INTERNAL__V1__HOST_REQUEST__INIT;
    Isocost__Internal__V1__FetchRequest what = ISOCOST__INTERNAL__V1__FETCH_REQUEST__INIT;

    host->reader = iso_frame_reader_new(host->fd, ISO_HOST_PAGE_BYTES);
    host->writer = iso_frame_writer_new(host->fd);
    if (!host->reader || !host->writer)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a plugin host");
    load.request_case = ISOCOST__INTERNAL__V1__HOST_REQUEST__REQUEST_LOAD;
    load.load = (Isocost__Internal__V1__LoadRequest *)host->request->load;
    ISO_TRY(ask(host, 1, &load, reterr));
    if (!host->report->loaded)
        return crashed(host, reterr, "did not say hello");
    if (!host->request->fetch)
        return ISO_OK;
    what.products = what.quotas = true;
    if (host->request->what)
        what = *host->request->what;
    what.deadline_seconds = host->deadline_s - now_s();
    if (what.deadline_seconds < 0.1)
        what.deadline_seconds = 0.1;
    fetch.request_case = ISOCOST__INTERNAL__V1__HOST_REQUEST__REQUEST_FETCH;
    fetch.fetch = &what;
    return ask(host, 2, &fetch, reterr);
}

enum iso_status iso_host_run(const struct iso_host_request *request, struct iso_host_report *report,
                             struct iso_error *reterr)
{
    struct host host = {.request = request,
                        .report = report,
                        .pid = -1,
                        .fd = -1,
                        .deadline_s = now_s() + request->deadline_s};
    struct iso_error error = {0};
    enum iso_status status;

    iso_sha256_init(&host.sha);
    status = spawn_host(&host, &error);
    if (status == ISO_OK)
        status = converse(&host, &error);
    iso_frame_reader_free(host.reader);
    iso_frame_writer_free(host.writer);
    if (host.fd >= 0)
        close(host.fd);
    if (host.pid > 0) {
        int how = reap(&host, status == ISO_OK || report->refused || host.left);
        if (host.left && WIFSIGNALED(how) && WTERMSIG(how) == SIGALRM) /* it watches itself too */
            return iso_fail(reterr, ISO_E_DEADLINE, "", LATE_TEXT, request->deadline_s);
        if (host.left && WIFSIGNALED(how))
            return iso_fail(reterr, status, error.field, "%s (killed by signal %d, %s)", error.text,
                            WTERMSIG(how), strsignal(WTERMSIG(how)));
        if (host.left && WIFEXITED(how))
            return iso_fail(reterr, status, error.field, "%s (exit status %d)", error.text,
                            WEXITSTATUS(how));
    }
    return status == ISO_OK ? ISO_OK : iso_fail(reterr, status, error.field, "%s", error.text);
}
