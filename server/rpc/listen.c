/* Where the server listens: unix sockets in folders of this user, and loopback. */
#include <arpa/inet.h>
#include <errno.h>
#include <grpc/grpc_security.h>
#if __has_include(<grpc/credentials.h>)
#include <grpc/credentials.h>
#endif
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "server_internal.h"

static bool bind_core(struct iso_rpc_server *server, const char *address, int *ret_port)
{
    grpc_server_credentials *credentials = grpc_insecure_server_credentials_create();

    *ret_port = grpc_server_add_http2_port(server->core, address, credentials);
    grpc_server_credentials_release(credentials);
    return *ret_port != 0;
}

static enum iso_status remember(struct iso_rpc_server *server, const char *address,
                                struct iso_error *reterr)
{
    char *copy = iso_strdup(address);

    if (!copy)
        return iso_fail(reterr, ISO_E_NOMEM, "", "no memory for an address");
    server->addresses[server->n_addresses++] = copy;
    return ISO_OK;
}

static enum iso_status check_folder(const char *path, struct iso_error *reterr)
{
    char folder[sizeof(((struct sockaddr_un *)0)->sun_path)];
    char *slash;
    struct stat found;

    snprintf(folder, sizeof(folder), "%s", path);
    slash = strrchr(folder, '/');
    slash[slash == folder] = '\0';
    if (stat(folder, &found) != 0 || !S_ISDIR(found.st_mode))
        return iso_fail(reterr, ISO_E_IO, "listen", "cannot listen on unix:%s: folder %s: %s", path,
                        folder, strerror(errno));
    if (found.st_uid != geteuid())
        return iso_fail(reterr, ISO_E_DENIED, "listen",
                        "cannot listen on unix:%s: folder %s must belong to the user of isocostd",
                        path, folder);
    if ((found.st_mode & (S_IWGRP | S_IWOTH)) && !(found.st_mode & S_ISVTX))
        return iso_fail(reterr, ISO_E_DENIED, "listen",
                        "cannot listen on unix:%s: folder %s is writable by others", path, folder);
    return ISO_OK;
}

/* Takes away the socket of a server that is dead; leaves everything else alone. */
static enum iso_status clear_way(const char *path, struct iso_error *reterr)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct stat found;
    int fd, failed;

    if (lstat(path, &found) != 0)
        return ISO_OK;
    if (!S_ISSOCK(found.st_mode))
        return iso_fail(reterr, ISO_E_IO, "listen",
                        "cannot listen on unix:%s: there is a file of that name that is no socket",
                        path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return iso_fail(reterr, ISO_E_IO, "listen", "no socket: %s", strerror(errno));
    memcpy(address.sun_path, path, strlen(path) + 1);
    failed = connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 ? 0 : errno;
    close(fd);
    if (failed != ECONNREFUSED)
        return iso_fail(reterr, ISO_E_IO, "listen", "unix:%s is already in use by another server",
                        path);
    if (unlink(path) != 0)
        return iso_fail(reterr, ISO_E_IO, "listen", "cannot remove the stale socket %s: %s", path,
                        strerror(errno));
    return ISO_OK;
}

static enum iso_status listen_unix(struct iso_rpc_server *server, const char *address,
                                   struct iso_error *reterr)
{
    const char *path = address + strlen("unix:");
    mode_t mask;
    bool bound;
    int port;

    if (path[0] != '/' || strlen(path) >= sizeof(((struct sockaddr_un *)0)->sun_path))
        return iso_fail(reterr, ISO_E_INVALID, "listen",
                        "\"%s\" is not unix: and an absolute path of at most %zu bytes", address,
                        sizeof(((struct sockaddr_un *)0)->sun_path) - 1);
    ISO_TRY(check_folder(path, reterr));
    ISO_TRY(clear_way(path, reterr));
    mask = umask(0177);
    bound = bind_core(server, address, &port);
    umask(mask);
    if (!bound)
        return iso_fail(reterr, ISO_E_IO, "listen", "cannot listen on %s", address);
    return remember(server, address, reterr);
}

/* Why an address cannot be bound, as the core does not say it. */
static int try_bind(const struct sockaddr *address, socklen_t size)
{
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1, failed = 0;

    if (fd < 0)
        return errno;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd, address, size) != 0)
        failed = errno;
    close(fd);
    return failed;
}

static bool parse_loopback(const char *address, struct sockaddr_storage *ret_address,
                           socklen_t *ret_size, const char **ret_host)
{
    static const char *const hosts[] = {"127.0.0.1", "localhost", "[::1]"};
    const char *colon = strrchr(address, ':');
    char *end;
    long port;

    if (!colon || colon[1] < '0' || colon[1] > '9')
        return false;
    port = strtol(colon + 1, &end, 10);
    if (*end || port > 65535)
        return false;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(hosts); i++) {
        size_t n = strlen(hosts[i]);

        if ((size_t)(colon - address) != n || strncmp(address, hosts[i], n) != 0)
            continue;
        *ret_address = (struct sockaddr_storage){0};
        if (hosts[i][0] == '[') {
            struct sockaddr_in6 six = {.sin6_family = AF_INET6,
                                       .sin6_port = htons((uint16_t)port),
                                       .sin6_addr = IN6ADDR_LOOPBACK_INIT};

            memcpy(ret_address, &six, sizeof(six));
            *ret_size = sizeof(six);
        } else {
            struct sockaddr_in four = {.sin_family = AF_INET,
                                       .sin_port = htons((uint16_t)port),
                                       .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

            memcpy(ret_address, &four, sizeof(four));
            *ret_size = sizeof(four);
        }
        *ret_host = hosts[i][0] == 'l' ? hosts[0] : hosts[i];
        return true;
    }
    return false;
}

static enum iso_status listen_loopback(struct iso_rpc_server *server, const char *address,
                                       struct iso_error *reterr)
{
    struct sockaddr_storage parsed;
    socklen_t size;
    const char *host;
    char bound[64];
    int port, failed;

    if (!parse_loopback(address, &parsed, &size, &host))
        return iso_fail(reterr, ISO_E_INVALID, "listen",
                        "\"%.100s\" is not unix:/path, 127.0.0.1:port, localhost:port or "
                        "[::1]:port; other addresses need TLS and identities of callers, which "
                        "this version does not serve yet",
                        address);
    failed = try_bind((const struct sockaddr *)&parsed, size);
    if (failed)
        return iso_fail(reterr, ISO_E_IO, "listen", "cannot listen on %s: %s", address,
                        failed == EADDRINUSE ? "another program listens there already"
                                             : strerror(failed));
    snprintf(bound, sizeof(bound), "%s%s", host, strrchr(address, ':'));
    if (!bind_core(server, bound, &port))
        return iso_fail(reterr, ISO_E_IO, "listen", "cannot listen on %s", address);
    snprintf(bound, sizeof(bound), "%s:%d", host, port);
    return remember(server, bound, reterr);
}

enum iso_status iso_rpc_listen(struct iso_rpc_server *server, const char *address,
                               struct iso_error *reterr)
{
    if (strncmp(address, "unix:", 5) == 0)
        return listen_unix(server, address, reterr);
    return listen_loopback(server, address, reterr);
}
