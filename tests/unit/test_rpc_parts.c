/* Parts of the RPC server that need no network: worker pool, timers, descriptor index. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "descriptor_index.h"
#include "isocost/proto/descriptor_set.h"
#include "timer.h"
#include "worker.h"

#define PATIENCE_MS 8000

static void pause_ms(int ms)
{
    nanosleep(&(struct timespec){.tv_nsec = ms * 1000000l}, NULL);
}

/* --- worker pool --- */

struct job {
    struct iso_task task; /* first */
    int number;
};

static struct {
    atomic_bool release;
    atomic_int n_run, n_waiting;
    int order[64];
} seen;

static void run_job(struct iso_task *task)
{
    struct job *job = (struct job *)task;

    seen.order[atomic_fetch_add(&seen.n_run, 1)] = job->number;
}

static void run_gate(struct iso_task *task)
{
    (void)task;
    atomic_fetch_add(&seen.n_waiting, 1);
    while (!atomic_load(&seen.release))
        pause_ms(1);
}

static struct iso_worker_pool *new_pool(int n_threads, int bound)
{
    struct iso_worker_pool *pool = NULL;

    atomic_store(&seen.release, false);
    atomic_store(&seen.n_run, 0);
    atomic_store(&seen.n_waiting, 0);
    assert_int_equal(iso_worker_pool_new(n_threads, bound, &pool, NULL), ISO_OK);
    return pool;
}

static void one_worker_runs_tasks_in_order(void **state)
{
    struct iso_worker_pool *pool = new_pool(1, 64);
    struct job jobs[50];

    (void)state;
    for (int i = 0; i < 50; i++) {
        jobs[i] = (struct job){.task.run = run_job, .number = i};
        assert_true(iso_worker_pool_submit(pool, &jobs[i].task, /* bounded= */ true));
    }
    iso_worker_pool_wait_idle(pool);
    assert_int_equal(atomic_load(&seen.n_run), 50);
    for (int i = 0; i < 50; i++)
        assert_int_equal(seen.order[i], i);
    iso_worker_pool_free(pool);
}

static void full_queue_refuses_new_work_but_not_what_goes_on(void **state)
{
    struct iso_worker_pool *pool = new_pool(1, 2);
    struct job gate = {.task.run = run_gate}, jobs[4];

    (void)state;
    assert_true(iso_worker_pool_submit(pool, &gate.task, true));
    for (int i = 0; i < PATIENCE_MS && atomic_load(&seen.n_waiting) == 0; i++)
        pause_ms(1);
    for (int i = 0; i < 4; i++)
        jobs[i] = (struct job){.task.run = run_job, .number = i};
    assert_true(iso_worker_pool_submit(pool, &jobs[0].task, true));
    assert_true(iso_worker_pool_submit(pool, &jobs[1].task, true));
    assert_int_equal(iso_worker_pool_depth(pool), 2);
    assert_false(iso_worker_pool_submit(pool, &jobs[2].task, true));
    assert_true(iso_worker_pool_submit(pool, &jobs[3].task, false));
    atomic_store(&seen.release, true);
    iso_worker_pool_free(pool); /* runs what is queued */
    assert_int_equal(atomic_load(&seen.n_run), 3);
}

/* --- timers --- */

static void count_timer(struct iso_timer *timer)
{
    (void)timer;
    atomic_fetch_add(&seen.n_run, 1);
}

static void timers_run_once_at_their_time_unless_taken_back(void **state)
{
    struct iso_timer_queue *queue = NULL;
    struct iso_timer timers[40] = {{0}};
    int64_t now = iso_monotonic_ns();

    (void)state;
    atomic_store(&seen.n_run, 0);
    assert_int_equal(iso_timer_queue_new(&queue, NULL), ISO_OK);
    for (int i = 0; i < 40; i++) { /* in a shuffled order: 17 and 40 share no divisor */
        timers[i].run = count_timer;
        assert_true(iso_timer_set(queue, &timers[i], now + (i * 17 % 40) * 1000000));
    }
    for (int i = 0; i < PATIENCE_MS && atomic_load(&seen.n_run) < 40; i++)
        pause_ms(1);
    assert_int_equal(atomic_load(&seen.n_run), 40);
    assert_false(iso_timer_take_back(queue, &timers[0]));

    for (int i = 0; i < 40; i++)
        assert_true(iso_timer_set(queue, &timers[i], iso_monotonic_ns() + INT64_C(3600000000000)));
    for (int i = 39; i >= 0; i -= 2)
        assert_true(iso_timer_take_back(queue, &timers[i]));
    assert_false(iso_timer_take_back(queue, &timers[39]));
    iso_timer_queue_free(queue); /* the others never run */
    assert_int_equal(atomic_load(&seen.n_run), 40);
}

