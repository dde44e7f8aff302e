/* A plan whose indices the verifier has let through can be read, however wrong it is: its message
 * is written while the rest of it is still being verified. */
#include "../support/solved_fixture.h"

#include "answer.h"
#include "isocost/ledger.h"

#define MODEL                                                                                      \
    "catalog:\n"                                                                                   \
    "  offerings:\n"                                                                               \
    "    - {provider: aws, region: us, zone: us-a, type: m, purchase: on-demand, price: 1 USD, "   \
    "resources: {vcpu: 4, memory_gib: 16}}\n"                                                      \
    "    - {provider: aws, region: eu, zone: eu-a, type: n, purchase: on-demand, price: 1.2 USD, " \
    "resources: {vcpu: 4, memory_gib: 16}}\n"                                                      \
    "  products:\n"                                                                                \
    "    - {id: saver, provider: aws, kind: unit, eligible: {}, term_hours: 48, hourly_fee: 0.6 "  \
    "USD, upfront: 1 USD}\n"                                                                       \
    "egress_prices:\n"                                                                             \
    "  - {from: aws/eu, to: internet/*, price_per_gb: 0.02 USD, latency_ms: 20}\n"                 \
    "  - {from: aws/us, to: internet/*, price_per_gb: 0.05 USD, latency_ms: 120}\n"                \
    "  - {from: internet/*, to: '*', price_per_gb: 0 USD}\n"                                       \
    "  - {from: 'aws/*', to: 'aws/*', price_per_gb: 0.1 USD, latency_ms: 90}\n"                    \
    "periods:\n  - {id: a, hours: 24, start: '2026-01-01T00:00:00Z'}\n"                            \
    "  - {id: b, hours: 24, start: '2026-01-02T00:00:00Z'}\n"                                      \
    "workloads:\n"                                                                                 \
    "  - {id: web, penalty: 0.9 USD, throughput: {rate: [10, 5], performance: "                    \
    "[{per_instance: 1}]}, traffic: {id: users, gb_back_per_unit_hour: 0.1, sources: "             \
    "[{region: internet/eu, share: 1}]}}\n"                                                        \
    "  - {id: db, must_serve: true, replicas: {count: 3, resources: {vcpu: 2}}}\n"                 \
    "limits: [{id: few, metric: instances, maximum: 8}]\n"                                         \
    "options: {gap: 0, want: [runners_up, baselines, duals]}\n"

struct reader {
    const struct fixture *f;
    const struct iso_plan *plan;
    int64_t n_written;
};

/* Runs under sanitizers too, which see what is read out of bounds. */
static void write_message(void *context)
{
    struct reader *reader = context;
    ISO_AUTO(iso_arena) arena = iso_arena_new((size_t)1 << 26);

    const Isocost__V1__Plan *message = iso_plan_to_proto(reader->f->resolved, reader->f->model,
                                                         reader->plan, NULL, 0, SIZE_MAX, arena);
    assert_non_null(message);
    assert_false(message->certificate->passed);
    reader->n_written++;
}

/* Bills the plan as it is, as one that comes from another process is, and verifies it. */
static enum iso_status bill_and_verify(struct reader *reader, struct iso_plan *plan)
{
    struct iso_verdict verdict;
    struct iso_error error = {0};

    ISO_TRY(iso_plan_account(reader->f->problem, plan, &error));
    return iso_verify_telling(reader->f->problem, plan, write_message, reader, &verdict, &error);
}

/* Every 32 bits of an array, one after the other, become what no index may be. */
static void damage(struct reader *reader, struct iso_plan *plan, void *array, size_t n_bytes)
{
    static const int32_t wrong[] = {-1, 1, 2, 1000000, INT32_MAX, INT32_MIN};

    for (size_t at = 0; at + sizeof(int32_t) <= n_bytes; at += sizeof(int32_t)) {
        char *place = (char *)array + at;
        int32_t saved;
        memcpy(&saved, place, sizeof(saved));
        for (size_t i = 0; i < ISO_ARRAY_LENGTH(wrong); i++) {
            memcpy(place, &wrong[i], sizeof(saved));
            bill_and_verify(reader, plan);
        }
        memcpy(place, &saved, sizeof(saved));
    }
}

static void what_is_told_to_be_readable_is(void **state)
{
    struct fixture f;
    ISO_AUTO(iso_plan) plan = solved_plan(&f, MODEL);
    struct reader reader = {.f = &f, .plan = plan};
    (void)state;

    assert_true(plan->n_uses > 0 && plan->n_fills > 0 && plan->n_purchases > 0);
    assert_int_equal(bill_and_verify(&reader, plan), ISO_OK);
    assert_int_equal(reader.n_written, 1);
    damage(&reader, plan, plan->uses, (size_t)plan->n_uses * sizeof(*plan->uses));
    damage(&reader, plan, plan->fills, (size_t)plan->n_fills * sizeof(*plan->fills));
    damage(&reader, plan, plan->entries, (size_t)plan->n_entries * sizeof(*plan->entries));
    damage(&reader, plan, plan->covers, (size_t)plan->n_covers * sizeof(*plan->covers));
    damage(&reader, plan, plan->purchases, (size_t)plan->n_purchases * sizeof(*plan->purchases));
    damage(&reader, plan, plan->unserved, (size_t)plan->n_unserved * sizeof(*plan->unserved));
    damage(&reader, plan, plan->flows, (size_t)plan->n_flows * sizeof(*plan->flows));
    damage(&reader, plan, plan->bindings, (size_t)plan->n_bindings * sizeof(*plan->bindings));
    for (int32_t i = 0; i < plan->n_runners_up; i++) {
        struct iso_runner_up *row = &plan->runners_up[i];
        damage(&reader, plan, row, offsetof(struct iso_runner_up, chosen_unit_cost));
        damage(&reader, plan, &row->blocker, sizeof(row->blocker));
    }
    for (int32_t i = 0; i < plan->n_baselines; i++) {
        damage(&reader, plan, &plan->baselines[i].kind, sizeof(int32_t));
        damage(&reader, plan, &plan->baselines[i].provider, sizeof(int32_t));
    }
    assert_int_equal(bill_and_verify(&reader, plan), ISO_OK);
    fixture_fini(&f);
}

/* The lines of a message, packed apart, are those that packing the message gives. */
static void lines_are_packed_as_in_the_plan(void **state)
{
    struct fixture f;
    ISO_AUTO(iso_plan) plan = solved_plan(&f, MODEL);
    const size_t most = 1 << 16;
    size_t n_bytes = 0;
    (void)state;

    Isocost__V1__Plan *message =
        iso_plan_to_proto(f.resolved, f.model, plan, NULL, 0, most, f.arena);
    assert_non_null(message);
    unsigned char *bytes = iso_plan_pack_shown(message, most, f.arena, &n_bytes);
    Isocost__V1__Plan *carrier =
        isocost__v1__plan__unpack(iso_arena_allocator(f.arena), n_bytes, bytes);
    assert_non_null(carrier);
    assert_int_equal(carrier->n_lines, message->n_lines);
    assert_true(carrier->n_lines > 3);
    for (size_t i = 0; i < carrier->n_lines; i++)
        assert_string_equal(carrier->lines[i]->offering, message->lines[i]->offering);
    fixture_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_told_to_be_readable_is),
        cmocka_unit_test(lines_are_packed_as_in_the_plan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
