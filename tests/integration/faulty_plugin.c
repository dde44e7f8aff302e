/* A plugin with one fault. FAULT names what fetch() does; DESCRIPTOR_CHANGE, if defined, spoils the
 * descriptor instead. */
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "isocost/plugin.h"

#ifndef FAULT
#define FAULT "none"
#endif
#ifndef DESCRIPTOR_CHANGE
#define DESCRIPTOR_CHANGE .struct_size = sizeof(struct iso_plugin)
#endif
#define HOST_FD 3
#define MIB ((size_t)1 << 20)

struct config {
    int64_t count;
};

static const struct iso_param params[] = {
    {ISO_PARAM_INT, "count", "1", 1, 100, "", NULL, "Not used.", offsetof(struct config, count)},
    {.type = ISO_PARAM_END},
};

/* What fetch() was given. */
struct call {
    const struct iso_host *host;
    struct iso_sink *sink;
    struct iso_failure *failure;
};

static volatile sig_atomic_t always = 1; /* keeps the compiler from knowing better */

static enum iso_status segv(const struct call *call, struct iso_error *reterr)
{
    (void)call;
    (void)reterr;
    raise(SIGSEGV);
    return ISO_OK;
}

static enum iso_status call_abort(const struct call *call, struct iso_error *reterr)
{
    (void)call;
    (void)reterr;
    abort();
}

static int recurse(int depth)
{
    volatile char frame[4096];

    frame[depth % 4096] = (char)depth;
    return always ? recurse(depth + 1) + frame[0] : frame[1];
}

static enum iso_status overflow_stack(const struct call *call, struct iso_error *reterr)
{
    (void)call;
    return recurse(0) ? ISO_OK : iso_fail(reterr, ISO_E_INTERNAL, "", "never");
}

static enum iso_status hang(const struct call *call, struct iso_error *reterr)
{
    (void)call;
    (void)reterr;
    while (always)
        ;
    return ISO_OK;
}

static enum iso_status leave(const struct call *call, struct iso_error *reterr)
{
    (void)call;
    (void)reterr;
    _exit(0);
}

static enum iso_status eat_memory(const struct call *call, struct iso_error *reterr)
{
    (void)call;
    for (size_t n = 0; n < 4096; n++) {
        char *eaten = malloc(MIB);
        if (!eaten)
            return iso_fail(reterr, ISO_E_NOMEM, "", "no memory after %zu MiB", n);
        memset(eaten, 1, MIB); /* never freed */
    }
    return iso_fail(reterr, ISO_E_INTERNAL, "", "nobody stopped it");
}

static enum iso_status send_garbage(const struct call *call, struct iso_error *reterr)
{
    unsigned char header[24] = {'I', 'S', 'O', '1', 0, 0, 0, 0x80};

    (void)call;
    (void)reterr;
    if (write(HOST_FD, header, sizeof(header)) < 0)
        return ISO_E_IO;
    return ISO_OK;
}

/* Reports what an attempt came to: "ok" or the error's name. */
static enum iso_status tell(struct iso_sink *sink, const char *what, long outcome,
                            struct iso_error *reterr)
{
    const char *text = outcome >= 0 ? "ok" : strerrorname_np(errno);

    return iso_put_diagnostics(sink, &(struct iso_plugin_diagnostic){.code = what, .text = text}, 1,
                               reterr);
}

static long fork_once(void)
{
    pid_t pid = fork();

    if (pid == 0)
        _exit(0);
    if (pid > 0)
        waitpid(pid, NULL, 0);
    return pid;
}

static enum iso_status break_out(const struct call *call, struct iso_error *reterr)
{
    char *argv[] = {NULL};
    struct rlimit limit = {1, 1};

