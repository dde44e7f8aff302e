/* A provider instance: its configuration and how it is. No locks: its owner has them. */
#ifndef ISOCOST_SERVER_INSTANCE_H
#define ISOCOST_SERVER_INSTANCE_H

#include "host_process.h"
#include "isocost/internal/v1/config.pb-c.h"
#include "isocost/v1/catalog_service.pb-c.h"

#define ISO_INSTANCE_CRASHES 5          /* so many ... */
#define ISO_INSTANCE_CRASH_WINDOW_S 600 /* ... in so many seconds, and it is left alone ... */
#define ISO_INSTANCE_PROBE_S 600        /* ... for so long; twice as long after each probe fails */
#define ISO_INSTANCE_MAX_PROBE_S 86400

/* Bits of `about.capabilities`, those of enum iso_cap in plugins/include/isocost/plugin.h. */
#define ISO_INSTANCE_CATALOG 0x0fu /* offerings, prices, capacity, quotas: any of them */
#define ISO_INSTANCE_USAGE 0x10u
#define ISO_INSTANCE_COST 0x20u
#define ISO_INSTANCE_INVENTORY 0x40u

/* Zero-initialise, then set `config`. Times are seconds on one clock of the caller's choice. */
struct iso_instance {
    const Isocost__Internal__V1__ProviderInstance *config;
    double quarantine_s; /* first time that it is left alone; 0: ISO_INSTANCE_PROBE_S */
    Isocost__V1__ProviderState state;
    char last_error[384];
    int64_t last_success_ns; /* UTC; 0 = never */
    struct iso_host_report about;
    double crashes[ISO_INSTANCE_CRASHES]; /* the newest, in a ring */
    int n_crashes, n_failures;            /* ever; in a row */
    int n_quarantines;                    /* in a row: probes that failed are among them */
    double probe_s;                       /* quarantined: when one attempt is allowed */
    double due_s;                         /* next refresh by itself; INFINITY = none */
    double retry_s; /* when it may be asked by itself after a failure; INFINITY = not; 0 = it may */
    int64_t n_rows; /* of the last good fetch; 0: none. The catalog's thread alone has it */
};

/* Notes how an attempt ended at `now_s`. `refused`: it could not be loaded at all. `fetched` is
 * false for an attempt that only loaded the plugin. `random` in [0, 1) spreads retries. */
void iso_instance_note(struct iso_instance *instance, enum iso_status status, bool refused,
                       bool fetched, const struct iso_host_report *report, const char *error,
                       double now_s, int64_t now_ns, double random);

/* Whether an instance is quarantined and its next probe is not due. A refresh that nobody asked for
 * by name passes it over; once the probe is due, one attempt decides: it is ready again, or left
 * alone for twice as long. */
bool iso_instance_left_alone(const struct iso_instance *instance, double now_s);

/* Seconds to wait after `n_failures` failures in a row: 1, 2, 4, ... at most 300, and up to a
 * quarter more. */
double iso_instance_backoff_s(int n_failures, double random);

/* Seconds from a refresh to the next one that nobody asks for: up to a tenth more than configured,
 * so that servers that were started together do not ask together for ever. */
double iso_instance_interval_s(double seconds, double random);

/* The words for capability bits, in the arena; NULL when that is full. */
char **iso_capability_names(uint32_t bits, struct iso_arena *arena, size_t *ret_n);

/* The instance as callers see it, in the arena; NULL when that is full. */
Isocost__V1__Provider *iso_instance_to_proto(const struct iso_instance *instance,
                                             struct iso_arena *arena);

#endif
