/* fake_host FD PARENT_PID INSTANCE
 *
 * Speaks like isocost-plugin-host and does as the parameter `mode` of the instance says; the good
 * modes send `rows` offerings of the provider that is named like the instance. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "isocost/base/sha256.h"
#include "isocost/internal/v1/plugin.pb-c.h"
#include "isocost/proto/frame.h"

enum { ROWS_A_PAGE = 100 };

static int connection;
static struct iso_frame_reader *reader;
static struct iso_frame_writer *writer;
static uint64_t request_id;
static const char *mode = "good", *instance, *folder;
static int n_rows = 250;
static struct iso_sha256 sha;

static bool is_mode(const char *name)
{
    return strcmp(mode, name) == 0;
}

static void send_event(const Isocost__Internal__V1__HostEvent *event)
{
    bool empty;

    if (iso_frame_write(writer, 2, request_id, &event->base, -1, NULL) != ISO_OK ||
        iso_frame_flush(writer, &empty, NULL) != ISO_OK)
        _exit(0);
}

static Isocost__Internal__V1__HostRequest *receive(void)
{
    struct iso_frame frame;
    bool ready;

    if (iso_frame_read(reader, &frame, &ready, NULL) != ISO_OK)
        _exit(0);
    request_id = frame.request_id;
    return isocost__internal__v1__host_request__unpack(NULL, frame.n_bytes, frame.payload);
}

static void send_page(int first, int n)
{
    Isocost__Internal__V1__HostEvent event = ISOCOST__INTERNAL__V1__HOST_EVENT__INIT;
    Isocost__Internal__V1__Page page = ISOCOST__INTERNAL__V1__PAGE__INIT;
    Isocost__V1__Offering rows[ROWS_A_PAGE], *pointers[ROWS_A_PAGE];
    Google__Type__Money money = GOOGLE__TYPE__MONEY__INIT;
    char types[ROWS_A_PAGE][32];
    size_t n_bytes;

    money.currency_code = (char *)"USD";
    money.units = 1;
    for (int i = 0; i < n; i++) {
        isocost__v1__offering__init(&rows[i]);
        snprintf(types[i], sizeof(types[i]), "type-%05d", first + i);
        rows[i].provider = (char *)instance;
        rows[i].type = types[i];
        rows[i].purchase = ISOCOST__V1__PURCHASE__PURCHASE_ON_DEMAND;
        rows[i].price = is_mode("useless") || (is_mode("dirty") && i % 2) ? NULL : &money;
        pointers[i] = &rows[i];
    }
    page.offerings = pointers;
    page.n_offerings = (size_t)n;
    event.event_case = ISOCOST__INTERNAL__V1__HOST_EVENT__EVENT_PAGE;
    event.page = &page;
    n_bytes = isocost__internal__v1__host_event__get_packed_size(&event);
    unsigned char *bytes = malloc(n_bytes);
    isocost__internal__v1__host_event__pack(&event, bytes);
    iso_sha256_update(&sha, bytes, n_bytes);
    free(bytes);
    send_event(&event);
}

static void send_end(int64_t n_pages)
{
    Isocost__Internal__V1__HostEvent event = ISOCOST__INTERNAL__V1__HOST_EVENT__INIT;
    Isocost__Internal__V1__End end = ISOCOST__INTERNAL__V1__END__INIT;
    unsigned char digest[ISO_SHA256_BYTES];

    iso_sha256_final(&sha, digest);
    digest[0] = (unsigned char)(digest[0] ^ (is_mode("wrong_sha") ? 1 : 0));
    end.sha256.data = digest;
    end.sha256.len = is_mode("short_sha") ? 3 : sizeof(digest);
    end.pages = n_pages + is_mode("wrong_pages");
    end.rows = n_rows + is_mode("wrong_rows");
    event.event_case = ISOCOST__INTERNAL__V1__HOST_EVENT__EVENT_END;
    event.end = &end;
    send_event(&event);
}

static void send_failure(Isocost__Internal__V1__FailureClass class, const char *message)
{
    Isocost__Internal__V1__HostEvent event = ISOCOST__INTERNAL__V1__HOST_EVENT__INIT;
    Isocost__Internal__V1__Failure failure = ISOCOST__INTERNAL__V1__FAILURE__INIT;

    failure.class_ = class;
    failure.message = (char *)message;
    failure.provider_code = (char *)"Code7";
    event.event_case = ISOCOST__INTERNAL__V1__HOST_EVENT__EVENT_FAILURE;
    event.failure = &failure;
    send_event(&event);
}

static void send_hello(void)
{
    Isocost__Internal__V1__HostEvent event = ISOCOST__INTERNAL__V1__HOST_EVENT__INIT;
    Isocost__Internal__V1__Hello hello = ISOCOST__INTERNAL__V1__HELLO__INIT;
    char *missing[] = {(char *)"landlock"};

    hello.abi_major = 1;
    hello.name = (char *)"fake";
    hello.version = (char *)"1.2.3";
    hello.capabilities = 1 | 8; /* CATALOG, QUOTA */
    hello.missing_protections = missing;
    hello.n_missing_protections = 1;
    event.event_case = ISOCOST__INTERNAL__V1__HOST_EVENT__EVENT_HELLO;
    event.hello = &hello;
    send_event(&event);
}

