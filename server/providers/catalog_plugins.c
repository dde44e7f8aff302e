/* What lies in the plugin folder: each plugin is loaded in a host of its own, which tells what it
 * is and ends. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "catalog_handlers.h"
#include "catalog_internal.h"
#include "host_process.h"
#include "isocost/base/sha256.h"
#include "list_cursor.h"
#include "provider_config.h"

#define MAX_PLUGINS 200
#define MAX_NAME_BYTES 64
#define DESCRIBE_DEADLINE_S 10
#define READ_BYTES 65536
#define SUFFIX ".so"

/* A description under way. */
struct description {
    Isocost__V1__Plugin *plugin;
    struct iso_arena *arena;
};

static enum iso_status take_hello(void *context, const Isocost__Internal__V1__Hello *hello,
                                  struct iso_error *reterr)
{
    const struct description *description = context;
    Isocost__V1__Plugin *plugin = description->plugin;
    struct iso_arena *arena = description->arena;
    const Isocost__Internal__V1__Hello *kept = iso_arena_copy(arena, &hello->base);

    if (!kept)
        return iso_list_too_large(reterr);
    plugin->version = kept->version;
    plugin->summary = kept->summary;
    plugin->abi = iso_arena_printf(arena, "%u.%u", kept->abi_major, kept->abi_minor);
    plugin->capabilities = iso_capability_names(kept->capabilities, arena, &plugin->n_capabilities);
    plugin->n_missing_protections = kept->n_missing_protections;
    plugin->missing_protections = kept->missing_protections;
    plugin->n_parameters = kept->n_parameters;
    plugin->parameters = kept->parameters;
    return iso_arena_full(arena) ? iso_list_too_large(reterr) : ISO_OK;
}

static enum iso_status digest_file(const char *path, char ret_digest[ISO_DIGEST_TEXT_SIZE],
                                   struct iso_error *reterr)
{
    unsigned char sum[ISO_SHA256_BYTES], buffer[READ_BYTES];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct iso_sha256 sha;
    ssize_t n = 0;

    if (fd < 0)
        return iso_fail(reterr, ISO_E_IO, "", "cannot open %.200s: %s", path, strerror(errno));
    iso_sha256_init(&sha);
    while ((n = read(fd, buffer, sizeof(buffer))) > 0)
        iso_sha256_update(&sha, buffer, (size_t)n);
    int why = errno;
    close(fd);
    if (n < 0)
        return iso_fail(reterr, ISO_E_IO, "", "cannot read %.200s: %s", path, strerror(why));
    iso_sha256_final(&sha, sum);
    iso_digest_text(sum, ret_digest);
    return ISO_OK;
}

static enum iso_status add_instances(const struct iso_catalog *catalog, Isocost__V1__Plugin *plugin,
                                     struct iso_arena *arena, struct iso_error *reterr)
{
    plugin->instances = iso_arena_calloc(arena, catalog->n_instances, sizeof(char *));
    if (!plugin->instances)
        return iso_list_too_large(reterr);
    for (size_t i = 0; i < catalog->n_instances; i++)
        if (strcmp(catalog->instances[i].config->plugin, plugin->name) == 0)
            plugin->instances[plugin->n_instances++] = catalog->instances[i].config->name;
    return ISO_OK;
}

/* Loads a plugin to know it; `problem` says why it is refused. */
static enum iso_status load(const struct iso_catalog *catalog, const char *path,
                            struct description *description, struct iso_error *reterr)
{
    Isocost__Internal__V1__LoadRequest request = ISOCOST__INTERNAL__V1__LOAD_REQUEST__INIT;
    const struct iso_host_request host = {
        .host_path = catalog->host_path,
        .load = &request,
        .deadline_s = DESCRIBE_DEADLINE_S,
        .context = description,
        .hello = take_hello,
    };
    struct iso_host_report report = {0};

    request.path = (char *)path;
    request.instance = description->plugin->name;
    request.describe = true;
    ISO_TRY(iso_plugin_check_access(path, reterr));
    return iso_host_run(&host, &report, reterr);
}

