#include "services.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "crypto.h"
#include "sandbox.h"

#define NS_PER_SECOND INT64_C(1000000000)
#define GRACE_SECONDS 0.5 /* between asking a plugin to stop and ending it */
#define READ_BYTES 65536
#define MAX_LOG_BYTES 2048
#define MAX_FILES 10000 /* of one folder */
#define HTTP_MINOR 1u   /* of the ABI: since when there is HTTP */

static struct iso_services *services_of(const struct iso_host *host)
{
    return host->context;
}

static int64_t now_of(clockid_t clock)
{
    struct timespec now = {0};

    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * NS_PER_SECOND + now.tv_nsec;
}

/* The time, or what a clock says that was set when the plugin was loaded. */
static int64_t service_now(const struct iso_host *host)
{
    return now_of(CLOCK_REALTIME) + services_of(host)->clock_offset_ns;
}

static void service_log(const struct iso_host *host, int32_t level, const char *text)
{
    Isocost__Internal__V1__LogLine line = ISOCOST__INTERNAL__V1__LOG_LINE__INIT;
    Isocost__Internal__V1__HostEvent event = ISOCOST__INTERNAL__V1__HOST_EVENT__INIT;
    char copy[MAX_LOG_BYTES];

    snprintf(copy, sizeof(copy), "%s", text);
    for (char *c = copy; *c; c++)
        if ((unsigned char)*c < ' ')
            *c = ' '; /* one line stays one line */
    line.level = level;
    line.text = copy;
    event.event_case = ISOCOST__INTERNAL__V1__HOST_EVENT__EVENT_LOG;
    event.log = &line;
    iso_channel_send(services_of(host)->channel, &event, /* reterr= */ NULL);
}

static enum iso_status service_nonce(const struct iso_host *host, unsigned char *bytes,
                                     size_t n_bytes, struct iso_error *reterr)
{
    (void)host;
    return iso_random(bytes, n_bytes, reterr);
}

static enum iso_status service_secret(const struct iso_host *host, const char *name, char *buffer,
                                      size_t n_buffer_bytes, struct iso_error *reterr)
{
    const Isocost__Internal__V1__LoadRequest *load = services_of(host)->load;

    for (size_t i = 0; i < load->n_secrets; i++) {
        if (strcmp(load->secrets[i]->name, name) != 0)
            continue;
        size_t n_bytes = strlen(load->secrets[i]->value) + 1;
        if (n_bytes > n_buffer_bytes)
            return iso_fail(reterr, ISO_E_LIMIT, "", "secret '%.64s' does not fit into %zu bytes",
                            name, n_buffer_bytes);
        memcpy(buffer, load->secrets[i]->value, n_bytes);
        return ISO_OK;
    }
    return iso_fail(reterr, ISO_E_NOT_FOUND, "", "no secret '%.64s' is configured for '%.64s'",
                    name, load->instance);
}

enum iso_status iso_services_check(struct iso_services *services, struct iso_error *reterr)
{
    if (services->deadline_ns != 0 && now_of(CLOCK_MONOTONIC) >= services->deadline_ns)
        return iso_fail(reterr, ISO_E_DEADLINE, "", "the deadline passed");
    services->said_cancelled |= iso_channel_closed(services->channel);
    if (services->said_cancelled)
        return iso_fail(reterr, ISO_E_CANCELLED, "", "the caller gave up");
    return ISO_OK;
}

static enum iso_status service_http(const struct iso_host *host,
                                    const struct iso_http_request *request,
                                    struct iso_http_response *ret_response,
                                    struct iso_error *reterr)
{
    struct iso_services *services = services_of(host);

    if (services->plugin_minor < HTTP_MINOR)
        return iso_fail(reterr, ISO_E_UNSUPPORTED, "http",
                        "the plugin was built for version 1.%u of the ABI; HTTP came with 1.%u",
                        services->plugin_minor, HTTP_MINOR);
    return iso_http_ask(services->http, request, ret_response, reterr);
}

static bool service_cancelled(const struct iso_host *host)
{
    return iso_services_check(services_of(host), /* reterr= */ NULL) != ISO_OK;
}

static enum iso_status open_failed(const char *path, struct iso_error *reterr)
{
    int why = errno;
    enum iso_status status = ISO_E_IO;

    if (why == ENOENT || why == ENOTDIR)
        status = ISO_E_NOT_FOUND;
    if (why == EACCES || why == EPERM)
        return iso_fail(reterr, ISO_E_DENIED, "path",
                        "%.200s: %s; a plugin reads only what its configuration names", path,
                        strerror(why));
    return iso_fail(reterr, status, "path", "%.200s: %s", path, strerror(why));
}

static enum iso_status read_all(struct iso_services *services, int fd, const char *path,
                                int64_t max_bytes, iso_receive receive, void *receive_context,
                                struct iso_error *reterr)
{
    ISO_AUTO_MEM unsigned char *buffer = iso_calloc(READ_BYTES, 1);
    int64_t n_read = 0;

    if (!buffer)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory to read %.200s", path);
    for (;;) {
        ISO_TRY(iso_services_check(services, reterr));
        ssize_t n = read(fd, buffer, READ_BYTES);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return iso_fail(reterr, ISO_E_IO, "path", "%.200s: %s", path, strerror(errno));
        if (n == 0)
            return ISO_OK;
        n_read += n;
        if (n_read > max_bytes)
            return iso_fail(reterr, ISO_E_LIMIT, "path", "%.200s has more than %lld bytes", path,
                            (long long)max_bytes);
        ISO_TRY(receive(receive_context, buffer, (size_t)n, reterr));
    }
}

