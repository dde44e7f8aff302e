/* The system call rules: a list of what a plugin has no business with. Everything on it fails with
 * EPERM, so that a library which merely tries goes on. */
#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sandbox.h"

#define N_SOCKET_DOMAINS 64

static const char *const denied_calls[] = {
    /* other programs and processes */
    "fork",
    "vfork",
    "execve",
    "execveat",
    "ptrace",
    "process_vm_readv",
    "process_vm_writev",
    "process_madvise",
    "kcmp",
    "pidfd_open",
    "pidfd_getfd",
    "pidfd_send_signal",
    "tkill",
    "rt_sigqueueinfo",
    "rt_tgsigqueueinfo",
    "setpgid",
    "setsid",
    "setpriority",
    "ioprio_set",
    "sched_setaffinity",
    "sched_setattr",
    "sched_setparam",
    "sched_setscheduler",
    "migrate_pages",
    "move_pages",
    /* who and where the process is */
    "setuid",
    "setgid",
    "setreuid",
    "setregid",
    "setresuid",
    "setresgid",
    "setgroups",
    "setfsuid",
    "setfsgid",
    "capset",
    "setns",
    "unshare",
    "chroot",
    "pivot_root",
    "personality",
    /* file systems */
    "mount",
    "umount",
    "umount2",
    "move_mount",
    "open_tree",
    "fsopen",
    "fsconfig",
    "fsmount",
    "fspick",
    "mount_setattr",
    "swapon",
    "swapoff",
    "quotactl",
    "quotactl_fd",
    "fanotify_init",
    "name_to_handle_at",
    "open_by_handle_at",
    "mknod",
    "mknodat",
    "chmod",
    "fchmod",
    "fchmodat",
    "chown",
    "fchown",
    "fchownat",
    "lchown",
    "setxattr",
    "lsetxattr",
    "fsetxattr",
    /* the kernel and the machine */
    "kexec_load",
    "kexec_file_load",
    "init_module",
    "finit_module",
    "delete_module",
    "bpf",
    "perf_event_open",
    "userfaultfd",
    "io_uring_setup",
    "io_uring_enter",
    "io_uring_register",
    "keyctl",
    "add_key",
    "request_key",
    "reboot",
    "syslog",
    "acct",
    "iopl",
    "ioperm",
    "settimeofday",
    "clock_settime",
    "clock_adjtime",
    "adjtimex",
    "stime",
    "sethostname",
    "setdomainname",
    "vhangup",
    "lookup_dcookie",
    "nfsservctl",
    "uselib",
    "modify_ldt",
    /* shared memory and queues of System V, which are outside the file system */
    "shmget",
    "shmat",
    "msgget",
    "semget",
};

static int deny_named(scmp_filter_ctx filter)
{
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(denied_calls); i++) {
        int call = seccomp_syscall_resolve_name(denied_calls[i]);
        if (call == __NR_SCMP_ERROR)
            continue; /* newer than the library, so than its kernel's headers */
        int failed = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), call, 0);
        if (failed)
            return failed;
    }
    return 0;
}

/* Threads may be made, processes may not. clone3's flags are behind a pointer, where a filter
 * cannot look: without it, libc falls back to clone. */
static int deny_processes(scmp_filter_ctx filter)
{
    int failed = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
                                  SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0));
    if (failed == 0)
        failed = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
    return failed;
}

/* Only this process can be signalled, and only its own limits changed. */
static int deny_others(scmp_filter_ctx filter)
{
    scmp_datum_t self = (scmp_datum_t)getpid();
    int failed = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(kill), 1,
                                  SCMP_A0(SCMP_CMP_NE, self));
    if (failed == 0)
        failed = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(tgkill), 1,
                                  SCMP_A0(SCMP_CMP_NE, self));
    if (failed == 0)
        failed = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(prlimit64), 1,
                                  SCMP_A0(SCMP_CMP_NE, 0));
    return failed;
}

/* Internet sockets, and the netlink ones that name resolution asks for; never unix sockets, behind
 * which the server itself listens. */
static int deny_sockets(scmp_filter_ctx filter)
{
    int failed = 0;

    for (unsigned domain = 0; domain < N_SOCKET_DOMAINS && failed == 0; domain++)
        if (domain != AF_INET && domain != AF_INET6 && domain != AF_NETLINK)
            failed = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(socket), 1,
                                      SCMP_A0(SCMP_CMP_EQ, domain));
    if (failed == 0)
        failed = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(socket), 1,
                                  SCMP_A0(SCMP_CMP_GE, N_SOCKET_DOMAINS));
    return failed;
}

enum iso_status iso_sandbox_close_calls(struct iso_sandbox *sandbox, struct iso_error *reterr)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    int failed;

    if (!filter)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a system call filter");
    failed = deny_named(filter);
    if (failed == 0)
        failed = deny_processes(filter);
    if (failed == 0)
        failed = deny_others(filter);
    if (failed == 0)
        failed = deny_sockets(filter);
    if (failed != 0) {
        seccomp_release(filter);
        return iso_fail(reterr, ISO_E_INTERNAL, "", "system call filter: %s", strerror(-failed));
    }
    failed = seccomp_load(filter);
    seccomp_release(filter);
    if (failed == -ENOSYS || failed == -EINVAL)
        iso_sandbox_add_missing(sandbox, "seccomp");
    else if (failed != 0)
        return iso_fail(reterr, ISO_E_INTERNAL, "", "system call filter: %s", strerror(-failed));
    return ISO_OK;
}
