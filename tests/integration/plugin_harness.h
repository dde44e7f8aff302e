/* Plays the server's part: starts the real plugin host and speaks its protocol. */
#ifndef ISOCOST_TEST_PLUGIN_HARNESS_H
#define ISOCOST_TEST_PLUGIN_HARNESS_H

#include <stdbool.h>
#include <sys/types.h>

#include "isocost/internal/v1/plugin.pb-c.h"
#include "isocost/proto/frame.h"

struct harness {
    pid_t pid;
    int fd;
    struct iso_frame_reader *reader;
    struct iso_frame_writer *writer;
    uint64_t next_id;
};

/* Starts ISO_BUILD/bin/isocost-plugin-host in a process group of its own. */
void harness_start(struct harness *harness);

/* Closes, kills what is left, reaps. Returns the wait status. */
int harness_stop(struct harness *harness);

/* Waits for the process without closing; -1 after `seconds`. */
int harness_wait(struct harness *harness, double seconds);

/* What one request came to. Free with harness_result_fini(). */
struct harness_result {
    bool hello, end, failure, closed, hash_matches, page_too_large;
    Isocost__Internal__V1__Hello *said; /* when hello */
    int64_t pages, rows;                /* counted here */
    int64_t end_pages, end_rows;        /* told by the host */
    int64_t n_offerings, n_products, n_quotas, n_overlays, n_diagnostics, n_logs;
    Isocost__Internal__V1__FailureClass failure_class;
    char text[1024];                           /* of the failure, or why the connection broke */
    Isocost__Internal__V1__HostEvent **events; /* every page */
    size_t n_events;
};
void harness_result_fini(struct harness_result *result);

/* Sends a load; `config` is name, value, ..., NULL. NULL readable: none. */
void harness_load(struct harness *harness, const char *path, const char *const *config,
                  const char *readable, struct harness_result *ret_result);
void harness_load_request(struct harness *harness, Isocost__Internal__V1__LoadRequest *load,
                          struct harness_result *ret_result);

/* Sends a fetch of a whole catalog and reads until End, Failure or the end of the connection. */
void harness_fetch(struct harness *harness, double deadline_seconds,
                   struct harness_result *ret_result);

/* The same for usage, costs and what runs, from 2020 to 2100. */
void harness_fetch_records(struct harness *harness, double deadline_seconds,
                           struct harness_result *ret_result);

/* Absolute path of a file of the build; valid until the next call but three. */
const char *harness_build_path(const char *relative);

/* The first diagnostic with this code, or NULL. */
const Isocost__V1__Diagnostic *harness_diagnostic(const struct harness_result *result,
                                                  const char *code);

#endif
