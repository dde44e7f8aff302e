/* The message of a large plan, written on a thread of its own while the plan is verified.
 *
 * The two take about as long and need nothing of each other once indices are in range. Nobody sees
 * the message before the plan has passed; one of a plan that does not is thrown away. */
#include "isocost/proto/arena.h"
#include "parts.h"

#define LARGE_LINES 500 /* a thread costs as much as some dozens of lines */

static void *write_message(void *argument)
{
    struct early *early = argument;

    early->arena = iso_arena_new(ARENA_BYTES);
    early->message =
        iso_job_write_plan(early->job, early->plan, early->plan->reason, early->stop, early->arena);
    if (early->message)
        early->lines = iso_plan_pack_shown(early->message, MOST_LINE_BYTES, early->arena,
                                           &early->n_line_bytes);
    return NULL;
}

void iso_early_begin(void *argument)
{
    struct early *early = argument;

    if (!early->plan->has_solution || early->plan->n_lines < LARGE_LINES ||
        early->plan->n_alternatives > 0)
        return;
    early->stop = iso_job_own_stop(early->job, early->plan->stop);
    early->begun = pthread_create(&early->thread, NULL, write_message, early) == 0;
}

void iso_early_end(struct early *early)
{
    if (early->begun)
        pthread_join(early->thread, NULL);
    early->begun = false;
}

void iso_early_fini(struct early *early)
{
    iso_early_end(early);
    iso_arena_free(early->arena);
}