/* --- descriptor index --- */

static void index_finds_files_and_every_kind_of_name(void **state)
{
    static const struct {
        const char *name, *file;
    } cases[] = {
        {"isocost.v1.PlanService", "isocost/v1/plan_service.proto"},
        {"isocost.v1.PlanService.SolvePlan", "isocost/v1/plan_service.proto"},
        {"isocost.v1.Plan", "isocost/v1/plan.proto"},
        {"isocost.v1.Plan.cost", "isocost/v1/plan.proto"},
        {"isocost.v1.Plan.LabelsEntry", "isocost/v1/plan.proto"},
        {"isocost.v1.PlanState", "isocost/v1/plan.proto"},
        {"isocost.v1.PLAN_STATE_DONE", "isocost/v1/plan.proto"},
        {"grpc.health.v1.Health.Watch", "grpc/health/v1/health.proto"},
        {"google.rpc.Status", "google/rpc/status.proto"},
    };
    struct iso_descriptor_index *index = NULL;

    (void)state;
    assert_int_equal(
        iso_descriptor_index_new(iso_descriptor_set, iso_descriptor_set_bytes, &index, NULL),
        ISO_OK);
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(cases); i++) {
        int file = iso_descriptor_index_symbol(index, cases[i].name);

        assert_true(file >= 0);
        assert_string_equal(index->files[file].proto->name, cases[i].file);
        assert_int_equal(iso_descriptor_index_file(index, cases[i].file), file);
    }
    assert_int_equal(iso_descriptor_index_symbol(index, "isocost.v1.Nothing"), -1);
    assert_int_equal(iso_descriptor_index_symbol(index, ""), -1);
    assert_int_equal(iso_descriptor_index_file(index, "nothing.proto"), -1);
    iso_descriptor_index_free(index);
}

static void bytes_of_a_file_are_its_descriptor(void **state)
{
    struct iso_descriptor_index *index = NULL;

    (void)state;
    assert_int_equal(
        iso_descriptor_index_new(iso_descriptor_set, iso_descriptor_set_bytes, &index, NULL),
        ISO_OK);
    for (int i = 0; i < index->n_files; i++) {
        Google__Protobuf__FileDescriptorProto *file =
            google__protobuf__file_descriptor_proto__unpack(NULL, index->files[i].n_bytes,
                                                            index->files[i].bytes);

        assert_non_null(file);
        assert_string_equal(file->name, index->files[i].proto->name);
        google__protobuf__file_descriptor_proto__free_unpacked(file, NULL);
    }
    iso_descriptor_index_free(index);
}

static void index_refuses_a_broken_set_and_survives_failed_allocations(void **state)
{
    struct iso_descriptor_index *index = NULL;
    struct iso_error error = {0};

    (void)state;
    assert_int_equal(iso_descriptor_index_new(iso_descriptor_set, 100, &index, &error),
                     ISO_E_INTERNAL);
    for (long nth = 0; !index; nth += 37) { /* some of its thousands of allocations */
        enum iso_status status;

        iso_alloc_fail_at(nth);
        status =
            iso_descriptor_index_new(iso_descriptor_set, iso_descriptor_set_bytes, &index, NULL);
        iso_alloc_fail_at(-1);
        assert_int_equal(status, index ? ISO_OK : ISO_E_NOMEM);
    }
    iso_descriptor_index_free(index);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_worker_runs_tasks_in_order),
        cmocka_unit_test(full_queue_refuses_new_work_but_not_what_goes_on),
        cmocka_unit_test(timers_run_once_at_their_time_unless_taken_back),
        cmocka_unit_test(index_finds_files_and_every_kind_of_name),
        cmocka_unit_test(bytes_of_a_file_are_its_descriptor),
        cmocka_unit_test(index_refuses_a_broken_set_and_survives_failed_allocations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
