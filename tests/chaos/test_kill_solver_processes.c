/* Many callers of the real isocost-solver while its processes are killed at random: each gets the
 * right plan or a clear error, and nothing is left over. The seed is printed and may be given as
 * ISO_SEED. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "isocost/proto/arena.h"
#include "job_watch.h"

enum { N_JOBS = 200, WAVE = 8, N_PIDS = 16 };

/* A small generator of our own, so that a seed gives the same run everywhere. */
static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

static struct iso_supervisor *start(void)
{
    static char path[4096];
    const char *build = getenv("ISO_BUILD");
    struct iso_supervisor *supervisor = NULL;
    struct iso_error error = {0};
    const struct iso_supervisor_config config = {
        .solver_path = path, .n_solvers = 2, .queue_bound = N_JOBS};

    snprintf(path, sizeof(path), "%s/bin/isocost-solver", build ? build : "");
    if (iso_supervisor_start(&config, &supervisor, &error) != ISO_OK)
        fail_msg("%s", error.text);
    return supervisor;
}

/* The seed's two clouds cost 850; see test_solver_process.c. */
static void random_kills_lose_no_caller_and_leak_nothing(void **state)
{
    static struct watch watches[WAVE];
    const char *given = getenv("ISO_SEED");
    uint32_t seed = given ? (uint32_t)strtoul(given, NULL, 10) : 20240607u;
    ISO_AUTO(iso_arena) arena = iso_arena_new(1u << 20);
    Isocost__V1__Model *model = watch_read_example("seed-two-clouds.yaml", arena);
    int before = watch_count_descriptors(), n_plans = 0, pids[N_PIDS];
    struct iso_supervisor *supervisor = start();
    struct iso_supervisor_stats stats;

    (void)state;
    print_message("ISO_SEED=%u\n", seed);
    model->options->time_limit_seconds = 5;
    for (int done = 0; done < N_JOBS; done += WAVE) {
        for (int i = 0; i < WAVE; i++)
            watch_submit(supervisor, &watches[i],
                         &(struct iso_job_request){.model = model, .snapshot_fd = -1});
        usleep(next_random(&seed) % 4000);
        int n = watch_children(false, N_PIDS, pids);
        if (n > 0)
            kill(pids[next_random(&seed) % (uint32_t)n], SIGKILL);
        for (int i = 0; i < WAVE; i++)
            n_plans += watch_plan_or_kill(&watches[i], 850);
    }
    assert_true(n_plans >= N_JOBS - N_JOBS / WAVE); /* a kill costs one job at most */
    iso_supervisor_stats(supervisor, &stats);
    assert_int_equal(stats.rejected_by_verifier, 0);
    iso_supervisor_stop(supervisor, 0);
    assert_int_equal(watch_children(false, N_PIDS, pids), 0);
    assert_int_equal(watch_children(true, N_PIDS, pids), 0);
    assert_int_equal(watch_count_descriptors(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_kills_lose_no_caller_and_leak_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
