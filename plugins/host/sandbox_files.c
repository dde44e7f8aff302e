/* The file system rules: Landlock, as much of it as the kernel knows.
 *
 * The calls have no wrapper in libc, and the constants of later versions are not in the headers of
 * older systems, so both are written out here (kernel documentation: userspace-api/landlock.rst).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sandbox.h"

#define FS_1_TO_13 ((UINT64_C(1) << 13) - 1)   /* version 1 */
#define FS_REFER (UINT64_C(1) << 13)           /* version 2 */
#define FS_TRUNCATE (UINT64_C(1) << 14)        /* version 3 */
#define FS_IOCTL_DEV (UINT64_C(1) << 15)       /* version 5 */
#define NET_BIND_TCP UINT64_C(1)               /* version 4 */
#define SCOPE_ABSTRACT_UNIX_SOCKET UINT64_C(1) /* version 6 */
#define SCOPE_SIGNAL (UINT64_C(1) << 1)

/* struct landlock_ruleset_attr of version 6; an older kernel takes a prefix. */
struct ruleset {
    uint64_t files, network, scoped;
};

/* Libraries, certificates, the resolver's files, time zones. What does not exist is left out. */
static const char *const system_paths[] = {
    "/lib",           "/lib64",           "/usr/lib",      "/usr/lib64",
    "/usr/local/lib", "/etc/ld.so.cache", "/etc/ssl",      "/usr/share/ca-certificates",
    "/etc/pki",       "/etc/resolv.conf", "/etc/hosts",    "/etc/nsswitch.conf",
    "/etc/host.conf", "/etc/gai.conf",    "/etc/services", "/usr/share/zoneinfo",
    "/etc/localtime", "/dev/null",        "/dev/urandom",  "/proc/self",
};

static enum iso_status allow(int ruleset, const char *path, uint64_t rights, bool must_exist,
                             struct iso_error *reterr)
{
    struct landlock_path_beneath_attr rule = {.allowed_access = rights};
    struct stat about;

    rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
    if (rule.parent_fd < 0)
        return must_exist ? iso_fail(reterr, ISO_E_INVALID, "readable_paths", "%.200s: %s", path,
                                     strerror(errno))
                          : ISO_OK;
    if (fstat(rule.parent_fd, &about) == 0 && !S_ISDIR(about.st_mode))
        rule.allowed_access &= ~(uint64_t)LANDLOCK_ACCESS_FS_READ_DIR;
    long added = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    int why = errno;
    close(rule.parent_fd);
    if (added != 0)
        return iso_fail(reterr, ISO_E_INTERNAL, "", "landlock rule for %.200s: %s", path,
                        strerror(why));
    return ISO_OK;
}

static enum iso_status allow_all(int ruleset, const struct iso_sandbox *sandbox, uint64_t all,
                                 struct iso_error *reterr)
{
    const uint64_t to_read = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
    const uint64_t never = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_MAKE_CHAR |
                           LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SOCK |
                           LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_SYM |
                           FS_IOCTL_DEV;

    for (size_t i = 0; i < ISO_ARRAY_LENGTH(system_paths); i++)
        ISO_TRY(allow(ruleset, system_paths[i], to_read, /* must_exist= */ false, reterr));
    ISO_TRY(allow(ruleset, sandbox->plugin_folder, to_read, /* must_exist= */ true, reterr));
    for (size_t i = 0; i < sandbox->n_readable; i++) {
        if (sandbox->readable[i][0] != '/')
            return iso_fail(reterr, ISO_E_INVALID, "readable_paths",
                            "\"%.200s\" is not an absolute path", sandbox->readable[i]);
        ISO_TRY(allow(ruleset, sandbox->readable[i], to_read, /* must_exist= */ true, reterr));
    }
    if (sandbox->ca_file && sandbox->ca_file[0])
        ISO_TRY(allow(ruleset, sandbox->ca_file, to_read, /* must_exist= */ true, reterr));
    if (sandbox->cache_directory[0])
        ISO_TRY(
            allow(ruleset, sandbox->cache_directory, all & ~never, /* must_exist= */ true, reterr));
    return ISO_OK;
}

enum iso_status iso_sandbox_close_files(struct iso_sandbox *sandbox, struct iso_error *reterr)
{
    struct ruleset rules = {.files = FS_1_TO_13};
    size_t size = sizeof(rules.files);
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

    if (version < 1) {
        iso_sandbox_add_missing(sandbox, "landlock");
        return ISO_OK;
    }
    if (version >= 2)
        rules.files |= FS_REFER;
    if (version >= 3)
        rules.files |= FS_TRUNCATE;
    else
        iso_sandbox_add_missing(sandbox, "landlock_truncate");
    if (version >= 4) {
        rules.network = NET_BIND_TCP;
        size = offsetof(struct ruleset, scoped);
    } else {
        iso_sandbox_add_missing(sandbox, "landlock_network");
    }
    if (version >= 5)
        rules.files |= FS_IOCTL_DEV;
    if (version >= 6) {
        rules.scoped = SCOPE_ABSTRACT_UNIX_SOCKET | SCOPE_SIGNAL;
        size = sizeof(rules);
    } else {
        iso_sandbox_add_missing(sandbox, "landlock_scope");
    }

    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &rules, size, 0);
    if (ruleset < 0)
        return iso_fail(reterr, ISO_E_INTERNAL, "", "landlock: %s", strerror(errno));
    enum iso_status status = allow_all(ruleset, sandbox, rules.files, reterr);
    if (status == ISO_OK && syscall(SYS_landlock_restrict_self, ruleset, 0) != 0)
        status = iso_fail(reterr, ISO_E_INTERNAL, "", "landlock: %s", strerror(errno));
    close(ruleset);
    return status;
}
