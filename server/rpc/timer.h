/* One thread that runs callbacks at their time. */
#ifndef ISOCOST_SERVER_TIMER_H
#define ISOCOST_SERVER_TIMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "isocost/base/status.h"

/* Embed it, zero-initialised. `run` must not block. */
struct iso_timer {
    int64_t due_ns; /* CLOCK_MONOTONIC */
    size_t place;   /* 1 + index in the heap; 0 = not set */
    void (*run)(struct iso_timer *timer);
};

struct iso_timer_queue;

ISO_EXPORT enum iso_status iso_timer_queue_new(struct iso_timer_queue **ret_queue,
                                               struct iso_error *reterr);
/* Timers that are still set never run. Accepts NULL. */
ISO_EXPORT void iso_timer_queue_free(struct iso_timer_queue *queue);
ISO_DEFINE_FREEP(iso_timer_queue)

/* Sets a timer that is not set. It must stay until it ran or was taken back. False: no memory. */
ISO_EXPORT bool iso_timer_set(struct iso_timer_queue *queue, struct iso_timer *timer,
                              int64_t due_ns);

/* True: it was set and will not run. False: it was not set, or it runs or has run. */
ISO_EXPORT bool iso_timer_take_back(struct iso_timer_queue *queue, struct iso_timer *timer);

/* CLOCK_MONOTONIC now. */
ISO_EXPORT int64_t iso_monotonic_ns(void);

#endif