static enum iso_status describe(const struct iso_catalog *catalog, const char *name,
                                struct iso_arena *arena, Isocost__V1__Plugin **ret_plugin,
                                struct iso_error *reterr)
{
    Isocost__V1__Plugin *plugin = iso_arena_calloc(arena, 1, sizeof(*plugin));
    const char *path = iso_plugin_path(catalog->plugin_folder, name, arena);
    struct description description = {plugin, arena};
    char digest[ISO_DIGEST_TEXT_SIZE];
    struct iso_error error = {0};

    if (!plugin || !path)
        return iso_list_too_large(reterr);
    isocost__v1__plugin__init(plugin);
    plugin->name = iso_arena_strdup(arena, name);
    if (digest_file(path, digest, &error) == ISO_OK)
        plugin->digest = iso_arena_strdup(arena, digest);
    if (error.status == ISO_OK)
        load(catalog, path, &description, &error);
    if (error.status != ISO_OK)
        plugin->problem =
            iso_arena_printf(arena, "%s%s%s", error.field, error.field[0] ? ": " : "", error.text);
    ISO_TRY(add_instances(catalog, plugin, arena, reterr));
    *ret_plugin = plugin;
    return iso_arena_full(arena) ? iso_list_too_large(reterr) : ISO_OK;
}

/* Names of files that are plugins by their name, in order. */
static int is_plugin(const struct dirent *entry)
{
    size_t n = strlen(entry->d_name);

    return n > strlen(SUFFIX) && n <= MAX_NAME_BYTES + strlen(SUFFIX) && entry->d_name[0] != '.' &&
           strcmp(entry->d_name + n - strlen(SUFFIX), SUFFIX) == 0;
}

static enum iso_status list_names(const struct iso_catalog *catalog, const char *only,
                                  struct iso_arena *arena, char **names, size_t *ret_n,
                                  struct iso_error *reterr)
{
    struct dirent **entries = NULL;
    int n = scandir(catalog->plugin_folder, &entries, is_plugin, alphasort);

    *ret_n = 0;
    if (n < 0)
        return iso_fail(reterr, ISO_E_IO, "", "cannot list the plugin folder %.200s: %s",
                        catalog->plugin_folder, strerror(errno));
    for (int i = 0; i < n; i++) {
        char *name = entries[i]->d_name;
        name[strlen(name) - strlen(SUFFIX)] = '\0';
        if (*ret_n < MAX_PLUGINS && (!only[0] || strcmp(name, only) == 0))
            names[(*ret_n)++] = iso_arena_strdup(arena, name);
        free(entries[i]);
    }
    free(entries);
    if (only[0] && *ret_n == 0)
        return iso_fail(reterr, ISO_E_NOT_FOUND, "name", "there is no %.64s.so in %.200s", only,
                        catalog->plugin_folder);
    return iso_arena_full(arena) ? iso_list_too_large(reterr) : ISO_OK;
}

enum iso_status iso_catalog_handle_list_plugins(struct iso_call *call, void *service,
                                                struct iso_error *reterr)
{
    const Isocost__V1__ListPluginsRequest *request =
        (const Isocost__V1__ListPluginsRequest *)iso_call_request(call);
    Isocost__V1__ListPluginsResponse response = ISOCOST__V1__LIST_PLUGINS_RESPONSE__INIT;
    struct iso_arena *arena = iso_call_arena(call);
    const struct iso_catalog *catalog = service;
    char *names[MAX_PLUGINS];
    size_t n = 0;

    ISO_TRY(list_names(catalog, request->name, arena, names, &n, reterr));
    response.plugins = iso_arena_calloc(arena, n, sizeof(*response.plugins));
    if (!response.plugins)
        return iso_list_too_large(reterr);
    for (size_t i = 0; i < n; i++) {
        if (iso_call_cancelled(call))
            return iso_fail(reterr, ISO_E_CANCELLED, "", "the caller gave up");
        ISO_TRY(describe(catalog, names[i], arena, &response.plugins[i], reterr));
        response.n_plugins++;
    }
    iso_call_reply(call, &response.base);
    return ISO_OK;
}
