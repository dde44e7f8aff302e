/* The digest of a plan; docs/reference/digests.md has the bytes. */
#include "isocost/proto/digest.h"
#include "plan_parts.h"

#define HELD_BYTES 32768

struct hasher {
    const struct iso_problem *problem;
    struct iso_sha256 sha;
    size_t n_held;
    unsigned char held[HELD_BYTES];
};

static void flush(struct hasher *hasher)
{
    iso_sha256_update(&hasher->sha, hasher->held, hasher->n_held);
    hasher->n_held = 0;
}

static void add(struct hasher *hasher, const void *bytes, size_t n_bytes)
{
    if (n_bytes > HELD_BYTES - hasher->n_held)
        flush(hasher);
    if (n_bytes > HELD_BYTES) {
        iso_sha256_update(&hasher->sha, bytes, n_bytes);
        return;
    }
    memcpy(hasher->held + hasher->n_held, bytes, n_bytes);
    hasher->n_held += n_bytes;
}

static void add_text(struct hasher *hasher, const char *text)
{
    add(hasher, text, strlen(text) + 1);
}

/* Little-endian, 64 bits each. */
static void add_numbers(struct hasher *hasher, const int64_t *numbers, size_t n)
{
    unsigned char bytes[8 * 8];

    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < 8; k++)
            bytes[8 * i + k] = (unsigned char)((uint64_t)numbers[i] >> (8 * k));
    add(hasher, bytes, 8 * n);
}

static void add_number(struct hasher *hasher, int64_t number)
{
    add_numbers(hasher, &number, 1);
}

static void add_line(struct hasher *hasher, const struct iso_plan *plan,
                     const struct iso_line *line)
{
    const struct iso_problem *problem = hasher->problem;
    int32_t workload = line->cell < problem->n_workloads ? line->cell : -1, from = -1, to = -1;
    iso_decimal served = line->served;
    static const int64_t kinds[] = {
        [ISO_LINE_INSTANCE] = ISOCOST__V1__LINE_KIND__LINE_KIND_INSTANCE,
        [ISO_LINE_FEE] = ISOCOST__V1__LINE_KIND__LINE_KIND_COMMITMENT_FEE,
        [ISO_LINE_UPFRONT] = ISOCOST__V1__LINE_KIND__LINE_KIND_UPFRONT_SHARE,
        [ISO_LINE_MOVE] = ISOCOST__V1__LINE_KIND__LINE_KIND_MOVE,
        [ISO_LINE_VOLUME] = ISOCOST__V1__LINE_KIND__LINE_KIND_VOLUME,
        [ISO_LINE_EGRESS] = ISOCOST__V1__LINE_KIND__LINE_KIND_EGRESS};

    if (line->kind == ISO_LINE_EGRESS) {
        const struct iso_flow *flow = &plan->flows[line->start / ISO_N_DIRECTIONS];
        workload = flow->workload;
        served = flow->amount;
        iso_plan_egress_places(problem, plan, line, &from, &to);
    }
    const int64_t numbers[] = {line->period, line->n_periods, line->quantity, line->unit_price,
                               line->hours,  line->rate,      line->cost,     served};
    bool of_cell = line->cell >= 0;

    add_number(hasher, kinds[line->kind]);
    add_numbers(hasher, numbers, ISO_ARRAY_LENGTH(numbers));
    add_text(hasher, problem->currencies[line->currency].code);
    add_text(hasher, workload >= 0 ? problem->workloads[workload].id : "");
    add_text(hasher, of_cell ? problem->teams[iso_cell_team(problem, line->cell)].id : "");
    add_text(hasher, line->offering >= 0 ? problem->offerings[line->offering].id : "");
    add_text(hasher, line->product >= 0 ? problem->products[line->product].id : "");
    add_text(hasher, from >= 0 ? iso_problem_place_name(problem, from) : "");
    add_text(hasher, to >= 0 ? iso_problem_place_name(problem, to) : "");
}

static void add_parts(struct hasher *hasher, struct iso_line_parts *parts,
                      const struct iso_line *line)
{
    const struct iso_problem *problem = hasher->problem;
    const struct iso_cover **covers;
    const struct iso_fill **fills;
    int32_t n_covers = iso_line_covers(parts, line, &covers);
    int32_t n_fills = iso_line_fills(parts, line, &fills);

    add_number(hasher, n_covers);
    for (int32_t i = 0; i < n_covers; i++) {
        add_text(hasher, problem->products[covers[i]->product].id);
        add_number(hasher, covers[i]->instances);
    }
    add_number(hasher, n_fills);
    for (int32_t i = 0; i < n_fills; i++) {
        add_number(hasher, fills[i]->instances);
        add_number(hasher, fills[i]->n_entries);
        for (int32_t e = 0; e < fills[i]->n_entries; e++) {
            const struct iso_fill_entry *entry = &parts->plan->entries[fills[i]->first_entry + e];
            add_text(hasher, problem->workloads[entry->workload].id);
            add_number(hasher, entry->count);
        }
    }
}

/* Of the message with termination, stages and commitments only. */
static bool digest_core(const Isocost__V1__Plan *message, char digest[ISO_DIGEST_TEXT_SIZE])
{
    Isocost__V1__Plan core = ISOCOST__V1__PLAN__INIT;

    core.termination = message->termination;
    core.n_tiers = message->n_tiers;
    core.tiers = message->tiers;
    core.n_commitments = message->n_commitments;
    core.commitments = message->commitments;
    return iso_message_digest(&core.base, NULL, digest, NULL) == ISO_OK;
}

char *iso_plan_digest(const struct iso_plan_writer *writer)
{
    const struct iso_plan *plan = writer->plan;
    struct hasher *hasher = iso_arena_calloc(writer->arena, 1, sizeof(*hasher));
    unsigned char hash[ISO_SHA256_BYTES];
    char digest[ISO_DIGEST_TEXT_SIZE];
    struct iso_line_parts parts;

    if (!hasher || !digest_core(writer->message, digest) || !iso_line_parts_init(writer, &parts))
        return NULL;
    hasher->problem = writer->problem;
    iso_sha256_init(&hasher->sha);
    add(hasher, digest, strlen(digest));
    add(hasher, "\n", 1);
    add_number(hasher, plan->n_lines);
    for (int32_t i = 0; i < plan->n_lines; i++) {
        add_line(hasher, plan, &plan->lines[i]);
        add_parts(hasher, &parts, &plan->lines[i]);
    }
    flush(hasher);
    iso_sha256_final(&hasher->sha, hash);
    return iso_arena_strdup(writer->arena, iso_digest_text(hash, digest));
}
