/* isocost-plugin-host: runs one provider plugin for the server, which starts it.
 *
 *     isocost-plugin-host [fd [parent-pid]]
 *
 * `fd` (3 if not given) is a blocking stream socket; what is said on it is in
 * isocost/internal/v1/plugin.proto. The first request loads the plugin; a host that could not load
 * says so and ends. It also ends when the server closes the socket. */
#include <dlfcn.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <unistd.h>

#include "accept.h"
#include "config.h"
#include "pages.h"
#include "plugin_file.h"
#include "sandbox.h"

#define DEFAULT_FD 3
#define MAX_DEADLINE_SECONDS 86400.0
#define DEFAULT_DEADLINE_SECONDS 300.0
#define SYMBOL "iso_plugin_v1"
#define DESCRIPTION_BYTES ((size_t)1 << 20)

struct host {
    struct iso_channel channel;
    struct iso_services services;
    struct iso_sandbox sandbox;
    struct iso_plugin plugin;
    void *config, *instance;
    bool is_described; /* there is no instance */
};

/* Closes the sandbox around the file's folder. `file` is open already. */
static enum iso_status enter_sandbox(struct host *host,
                                     const Isocost__Internal__V1__LoadRequest *load,
                                     struct iso_error *reterr)
{
    char folder[PATH_MAX];

    if (!realpath(load->path, folder))
        return iso_fail(reterr, ISO_E_IO, "path", "%.200s cannot be resolved", load->path);
    *strrchr(folder, '/') = '\0';
    host->sandbox = (struct iso_sandbox){
        .plugin_folder = folder[0] ? folder : "/",
        .readable = (const char *const *)load->readable_paths,
        .n_readable = load->n_readable_paths,
        .cache_directory = load->cache_directory,
        .memory_bytes = load->memory_bytes,
        .ca_file = load->http ? load->http->ca_file : "",
    };
    enum iso_status status = iso_sandbox_close(&host->sandbox, reterr);
    host->sandbox.plugin_folder = NULL;
    return status;
}

static enum iso_status map_plugin(struct host *host, int file, struct iso_error *reterr)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL); /* never closed */
    if (!library)
        return iso_fail(reterr, ISO_E_INVALID, "path", "the plugin cannot be loaded: %.300s",
                        dlerror());
    const struct iso_plugin *theirs = dlsym(library, SYMBOL);
    if (!theirs)
        return iso_fail(reterr, ISO_E_INVALID, "path",
                        "the file has no symbol %s; it is not a plugin for Isocost", SYMBOL);
    return iso_plugin_accept(theirs, &host->plugin, reterr);
}

static enum iso_status create_instance(struct host *host,
                                       const Isocost__Internal__V1__LoadRequest *load,
                                       struct iso_error *reterr)
{
    ISO_AUTO_MEM struct iso_config_value *values = iso_calloc(load->n_config, sizeof(*values));

    if (!values)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a configuration");
    for (size_t i = 0; i < load->n_config; i++)
        values[i] = (struct iso_config_value){load->config[i]->name, load->config[i]->value};
    ISO_TRY(iso_config_make(&host->plugin, values, load->n_config, &host->config, reterr));
    ISO_TRY(
        iso_services_init(&host->services, &host->channel, load, host->plugin.abi_minor, reterr));
    return host->plugin.create(host->config, &host->services.host, &host->instance, reterr);
}

static enum iso_status say_hello(struct host *host, bool describe, struct iso_error *reterr)
{
    ISO_AUTO(iso_arena) arena = iso_arena_new(DESCRIPTION_BYTES);
    Isocost__Internal__V1__Hello hello = ISOCOST__INTERNAL__V1__HELLO__INIT;
    Isocost__Internal__V1__HostEvent event = ISOCOST__INTERNAL__V1__HOST_EVENT__INIT;

    hello.abi_major = host->plugin.abi_major;
    hello.abi_minor = host->plugin.abi_minor;
    hello.name = (char *)host->plugin.name;
    hello.version = (char *)host->plugin.version;
    hello.capabilities = host->plugin.caps;
    hello.missing_protections = (char **)host->sandbox.missing;
    hello.n_missing_protections = host->sandbox.n_missing;
    hello.summary = (char *)host->plugin.summary;
    if (!arena)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for a description");
    if (describe)
        ISO_TRY(iso_config_describe(&host->plugin, arena, &hello.parameters, &hello.n_parameters,
                                    reterr));
    event.event_case = ISOCOST__INTERNAL__V1__HOST_EVENT__EVENT_HELLO;
    event.hello = &hello;
    return iso_channel_send(&host->channel, &event, reterr);
}

static enum iso_status load(struct host *host, const Isocost__Internal__V1__HostRequest *request,
                            struct iso_error *reterr)
{
    int file = -1;

    if (request->request_case != ISOCOST__INTERNAL__V1__HOST_REQUEST__REQUEST_LOAD)
        return iso_fail(reterr, ISO_E_INVALID, "request", "the first request must load a plugin");
    ISO_TRY(iso_plugin_file_open(request->load->path, request->load->digest, &file, reterr));
    enum iso_status status = enter_sandbox(host, request->load, reterr);
    if (status == ISO_OK)
        status = map_plugin(host, file, reterr);
    close(file);
    host->is_described = request->load->describe;
    if (status == ISO_OK && !host->is_described)
        status = create_instance(host, request->load, reterr);
    return status != ISO_OK ? status : say_hello(host, request->load->describe, reterr);
}

