/* Damaged models: whatever arrives, it is refused or resolved, and what is resolved is sound. */
#include "../support/resolve_fixture.h"

#include "isocost/proto/wire.h"

static const char *const models[] = {
    "catalog:\n"
    "  offerings:\n"
    "    - {provider: aws, region: east, zone: a, type: a, purchase: on-demand, price: 1 USD, "
    "resources: {vcpu: 2, memory_gib: 8}, period_prices: [{periods: [day], price: 2 USD}], labels: "
    "{class: web}}\n"
    "    - {provider: gcp, region: west, type: c, purchase: spot, price: 2 CNY, lot: 2, "
    "availability: 0.9, resources: {vcpu: 8}, observed_at: '2026-01-01T00:00:00Z'}\n"
    "  products:\n"
    "    - {id: ri, provider: aws, kind: unit, eligible: {include: [{type: a}]}, term_hours: 24, "
    "hourly_fee: 0.6 USD, upfront: 100 USD, scope: {teams: [shop]}, start_periods: [night]}\n"
    "    - {id: plan, provider: gcp, kind: spend, eligible: {}, term_hours: 100, lot: 2, "
    "hourly_fee: 14 CNY, rates: [{price_ratio: 0.5}], existing: [{quantity: 4, expires_at: "
    "'2026-01-02T00:00:00Z'}]}\n"
    "  overlays: [{price_factor: 0.9, offerings: {include: [{provider: aws}]}}]\n"
    "  quotas: [{provider: aws, region: east, code: L-1, limit: 10, used: 3}]\n"
    "periods: [{id: day, hours: 10, start: '2026-01-01T00:00:00Z'}, {id: night, hours: 14, start: "
    "'2026-01-01T10:00:00Z'}]\n"
    "teams: [{id: shop}, {id: data, overhead: {vcpu: 0.5}}]\n"
    "workloads:\n"
    "  - {id: web, team: shop, penalty: 1 CNY, headroom: 0.1, throughput: {rate: [10, 12], "
    "performance: [{per_vcpu: 5}]}, shares: [{id: s, offerings: {include: [{purchase: spot}]}, "
    "maximum: 0.5}], survive: [{id: v, level: zone, share: 0.5}], spread: [{id: d, level: region, "
    "minimum_domains: 2, minimum_share: 0.1}]}\n"
    "  - {id: db, team: data, priority: 1, replicas: {count: 3, resources: {vcpu: 1}}}\n"
    "limits: [{id: l, metric: vcpu, maximum: 100, policy: {kind: default}, periods: [day]}]\n"
    "budgets: [{id: b, team: shop, windows: [{amount: 10 CNY}], policy: {kind: soft, price: 2 "
    "USD}}]\n"
    "current: {instances: [{offering: 'aws/east/a/a/linux/on-demand', workload: web, count: 2}, "
    "{offering: 'gcp/west/*/c/linux/spot', team: data, count: 1}], move_cost: 1 USD, "
    "maximum_moves: 3}\n"
    "currency: {rates: [{pair: CNY/USD, rate: 0.14}, {pair: USD/CNY, rate: 7, periods: [day]}]}\n"
    "options: {gap: 0.01, want: [duals]}\n",
    "catalog: {offerings: [{provider: aws, type: a, purchase: on-demand, price: 1 USD}], products: "
    "[{id: p, provider: aws, kind: unit, eligible: {}, term_hours: 25, existing: [{quantity: 1, "
    "expires_at: '2026-01-01T05:30:00Z'}]}]}\n"
    "load_levels: {hours: 8, start: '2026-01-01T00:00:00Z'}\n"
    "workloads: [{id: a, must_serve: true, throughput: {rate: [1, 2, 1, 2, 3, 3, 1, 1], "
    "performance: [{per_instance: 1}]}}]\n"
    "budgets: [{id: b, windows: [{from_hour: 2, to_hour: 6, amount: 1 USD}, {amount: 5 USD}]}]\n"
    "options: {horizon_repeats: true}\n",
};

static uint64_t random_state = 20240229;

static uint32_t next_random(uint32_t below)
{
    random_state = random_state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (uint32_t)(random_state >> 33) % below;
}

static void damage(unsigned char *bytes, size_t n_bytes)
{
    for (uint32_t n = 1 + next_random(3); n > 0; n--) {
        uint32_t at = next_random((uint32_t)n_bytes);
        switch (next_random(4)) {
        case 0:
            bytes[at] ^= (unsigned char)(1u << next_random(8));
            break;
        case 1:
            bytes[at] = (unsigned char)next_random(256);
            break;
        case 2:
            bytes[at] = 0;
            break;
        default: /* a number moves or becomes another one */
            memmove(bytes + at, bytes + next_random((uint32_t)n_bytes - 8),
                    at + 8 <= n_bytes ? 8 : 1);
        }
    }
}

/* Gives 1 when the model was resolved. */
static int try_bytes(const unsigned char *bytes, size_t n_bytes)
{
    static const struct iso_wire_limits limits = ISO_WIRE_LIMITS_DEFAULT;
    ISO_AUTO(iso_arena) arena = iso_arena_new(8 << 20);
    struct iso_violations violations = {.arena = arena};
    struct iso_resolved *resolved = NULL;
    struct iso_error error = {0};
    ProtobufCMessage *message = NULL;

    if (iso_wire_decode(&isocost__v1__model__descriptor, bytes, n_bytes, &limits, arena,
                        &violations, &message, &error) != ISO_OK)
        return 0;
    const Isocost__V1__Model *model = (const Isocost__V1__Model *)message;
    iso_model_check(model, "model", &violations);
    if (violations.n > 0)
        return 0;
    enum iso_status status =
        iso_resolve(model, NULL, 0, NULL, arena, &violations, &resolved, &error);
    if (status != ISO_OK) {
        assert_true(status == ISO_E_INVALID || status == ISO_E_LIMIT);
        assert_string_not_equal(error.text, "");
        return 0;
    }
    assert_int_equal(iso_problem_check(&resolved->problem, &error), ISO_OK);
    return 1;
}

static void damaged_models_are_refused_or_resolved(void **state)
{
    (void)state;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(models); i++) {
        struct fixture f;
        int n_resolved = 0;
        fixture_good(&f, models[i], NULL);
        size_t n_bytes = protobuf_c_message_get_packed_size(&f.model->base);
        ISO_AUTO_MEM unsigned char *whole = iso_calloc(n_bytes, 1);
        ISO_AUTO_MEM unsigned char *bytes = iso_calloc(n_bytes, 1);
        protobuf_c_message_pack(&f.model->base, whole);
        assert_int_equal(try_bytes(whole, n_bytes), 1);
        for (int round = 0; round < 10000; round++) {
            memcpy(bytes, whole, n_bytes);
            damage(bytes, n_bytes);
            n_resolved += try_bytes(bytes, n_bytes);
        }
        assert_true(n_resolved > 100); /* the damage is not all caught by the wire */
        fixture_fini(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(damaged_models_are_refused_or_resolved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