/* Opens a file that the operator named. */
static enum iso_status open_regular(const char *path, int *ret_fd, struct stat *ret_about,
                                    struct iso_error *reterr)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    if (fd < 0)
        return open_failed(path, reterr);
    if (fstat(fd, ret_about) != 0 || !S_ISREG(ret_about->st_mode)) {
        close(fd);
        return iso_fail(reterr, ISO_E_INVALID, "path", "%.200s is not a regular file", path);
    }
    *ret_fd = fd;
    return ISO_OK;
}

static enum iso_status service_read_file(const struct iso_host *host, const char *path,
                                         int64_t max_bytes, iso_receive receive,
                                         void *receive_context, struct iso_error *reterr)
{
    struct stat about;
    enum iso_status status;
    int fd;

    ISO_TRY(open_regular(path, &fd, &about, reterr));
    status = read_all(services_of(host), fd, path, max_bytes, receive, receive_context, reterr);
    close(fd);
    return status;
}

static enum iso_status service_file_facts(const struct iso_host *host, const char *path,
                                          int64_t *ret_n_bytes, int64_t *ret_changed_ns,
                                          struct iso_error *reterr)
{
    struct stat about;
    int fd;

    ISO_TRY(iso_services_check(services_of(host), reterr));
    ISO_TRY(open_regular(path, &fd, &about, reterr));
    close(fd);
    *ret_n_bytes = about.st_size;
    *ret_changed_ns = (int64_t)about.st_mtim.tv_sec * NS_PER_SECOND + about.st_mtim.tv_nsec;
    return ISO_OK;
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static bool is_regular(const char *folder, const char *name)
{
    char path[PATH_MAX];
    struct stat about;
    int n = snprintf(path, sizeof(path), "%s/%s", folder, name);

    return n > 0 && (size_t)n < sizeof(path) && stat(path, &about) == 0 && S_ISREG(about.st_mode);
}

static enum iso_status service_list_files(const struct iso_host *host, const char *path,
                                          iso_receive_name receive, void *receive_context,
                                          struct iso_error *reterr)
{
    struct dirent **entries = NULL;
    enum iso_status status = ISO_OK;
    int n = scandir(path, &entries, is_visible, by_bytes);

    if (n < 0)
        return errno == ENOTDIR
                   ? iso_fail(reterr, ISO_E_INVALID, "path", "%.200s is not a folder", path)
                   : open_failed(path, reterr);
    if (n > MAX_FILES)
        status = iso_fail(reterr, ISO_E_LIMIT, "path", "%.200s has %d entries; at most %d are read",
                          path, n, MAX_FILES);
    for (int i = 0; i < n; i++) {
        if (status == ISO_OK && is_regular(path, entries[i]->d_name)) {
            status = iso_services_check(services_of(host), reterr);
            if (status == ISO_OK)
                status = receive(receive_context, entries[i]->d_name, reterr);
        }
        free(entries[i]);
    }
    free(entries);
    return status;
}

/* ---- What HTTP asks of its host ---- */

static int64_t world_now(void *context)
{
    struct iso_services *services = context;

    return service_now(&services->host);
}

static enum iso_status world_stop(void *context, struct iso_error *reterr)
{
    return iso_services_check(context, reterr);
}

static double world_seconds_left(void *context)
{
    struct iso_services *services = context;

    if (services->deadline_ns == 0)
        return INFINITY;
    return (double)(services->deadline_ns - now_of(CLOCK_MONOTONIC)) / 1e9;
}

enum iso_status iso_services_init(struct iso_services *services, struct iso_channel *channel,
                                  const Isocost__Internal__V1__LoadRequest *load,
                                  uint32_t plugin_minor, struct iso_error *reterr)
{
    struct iso_http_world world = {
        .load = load,
        .context = services,
        .now_ns = world_now,
        .stop = world_stop,
        .seconds_left = world_seconds_left,
    };

    *services = (struct iso_services){
        .host =
            {
                .abi_minor = ISO_ABI_MINOR,
                .struct_size = sizeof(struct iso_host),
                .context = services,
                .instance = load->instance,
                .cache_directory = load->cache_directory,
                .log = service_log,
                .now_ns = service_now,
                .nonce = service_nonce,
                .secret = service_secret,
                .http = service_http,
                .read_file = service_read_file,
                .list_files = service_list_files,
                .cancelled = service_cancelled,
                .file_facts = service_file_facts,
            },
        .channel = channel,
        .load = load,
        .plugin_minor = plugin_minor,
        .clock_offset_ns = load->clock_ns ? load->clock_ns - now_of(CLOCK_REALTIME) : 0,
    };
    return iso_http_new(&world, &services->http, reterr);
}

void iso_services_fini(struct iso_services *services)
{
    iso_http_free(services->http);
    services->http = NULL;
}

void iso_services_set_deadline(struct iso_services *services, double seconds)
{
    struct itimerval timer = {0};
    double end = seconds + GRACE_SECONDS;

    services->deadline_ns = 0;
    if (seconds > 0) {
        services->deadline_ns = now_of(CLOCK_MONOTONIC) + (int64_t)(seconds * 1e9);
        timer.it_value.tv_sec = (time_t)end;
        timer.it_value.tv_usec = (suseconds_t)((end - (double)timer.it_value.tv_sec) * 1e6);
        iso_sandbox_budget(end);
    }
    setitimer(ITIMER_REAL, &timer, NULL); /* SIGALRM is left alone: it ends the process */
}
