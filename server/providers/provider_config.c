#include "provider_config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hygiene.h"
#include "isocost/base/sha256.h"
#include "isocost/proto/json.h"

enum { MAX_FILE_BYTES = 1 << 20, MAX_SECRET_BYTES = 65536, MAX_OWNER_BYTES = 64 };

/* --- providers.yaml --- */

static enum iso_status read_file(int fd, const char *path, size_t max_bytes,
                                 struct iso_arena *arena, char **ret_text, size_t *ret_n_bytes,
                                 struct iso_error *reterr)
{
    char *text = iso_arena_calloc(arena, max_bytes + 2, 1);
    size_t n = 0;

    if (!text)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to read %.200s", path);
    for (;;) {
        ssize_t n_read = read(fd, text + n, max_bytes + 1 - n);
        if (n_read < 0 && errno == EINTR)
            continue;
        if (n_read < 0)
            return iso_fail(reterr, ISO_E_IO, "", "cannot read %.200s: %s", path, strerror(errno));
        if (n_read == 0)
            break;
        n += (size_t)n_read;
        if (n > max_bytes)
            return iso_fail(reterr, ISO_E_LIMIT, "", "%.200s has more than %zu bytes", path,
                            max_bytes);
    }
    *ret_text = text;
    *ret_n_bytes = n;
    return ISO_OK;
}

static bool is_word(const char *text)
{
    size_t n = strlen(text);

    return n >= 1 && n <= 64 && text[0] != '-' && text[0] != '_' &&
           strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_-") == n;
}

static void check_range(double value, double minimum, double maximum, const char *path,
                        const char *field, struct iso_violations *violations)
{
    char name[128];

    snprintf(name, sizeof(name), "%s.%s", path, field);
    if (!isfinite(value) || value < minimum || value > maximum)
        iso_violations_add(violations, name, "%g is not allowed; it must be in [%g, %g]", value,
                           minimum, maximum);
}

static void check_paths(Isocost__Internal__V1__ProviderInstance *instance, const char *path,
                        struct iso_violations *violations)
{
    char name[160];

    for (size_t i = 0; i < instance->n_readable_paths; i++) {
        snprintf(name, sizeof(name), "%s.readable_paths[%zu]", path, i);
        if (instance->readable_paths[i][0] != '/')
            iso_violations_add(violations, name, "\"%.100s\" is not an absolute path",
                               instance->readable_paths[i]);
    }
    for (size_t i = 0; i < instance->n_secret_files; i++) {
        snprintf(name, sizeof(name), "%s.secret_files.%.40s", path, instance->secret_files[i]->key);
        if (instance->secret_files[i]->value[0] != '/')
            iso_violations_add(violations, name, "\"%.100s\" is not an absolute path",
                               instance->secret_files[i]->value);
    }
    snprintf(name, sizeof(name), "%s.digest", path);
    if (instance->digest[0] && (strncmp(instance->digest, "sha256:", 7) != 0 ||
                                strspn(instance->digest + 7, "0123456789abcdef") != 64 ||
                                strlen(instance->digest) != ISO_DIGEST_TEXT_SIZE - 1))
        iso_violations_add(violations, name,
                           "\"%.80s\" is not a digest; sha256: and 64 lower-case hex digits are",
                           instance->digest);
}

static bool begins_with(const char *text, const char *beginning)
{
    return strncmp(text, beginning, strlen(beginning)) == 0;
}

/* Credentials may go in the clear to this machine alone. */
static bool is_base_url(const char *url)
{
    static const char *const loopback[] = {"http://127.0.0.1", "http://localhost", "http://[::1]"};

    if (begins_with(url, "https://"))
        return url[strlen("https://")] != '\0';
    for (size_t i = 0; i < sizeof(loopback) / sizeof(loopback[0]); i++) {
        char after = begins_with(url, loopback[i]) ? url[strlen(loopback[i])] : 'x';
        if (after == '\0' || after == ':' || after == '/')
            return true;
    }
    return false;
}

static void check_http(Isocost__Internal__V1__HttpSettings *http, const char *path,
                       struct iso_violations *violations)
{
    char name[256];

    for (size_t i = 0; i < http->n_endpoints; i++) {
        snprintf(name, sizeof(name), "%s.endpoints.%.40s", path, http->endpoints[i]->key);
        if (!is_base_url(http->endpoints[i]->value))
            iso_violations_add(violations, name,
                               "\"%.100s\" is not allowed; https://... is, and http:// to "
                               "127.0.0.1, [::1] or localhost",
                               http->endpoints[i]->value);
    }
    snprintf(name, sizeof(name), "%s.proxy", path);
    if (http->proxy[0] && !begins_with(http->proxy, "http://") &&
        !begins_with(http->proxy, "https://"))
        iso_violations_add(violations, name, "\"%.100s\" is not the URL of an HTTP proxy",
                           http->proxy);
    if (strchr(http->proxy, '@'))
        iso_violations_add(violations, name,
                           "credentials do not belong here; they are the secrets proxy_user and "
                           "proxy_password");
    snprintf(name, sizeof(name), "%s.ca_file", path);
    if (http->ca_file[0] && http->ca_file[0] != '/')
        iso_violations_add(violations, name, "\"%.100s\" is not an absolute path", http->ca_file);
    if (http->connect_timeout_seconds != 0)
        check_range(http->connect_timeout_seconds, 0.1, 300, path, "connect_timeout_seconds",
                    violations);
    if (http->idle_timeout_seconds != 0)
        check_range(http->idle_timeout_seconds, 1, 3600, path, "idle_timeout_seconds", violations);
    if (http->attempts != 0)
        check_range(http->attempts, 1, 20, path, "attempts", violations);
    if (http->retry_seconds != 0)
        check_range(http->retry_seconds, 0.001, 60, path, "retry_seconds", violations);
}