    ISO_TRY(tell(call->sink, "fork", fork_once(), reterr));
    ISO_TRY(tell(call->sink, "clone3", syscall(SYS_clone3, NULL, 0), reterr));
    ISO_TRY(tell(call->sink, "exec", execve("/bin/true", argv, argv), reterr));
    ISO_TRY(tell(call->sink, "ptrace", ptrace(PTRACE_ATTACH, getppid(), NULL, NULL), reterr));
    ISO_TRY(tell(call->sink, "kill", kill(getppid(), 0), reterr));
    ISO_TRY(
        tell(call->sink, "limit_parent", prlimit(getppid(), RLIMIT_CORE, &limit, NULL), reterr));
    ISO_TRY(tell(call->sink, "leave_group", setsid(), reterr));
    ISO_TRY(tell(call->sink, "unshare", unshare(CLONE_NEWUSER), reterr));
    ISO_TRY(tell(call->sink, "unix_socket", socket(AF_UNIX, SOCK_STREAM, 0), reterr));
    ISO_TRY(tell(call->sink, "read_shadow", open("/etc/shadow", O_RDONLY), reterr));
    ISO_TRY(tell(call->sink, "read_passwd", open("/etc/passwd", O_RDONLY), reterr));
    ISO_TRY(tell(call->sink, "write_tmp", open("/tmp/isocost-escaped", O_WRONLY | O_CREAT, 0600),
                 reterr));
    ISO_TRY(tell(call->sink, "read_resolver", open("/etc/hosts", O_RDONLY), reterr));
    return tell(call->sink, "internet_socket", socket(AF_INET, SOCK_STREAM, 0), reterr);
}

static enum iso_status hide_refusal(const struct call *call, struct iso_error *reterr)
{
    static char huge[2 * 1024 * 1024];

    (void)reterr;
    memset(huge, 'x', sizeof(huge) - 1);
    iso_put_offerings(call->sink, &(struct iso_plugin_offering){.provider = "x", .type = huge}, 1,
                      NULL);
    return ISO_OK;
}

static enum iso_status too_many_rows(const struct call *call, struct iso_error *reterr)
{
    static struct iso_plugin_quota rows[1000];

    for (int i = 0; i < 2001; i++)
        ISO_TRY(iso_put_quotas(call->sink, rows, ISO_ARRAY_LENGTH(rows), reterr));
    return ISO_OK;
}

/* Not a fault: overlays of the size that they had in version 1.2. */
static enum iso_status send_old_rows(const struct call *call, struct iso_error *reterr)
{
    struct old_overlay {
        struct iso_plugin_selector offerings;
        struct iso_amount price;
        const char *currency;
        struct iso_amount price_factor;
        int32_t status;
        struct iso_amount availability;
    } rows[2] = {{.price_factor = {true, 900000000}},
                 {.price_factor = {true, 800000000}, .status = ISO_PLUGIN_STATUS_AVAILABLE}};

    return call->sink->put(call->sink, ISO_ROW_OVERLAY, rows, 2, sizeof(rows[0]), reterr);
}

/* Half of a frame's header, and then nothing more. */
static enum iso_status send_half_a_frame(const struct call *call, struct iso_error *reterr)
{
    (void)call;
    (void)reterr;
    if (write(HOST_FD, "ISO1\x10", 5) < 0)
        return ISO_E_IO;
    _exit(0);
}

static enum iso_status hang_up(const struct call *call, struct iso_error *reterr)
{
    close(HOST_FD);
    return hang(call, reterr);
}

static enum iso_status send_rows(const struct call *call, iso_decimal price,
                                 struct iso_error *reterr)
{
    const struct iso_plugin_offering offering = {
        .provider = call->host->instance,
        .type = "server",
        .purchase = ISO_PLUGIN_PURCHASE_ON_DEMAND,
        .price = {true, price},
        .currency = "USD",
    };

    return iso_put_offerings(call->sink, &offering, 1, reterr);
}

static enum iso_status be_well(const struct call *call, struct iso_error *reterr)
{
    return send_rows(call, ISO_DECIMAL_ONE, reterr);
}

static enum iso_status send_wrong_rows(const struct call *call, struct iso_error *reterr)
{
    return send_rows(call, -ISO_DECIMAL_ONE, reterr);
}

