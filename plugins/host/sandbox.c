#include "sandbox.h"

#include <errno.h>
#include <linux/capability.h>
#include <math.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define DEFAULT_MEMORY_BYTES ((int64_t)512 << 20)
#define MAX_DESCRIPTORS 64

/* The sanitizers map terabytes of shadow memory, so a limit of address space would end them. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CAN_LIMIT_MEMORY false
#else
#define CAN_LIMIT_MEMORY true
#endif

void iso_sandbox_add_missing(struct iso_sandbox *sandbox, const char *name)
{
    if (sandbox->n_missing < ISO_SANDBOX_MAX_MISSING)
        sandbox->missing[sandbox->n_missing++] = name;
}

enum iso_status iso_sandbox_begin(pid_t parent, struct iso_error *reterr)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
        return iso_fail(reterr, ISO_E_INTERNAL, "", "PR_SET_PDEATHSIG: %s", strerror(errno));
    if (parent != 0 && getppid() != parent) /* it died before the signal was asked for */
        return iso_fail(reterr, ISO_E_UNAVAILABLE, "", "the parent process is gone");
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return iso_fail(reterr, ISO_E_INTERNAL, "", "PR_SET_NO_NEW_PRIVS: %s", strerror(errno));
    if (setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0}) != 0)
        return iso_fail(reterr, ISO_E_INTERNAL, "", "RLIMIT_CORE: %s", strerror(errno));
    return ISO_OK;
}

/* Sets both limits, or as much as the present hard limit allows. */
static enum iso_status limit(__rlimit_resource_t resource, const char *name, rlim_t most,
                             struct iso_error *reterr)
{
    struct rlimit now;

    if (getrlimit(resource, &now) == 0 && now.rlim_max < most)
        most = now.rlim_max;
    if (setrlimit(resource, &(struct rlimit){most, most}) != 0)
        return iso_fail(reterr, ISO_E_INTERNAL, "", "%s: %s", name, strerror(errno));
    return ISO_OK;
}

/* Keeps the right to read what the operator named, wherever it lies; the file system rules say
 * what that is. A process without capabilities has nothing to drop. */
static enum iso_status drop_capabilities(struct iso_error *reterr)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct now[2], kept[2] = {{0}};
    uint32_t read_search = 1u << CAP_DAC_READ_SEARCH;

    if (syscall(SYS_capget, &header, now) != 0)
        return iso_fail(reterr, ISO_E_INTERNAL, "", "capget: %s", strerror(errno));
    kept[0].permitted = kept[0].effective = now[0].permitted & read_search;
    if (syscall(SYS_capset, &header, kept) != 0)
        return iso_fail(reterr, ISO_E_INTERNAL, "", "capset: %s", strerror(errno));
    return ISO_OK;
}

enum iso_status iso_sandbox_close(struct iso_sandbox *sandbox, struct iso_error *reterr)
{
    int64_t memory = sandbox->memory_bytes > 0 ? sandbox->memory_bytes : DEFAULT_MEMORY_BYTES;

    if (CAN_LIMIT_MEMORY)
        ISO_TRY(limit(RLIMIT_AS, "RLIMIT_AS", (rlim_t)memory, reterr));
    else
        iso_sandbox_add_missing(sandbox, "address_space");
    ISO_TRY(limit(RLIMIT_NOFILE, "RLIMIT_NOFILE", MAX_DESCRIPTORS, reterr));
    ISO_TRY(drop_capabilities(reterr));
    ISO_TRY(iso_sandbox_close_files(sandbox, reterr));
    return iso_sandbox_close_calls(sandbox, reterr);
}

void iso_sandbox_budget(double seconds)
{
    struct rusage used;
    struct rlimit now;

    if (getrusage(RUSAGE_SELF, &used) != 0 || getrlimit(RLIMIT_CPU, &now) != 0)
        return;
    rlim_t spent = (rlim_t)used.ru_utime.tv_sec + (rlim_t)used.ru_stime.tv_sec + 2;
    now.rlim_cur = spent + (rlim_t)ceil(seconds);
    if (now.rlim_cur > now.rlim_max)
        now.rlim_cur = now.rlim_max;
    setrlimit(RLIMIT_CPU, &now);
}