static void check_owner_name(const char *text, const char *path, const char *field,
                             struct iso_violations *violations)
{
    char name[160];

    snprintf(name, sizeof(name), "%s.%s", path, field);
    if (strlen(text) > MAX_OWNER_BYTES || strcmp(text, "*") == 0)
        iso_violations_add(violations, name,
                           "\"%.40s\" is not allowed; a name of up to %d bytes is", text,
                           MAX_OWNER_BYTES);
}

static void check_records(Isocost__Internal__V1__RecordSchedule *records, const char *path,
                          struct iso_violations *violations)
{
    static const char *const kinds[] = {"usage", "costs", "inventory"};
    char name[160];

    if (records->window_hours == 0)
        records->window_hours = 744;
    if (records->usage_overlap_hours == 0)
        records->usage_overlap_hours = 3;
    if (records->cost_overlap_hours == 0)
        records->cost_overlap_hours = 72;
    if (!records->tenant[0])
        records->tenant = (char *)"default";
    if (!records->project[0])
        records->project = (char *)"default";
    check_owner_name(records->tenant, path, "tenant", violations);
    check_owner_name(records->project, path, "project", violations);
    check_range(records->refresh_seconds, 60, 1e9, path, "refresh_seconds", violations);
    check_range(records->window_hours, 1, 26280, path, "window_hours", violations);
    check_range(records->usage_overlap_hours, 1, 8760, path, "usage_overlap_hours", violations);
    check_range(records->cost_overlap_hours, 24, 8760, path, "cost_overlap_hours", violations);
    for (size_t i = 0; i < records->n_kinds; i++) {
        bool known = false;
        for (size_t k = 0; k < ISO_ARRAY_LENGTH(kinds); k++)
            known |= strcmp(records->kinds[i], kinds[k]) == 0;
        snprintf(name, sizeof(name), "%s.kinds[%zu]", path, i);
        if (!known)
            iso_violations_add(violations, name,
                               "\"%.40s\" is not allowed; usage, costs and inventory are",
                               records->kinds[i]);
    }
}

static void check_instance(Isocost__Internal__V1__ProviderInstance *instance, const char *path,
                           struct iso_violations *violations)
{
    char name[128];

    snprintf(name, sizeof(name), "%s.name", path);
    if (!is_word(instance->name))
        iso_violations_add(violations, name,
                           "\"%.64s\" is not allowed; it must be of the form "
                           "[a-z0-9][a-z0-9_-]{0,63}",
                           instance->name);
    snprintf(name, sizeof(name), "%s.plugin", path);
    if (!is_word(instance->plugin))
        iso_violations_add(
            violations, name,
            "\"%.64s\" is not allowed; it must be the name of a plugin in the plugin "
            "folder, of the form [a-z0-9][a-z0-9_-]{0,63}",
            instance->plugin);
    if (instance->deadline_seconds == 0)
        instance->deadline_seconds = 300;
    if (instance->memory_mib == 0)
        instance->memory_mib = 512;
    check_range(instance->deadline_seconds, 1, 3600, path, "deadline_seconds", violations);
    check_range((double)instance->memory_mib, 64, 65536, path, "memory_mib", violations);
    if (instance->refresh_seconds != 0)
        check_range(instance->refresh_seconds, 60, 1e9, path, "refresh_seconds", violations);
    check_paths(instance, path, violations);
    if (instance->http) {
        snprintf(name, sizeof(name), "%s.http", path);
        check_http(instance->http, name, violations);
    }
    check_range((double)instance->clock_seconds, 0, 9e9, path, "clock_seconds", violations);
    if (instance->records) {
        snprintf(name, sizeof(name), "%s.records", path);
        check_records(instance->records, name, violations);
    }
}

static void check_config(Isocost__Internal__V1__ProvidersConfig *config,
                         struct iso_violations *violations)
{
    char path[64];

    if (config->hygiene)
        iso_hygiene_check_settings(config->hygiene, violations);
    for (size_t i = 0; i < config->n_providers; i++) {
        snprintf(path, sizeof(path), "providers[%zu]", i);
        check_instance(config->providers[i], path, violations);
        for (size_t k = 0; k < i; k++) {
            if (strcmp(config->providers[i]->name, config->providers[k]->name) == 0) {
                snprintf(path, sizeof(path), "providers[%zu].name", i);
                iso_violations_add(violations, path,
                                   "\"%.64s\" is the name of providers[%zu] too; names are unique",
                                   config->providers[i]->name, k);
                break;
            }
        }
    }
}