/* Rows that are good, but not all there are. */
static enum iso_status fail_half_way(const struct call *call, struct iso_error *reterr)
{
    ISO_TRY(send_rows(call, 2 * ISO_DECIMAL_ONE, reterr));
    return iso_fail(reterr, ISO_E_UNAVAILABLE, "", "the second page did not come");
}

static enum iso_status crash_half_way(const struct call *call, struct iso_error *reterr)
{
    ISO_TRY(send_rows(call, 2 * ISO_DECIMAL_ONE, reterr));
    return segv(call, reterr);
}

static enum iso_status be_throttled(const struct call *call, struct iso_error *reterr)
{
    call->failure->failure_class = ISO_FAILURE_QUOTA;
    call->failure->retry_after_ms = 1000;
    snprintf(call->failure->provider_code, sizeof(call->failure->provider_code), "SlowDown");
    return iso_fail(reterr, ISO_E_UNAVAILABLE, "", "the provider throttles");
}

static enum iso_status find_nobody(const struct call *call, struct iso_error *reterr)
{
    (void)call;
    return iso_fail(reterr, ISO_E_UNAVAILABLE, "", "the provider does not answer");
}

static enum iso_status be_refused(const struct call *call, struct iso_error *reterr)
{
    (void)call;
    return iso_fail(reterr, ISO_E_UNAUTHENTICATED, "", "the provider refuses the key");
}

static enum iso_status say_nothing(const struct call *call, struct iso_error *reterr)
{
    (void)call;
    (void)reterr;
    return ISO_E_UNAUTHENTICATED;
}

static enum iso_status do_nothing(const struct call *call, struct iso_error *reterr)
{
    (void)call;
    (void)reterr;
    return ISO_OK;
}

static const struct {
    const char *name;
    enum iso_status (*run)(const struct call *call, struct iso_error *reterr);
} faults[] = {
    {"segv", segv},
    {"abort", call_abort},
    {"stack", overflow_stack},
    {"hang", hang},
    {"exit", leave},
    {"memory", eat_memory},
    {"garbage", send_garbage},
    {"escape", break_out},
    {"hide", hide_refusal},
    {"many", too_many_rows},
    {"silent", say_nothing},
    {"old", send_old_rows},
    {"none", do_nothing},
    {"half_frame", send_half_a_frame},
    {"hang_up", hang_up},
    {"well", be_well},
    {"wrong_rows", send_wrong_rows},
    {"half_way", fail_half_way},
    {"half_way_crash", crash_half_way},
    {"throttled", be_throttled},
    {"unavailable", find_nobody},
    {"refused_key", be_refused},
};

static enum iso_status faulty_create(const void *config, const struct iso_host *host,
                                     void **ret_instance, struct iso_error *reterr)
{
    static const struct iso_host *instance;

    (void)config;
    (void)reterr;
    instance = host;
    *ret_instance = &instance;
    return ISO_OK;
}

static void faulty_destroy(void *instance)
{
    (void)instance;
}

static enum iso_status faulty_fetch(void *instance, const struct iso_fetch *what,
                                    struct iso_sink *sink, struct iso_failure *retfailure,
                                    struct iso_error *reterr)
{
    const struct call call = {*(const struct iso_host **)instance, sink, retfailure};

    (void)what;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(faults); i++)
        if (strcmp(faults[i].name, FAULT) == 0)
            return faults[i].run(&call, reterr);
    return iso_fail(reterr, ISO_E_INTERNAL, "", "no fault is named %s", FAULT);
}

/* Without the symbol that a plugin exports there is nothing else to export. */
#ifdef OTHER_SYMBOL
#define iso_plugin_v1 iso_plugin_v0
ISO_EXPORT extern const struct iso_plugin iso_plugin_v0;
#endif

const struct iso_plugin iso_plugin_v1 = {
    ISO_PLUGIN_HEAD,
    .caps = ISO_CAP_CATALOG,
    .name = "faulty",
    .version = "1",
    .summary = "Goes wrong.",
    .params = params,
    .config_size = sizeof(struct config),
    .create = faulty_create,
    .destroy = faulty_destroy,
    .fetch = faulty_fetch,
    DESCRIPTOR_CHANGE,
};