static int64_t ns_of(const Google__Protobuf__Timestamp *time)
{
    return time ? time->seconds * INT64_C(1000000000) + time->nanos : 0;
}

static uint32_t want_of(const Isocost__Internal__V1__FetchRequest *request)
{
    uint32_t want = request->no_offerings ? 0 : ISO_WANT_OFFERINGS;

    want |= request->products ? ISO_WANT_PRODUCTS : 0;
    want |= request->quotas ? ISO_WANT_QUOTAS : 0;
    want |= request->usage ? ISO_WANT_USAGE : 0;
    want |= request->costs ? ISO_WANT_COSTS : 0;
    want |= request->inventory ? ISO_WANT_INVENTORY : 0;
    return want;
}

static enum iso_status fetch(struct host *host, const Isocost__Internal__V1__FetchRequest *request,
                             struct iso_failure *retfailure, struct iso_error *reterr)
{
    struct iso_fetch what = {.deadline_seconds = request->deadline_seconds,
                             .from_ns = ns_of(request->from),
                             .to_ns = ns_of(request->to)};
    struct iso_pages pages;

    if (request->deadline_seconds == 0)
        what.deadline_seconds = DEFAULT_DEADLINE_SECONDS;
    if (!(what.deadline_seconds > 0 && what.deadline_seconds <= MAX_DEADLINE_SECONDS))
        return iso_fail(reterr, ISO_E_INVALID, "deadline_seconds",
                        "%g is not allowed; above 0 to %g is", request->deadline_seconds,
                        MAX_DEADLINE_SECONDS);
    if ((request->usage || request->costs) && what.from_ns >= what.to_ns)
        return iso_fail(reterr, ISO_E_INVALID, "from", "usage and costs need a time before `to`");
    what.want = want_of(request);

    iso_services_set_deadline(&host->services, what.deadline_seconds);
    iso_pages_init(&pages, &host->services);
    enum iso_status status =
        host->plugin.fetch(host->instance, &what, &pages.sink, retfailure, reterr);
    if (status == ISO_OK)
        status = iso_pages_finish(&pages, reterr);
    else /* a plugin may fail without saying why */
        iso_fail(reterr, status, "", "plugin '%s' failed: %s", host->plugin.name,
                 iso_status_text(status));
    iso_pages_fini(&pages);
    iso_services_set_deadline(&host->services, 0);
    return status;
}

/* Serves fetches until the server closes. False: the connection cannot go on. */
static bool serve(struct host *host)
{
    for (;;) {
        Isocost__Internal__V1__HostRequest *request = NULL;
        struct iso_failure failure = {0};
        struct iso_error error = {0};
        enum iso_status status = iso_channel_receive(&host->channel, &request, &error);

        if (status != ISO_OK)
            return status == ISO_E_UNAVAILABLE;
        if (host->is_described)
            status = iso_fail(&error, ISO_E_INVALID, "request", "the plugin was only described");
        else if (request->request_case == ISOCOST__INTERNAL__V1__HOST_REQUEST__REQUEST_FETCH)
            status = fetch(host, request->fetch, &failure, &error);
        else
            status = iso_fail(&error, ISO_E_INVALID, "request", "a fetch is expected");
        isocost__internal__v1__host_request__free_unpacked(request, NULL);
        if (status != ISO_OK && iso_channel_fail(&host->channel, &error, &failure) != ISO_OK)
            return false;
    }
}

/* Loads, serves, and returns the exit status; 0 proves nothing to the server. */
static int run(struct host *host, int fd)
{
    Isocost__Internal__V1__HostRequest *request = NULL;
    struct iso_error error = {0};
    bool ended_well = false;

    if (iso_channel_init(&host->channel, fd, &error) != ISO_OK ||
        iso_channel_receive(&host->channel, &request, &error) != ISO_OK)
        return 1;
    if (load(host, request, &error) == ISO_OK)
        ended_well = serve(host);
    else
        iso_channel_fail(&host->channel, &error, /* failure= */ NULL);
    if (host->instance)
        host->plugin.destroy(host->instance);
    iso_services_fini(&host->services);
    isocost__internal__v1__host_request__free_unpacked(request, NULL);
    iso_channel_fini(&host->channel);
    return ended_well ? 0 : 1;
}

static int number_or(const char *text, int otherwise)
{
    char *end;
    long number = text ? strtol(text, &end, 10) : otherwise;

    return text && (end == text || *end || number < 0 || number > INT_MAX) ? -1 : (int)number;
}

int main(int argc, char **argv)
{
    struct host host = {0};
    struct iso_error error = {0};
    int fd = number_or(argc > 1 ? argv[1] : NULL, DEFAULT_FD);
    int parent = number_or(argc > 2 ? argv[2] : NULL, 0);

    if (argc > 4 || fd < 0 || parent < 0) { /* the fourth is a name, for who looks at processes */
        fprintf(stderr,
                "usage: isocost-plugin-host [fd [parent-pid [name]]]; the server starts it\n");
        return 2;
    }
    iso_http_start();
    if (iso_sandbox_begin(parent, &error) != ISO_OK) {
        fprintf(stderr, "isocost-plugin-host: %s\n", error.text);
        return 1;
    }
    _exit(run(&host, fd)); /* a plugin's exit handlers are not run */
}