enum iso_status iso_provider_config_read(const char *path, struct iso_arena *arena,
                                         Isocost__Internal__V1__ProvidersConfig **ret_config,
                                         struct iso_error *reterr)
{
    struct iso_violations violations = {.arena = arena};
    struct iso_error error = {0};
    ProtobufCMessage *message = NULL;
    Isocost__Internal__V1__ProvidersConfig *config;
    enum iso_status status;
    char *text = NULL;
    size_t n_bytes = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return iso_fail(reterr, ISO_E_IO, "", "cannot open %.200s: %s", path, strerror(errno));
    status = read_file(fd, path, MAX_FILE_BYTES, arena, &text, &n_bytes, reterr);
    close(fd);
    ISO_TRY(status);
    status = iso_yaml_read(&isocost__internal__v1__providers_config__descriptor, text, n_bytes,
                           arena, &violations, &message, &error);
    if (status == ISO_OK) {
        config = (Isocost__Internal__V1__ProvidersConfig *)message;
        check_config(config, &violations);
        status = iso_violations_status(&violations, &error);
    }
    if (status != ISO_OK)
        return iso_fail(reterr, status, error.field, "%.120s: %.60s%s%.160s", path, error.field,
                        error.field[0] ? ": " : "", error.text);
    *ret_config = config;
    return ISO_OK;
}

/* --- plugin files --- */

char *iso_plugin_path(const char *plugin_folder, const char *plugin, struct iso_arena *arena)
{
    return iso_arena_printf(arena, "%s/%s.so", plugin_folder, plugin);
}

static enum iso_status check_owner(const char *path, const struct stat *st, bool sticky_will_do,
                                   struct iso_error *reterr)
{
    if (st->st_uid != 0 && st->st_uid != geteuid())
        return iso_fail(reterr, ISO_E_DENIED, "",
                        "%.200s is owned by user %ld; it must be owned by root or by user %ld",
                        path, (long)st->st_uid, (long)geteuid());
    if ((st->st_mode & (S_IWGRP | S_IWOTH)) && !(sticky_will_do && (st->st_mode & S_ISVTX)))
        return iso_fail(reterr, ISO_E_DENIED, "",
                        "%.200s has mode %04o; group and others must not be able to write it "
                        "(chmod go-w)",
                        path, (unsigned)(st->st_mode & 07777));
    return ISO_OK;
}

enum iso_status iso_plugin_check_access(const char *plugin_path, struct iso_error *reterr)
{
    char path[PATH_MAX];
    bool folder_of_plugin = true;
    struct stat st;

    if (!realpath(plugin_path, path))
        return iso_fail(reterr, errno == ENOENT ? ISO_E_NOT_FOUND : ISO_E_IO, "",
                        "cannot find the plugin %.200s: %s", plugin_path, strerror(errno));
    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode))
        return iso_fail(reterr, ISO_E_DENIED, "", "%.200s is not a regular file", path);
    ISO_TRY(check_owner(path, &st, false, reterr));
    for (char *slash = strrchr(path, '/'); slash; slash = strrchr(path, '/')) {
        slash[slash == path ? 1 : 0] = '\0';
        if (stat(path, &st) != 0)
            return iso_fail(reterr, ISO_E_IO, "", "cannot look at %.200s: %s", path,
                            strerror(errno));
        ISO_TRY(check_owner(path, &st, !folder_of_plugin, reterr));
        folder_of_plugin = false;
        if (slash == path)
            break;
    }
    return ISO_OK;
}

/* --- secrets --- */

enum iso_status iso_secret_read(const char *path, struct iso_arena *arena, char **ret_secret,
                                struct iso_error *reterr)
{
    enum iso_status status = ISO_OK;
    char *text = NULL;
    size_t n = 0;
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

    if (fd < 0)
        return iso_fail(reterr, ISO_E_IO, "", "cannot open %.200s: %s", path, strerror(errno));
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        status = iso_fail(reterr, ISO_E_DENIED, "", "%.200s is not a regular file", path);
    else if (st.st_uid != 0 && st.st_uid != geteuid())
        status = iso_fail(reterr, ISO_E_DENIED, "",
                          "%.200s is owned by user %ld; a secret must be owned by root or by user "
                          "%ld",
                          path, (long)st.st_uid, (long)geteuid());
    else if (st.st_mode & 077)
        status = iso_fail(reterr, ISO_E_DENIED, "",
                          "%.200s has mode %04o; a secret must be closed to group and others "
                          "(chmod 600)",
                          path, (unsigned)(st.st_mode & 07777));
    else
        status = read_file(fd, path, MAX_SECRET_BYTES, arena, &text, &n, reterr);
    close(fd);
    ISO_TRY(status);
    if (n && text[n - 1] == '\n')
        text[--n] = '\0';
    if (n && text[n - 1] == '\r')
        text[--n] = '\0';
    *ret_secret = text;
    return ISO_OK;
}