static void write_raw(const void *bytes, size_t n)
{
    if (write(connection, bytes, n) != (ssize_t)n)
        _exit(1);
}

/* What goes wrong after the first page. */
static void misbehave(void)
{
    static const unsigned char huge[] = {'I', 'S', 'O', '1', 0, 0, 0, 0x7f, 2, 0, 0, 0,
                                         2,   0,   0,   0,   0, 0, 0, 0,    0, 0, 0, 0};

    if (is_mode("segv")) {
        struct rlimit no_core = {0, 0};
        setrlimit(RLIMIT_CORE, &no_core);
        signal(SIGSEGV, SIG_DFL);
        raise(SIGSEGV);
    }
    if (is_mode("abort")) {
        signal(SIGABRT, SIG_DFL);
        raise(SIGKILL);
    }
    if (is_mode("exit0"))
        _exit(0);
    if (is_mode("hang"))
        for (;;)
            pause();
    if (is_mode("children")) /* the whole group must go, and it ignores polite signals */
        for (signal(SIGTERM, SIG_IGN);;)
            if (fork() >= 0)
                pause();
    if (is_mode("garbage"))
        write_raw("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", 36);
    if (is_mode("huge_frame"))
        write_raw(huge, sizeof(huge));
    if (is_mode("wrong_id"))
        request_id++;
    if (is_mode("hello_again"))
        send_hello();
    if (is_mode("fail_late"))
        send_failure(ISOCOST__INTERNAL__V1__FAILURE_CLASS__FAILURE_CLASS_RETRYABLE, "come back");
    if (is_mode("auth"))
        send_failure(ISOCOST__INTERNAL__V1__FAILURE_CLASS__FAILURE_CLASS_AUTH, "wrong key");
}

/* Ends when the instances `left` and `right` are both here, or as a failure after a long time. */
static void meet(void)
{
    char own[256], left[256], right[256];
    FILE *file;

    snprintf(own, sizeof(own), "%s/%s", folder, instance);
    snprintf(left, sizeof(left), "%s/left", folder);
    snprintf(right, sizeof(right), "%s/right", folder);
    file = fopen(own, "w");
    if (file)
        fclose(file);
    for (int waited_ms = 0; waited_ms < 20000; waited_ms += 5) {
        if (access(left, F_OK) == 0 && access(right, F_OK) == 0)
            return;
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    }
    send_failure(ISOCOST__INTERNAL__V1__FAILURE_CLASS__FAILURE_CLASS_PERMANENT, "nobody came");
}

static void fetch(void)
{
    int64_t n_pages = 0;

    iso_sha256_init(&sha);
    for (int first = 0; first < n_rows; first += ROWS_A_PAGE, n_pages++) {
        int left = n_rows - first;
        send_page(first, left < ROWS_A_PAGE ? left : ROWS_A_PAGE);
        if (first == 0)
            misbehave();
    }
    send_end(n_pages);
}

/* The server must hand over nothing but the socket and three empty descriptors. */
static void check_surroundings(void)
{
    extern char **environ;
    char path[64], target[256];

    for (int fd = 0; fd < 64; fd++) {
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        ssize_t n = readlink(path, target, sizeof(target) - 1);
        if (n < 0 || fd == connection)
            continue;
        target[n] = '\0';
        if (fd > 2 || strcmp(target, "/dev/null") != 0) {
            send_failure(0, target);
            _exit(1);
        }
    }
    if (getpgrp() != getpid() || getenv("ISO_SECRET_OF_TEST"))
        send_failure(0, "not in a group of its own, or with the server's environment");
}

int main(int argc, char **argv)
{
    if (argc != 4)
        return 2;
    connection = atoi(argv[1]);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != atoi(argv[2]))
        return 1;
    reader = iso_frame_reader_new(connection, 1u << 20);
    writer = iso_frame_writer_new(connection);
    Isocost__Internal__V1__HostRequest *load = receive();
    instance = load->load->instance;
    for (size_t i = 0; i < load->load->n_config; i++) {
        if (strcmp(load->load->config[i]->name, "mode") == 0)
            mode = load->load->config[i]->value;
        if (strcmp(load->load->config[i]->name, "rows") == 0)
            n_rows = atoi(load->load->config[i]->value);
        if (strcmp(load->load->config[i]->name, "folder") == 0)
            folder = load->load->config[i]->value;
    }
    if (strcmp(instance, argv[3]) != 0)
        send_failure(0, "the instance is not named where processes are listed");
    check_surroundings();
    if (is_mode("refuse"))
        send_failure(ISOCOST__INTERNAL__V1__FAILURE_CLASS__FAILURE_CLASS_PERMANENT, "bad plugin");
    if (is_mode("refuse"))
        return 1;
    send_hello();
    receive();
    if (is_mode("meet"))
        meet();
    fetch();
    receive();
    return 0;
}
