#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above */
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "exit_code.h"
#include "isocost/proto/json.h"
#include "plan_view.h"
#include "table.h"

#define ARENA_BYTES ((size_t)16 << 20)

/* Two clouds, one hour: 1500 * 0.4 + 500 * 0.5 = 850; as used now 800 * 0.5 + 1200 * 0.4 = 880. */
static const char *const seed_plan =
    "{\"state\": \"DONE\", \"displayName\": \"AWS and 阿里云\", \"horizonHours\": 1,"
    " \"termination\": {\"reason\": \"OPTIMAL\", \"stoppedBy\": \"NONE\"},"
    " \"cost\": \"850 USD\", \"objective\": \"850 USD\", \"lineCount\": 2,"
    " \"tiers\": [{\"name\": \"money\", \"value\": 850, \"bound\": 850, \"proof\": \"DUAL\"}],"
    " \"lines\": ["
    "  {\"kind\": \"INSTANCE\", \"period\": \"now\", \"lastPeriod\": \"now\", \"periods\": 1,"
    "   \"workload\": \"服务\","
    "   \"offering\": \"alibaba/*/*/server/linux/on-demand\", \"quantity\": 1500, \"hours\": 1,"
    "   \"rate\": 1, \"unitPrice\": \"0.4 USD\", \"cost\": \"600 USD\", \"served\": 1500,"
    "   \"reason\": \"cheapest, up to its limit\"},"
    "  {\"kind\": \"INSTANCE\", \"period\": \"now\", \"lastPeriod\": \"now\", \"periods\": 1,"
    "   \"workload\": \"服务\","
    "   \"offering\": \"aws/*/*/server/linux/on-demand\", \"quantity\": 500, \"hours\": 1,"
    "   \"rate\": 1, \"unitPrice\": \"0.5 USD\", \"cost\": \"250 USD\", \"served\": 500,"
    "   \"reason\": \"next, \\\"the rest\\\"\"}],"
    " \"costByProvider\": [{\"name\": \"alibaba\", \"cost\": \"600 USD\"},"
    "                      {\"name\": \"aws\", \"cost\": \"250 USD\"}],"
    " \"runnersUp\": [{\"user\": \"服务\", \"period\": \"now\","
    "   \"chosen\": \"alibaba/*/*/server/linux/on-demand\","
    "   \"offering\": \"aws/*/*/server/linux/on-demand\", \"chosenUnitCost\": \"0.4 USD\","
    "   \"unitCost\": \"0.5 USD\", \"reason\": \"costs 25 % more\","
    "   \"reducedCost\": \"0.1 USD\", \"reducedCostKind\": \"LP_ESTIMATE\"}],"
    " \"bindingRules\": [{\"rule\": \"alibaba-instances\", \"value\": 1500, \"limit\": 1500,"
    "   \"worth\": \"0.1 USD\", \"worthKind\": \"LP_ESTIMATE\"}],"
    " \"baselines\": [{\"name\": \"today\", \"cost\": \"880 USD\", \"feasible\": true},"
    "                 {\"name\": \"only aws\", \"note\": \"limit aws-instances\"}],"
    " \"certificate\": {\"rulesChecked\": 4, \"columnsPriced\": 2, \"passed\": true}}";

static const char *const infeasible_plan =
    "{\"state\": \"DONE\", \"displayName\": \"Too small\","
    " \"termination\": {\"reason\": \"INFEASIBLE\", \"stoppedBy\": \"NONE\"},"
    " \"conflicts\": [{\"minimal\": true, \"rules\": ["
    "   {\"rule\": \"web\", \"kind\": \"must-serve\", \"text\": \"serve 100 req/s\"},"
    "   {\"rule\": \"total\", \"kind\": \"budget\", \"text\": \"spend at most 3000 USD\"}]}],"
    " \"relaxations\": [{\"rule\": \"total\", \"text\": \"raise the budget to 3600 USD\","
    "   \"current\": 3000, \"needed\": 3600, \"cost\": \"3600 USD\", \"verified\": true,"
    "   \"also\": [{\"rule\": \"few\", \"current\": 1, \"needed\": 2}]}]}";

static Isocost__V1__Plan *read_plan(const char *text, struct iso_arena *arena)
{
    struct iso_violations violations = {.arena = arena};
    struct iso_error error = {0};
    ProtobufCMessage *message = NULL;
    enum iso_status status = iso_json_read(&isocost__v1__plan__descriptor, text, strlen(text),
                                           arena, &violations, &message, &error);

    if (status != ISO_OK)
        fail_msg("%s: %s", error.field, error.text);
    return (Isocost__V1__Plan *)message;
}

static char *printed(const char *json, unsigned flags)
{
    ISO_AUTO(iso_arena) arena = iso_arena_new(ARENA_BYTES);
    char *text = NULL;
    size_t n;
    FILE *stream = open_memstream(&text, &n);
    struct iso_view view = {.stream = stream, .arena = arena};

    assert_true(iso_plan_view_print(&view, read_plan(json, arena), flags));
    fclose(stream);
    return text;
}

#define assert_has(text, part)                             \
    do {                                                   \
        if (!strstr(text, part))                           \
            fail_msg("\"%s\" is not in:\n%s", part, text); \
    } while (0)

static void the_table_has_winners_prices_and_a_total(void **state)
{
    char *text = printed(seed_plan, 0);

    (void)state;
    assert_has(text, "AWS and 阿里云: 850.00 USD for 1 h\n");
    assert_has(text, "Ended: optimal, stopped by none\n");
    assert_has(text, "Gap 0 %: no plan can cost less than 850.00 USD; proof: a dual vector");
    assert_has(text,
               "WORKLOAD  PERIOD  OFFERING                            COUNT  SERVES    PRICE  "
               "HOURS  COST USD\n"
               "服务      now     alibaba/*/*/server/linux/on-demand   1500    1500  0.4 USD      "
               "1    600.00\n"
               "服务      now     aws/*/*/server/linux/on-demand        500     500  0.5 USD      "
               "1    250.00\n"
               "total                                                                             "
               "     850.00\n");
    assert_has(text, "alibaba     600.00  70.6 %\n");
    assert_has(text, "today       880.00 USD      +3.5 %");
    assert_has(text, "only aws  not possible              limit aws-instances\n");
    assert_null(strstr(text, "\033["));
    assert_null(strstr(text, "Why these"));
    free(text);
}

static void why_adds_reasons_and_what_limits(void **state)
{
    char *text = printed(seed_plan, ISO_PLAN_VIEW_WHY);

    (void)state;
    assert_has(text, "Why these, and why the runner-up lost\n");
    assert_has(text, "now      aws/*/*/server/linux/on-demand    0.1 USD  costs 25 % more\n");
    assert_has(text, "next, \"the rest\"\n"); /* no runner-up: the line's own reason */
    assert_has(text, "costs 25 % more");
    assert_has(text, "What limits you\n");
    assert_has(text, "         0.1 USD  lp-estimate\n");
    assert_has(text, "4 rules and 2 columns by an independent verifier: all hold");
    free(text);
}

static void an_infeasible_model_gives_its_conflict_and_the_ways_out(void **state)
{
    ISO_AUTO(iso_arena) arena = iso_arena_new(ARENA_BYTES);
    char *text = printed(infeasible_plan, 0);

    (void)state;
    assert_has(text, "Too small: infeasible\n");
    assert_has(text, "These rules cannot hold together; without any one of them the others can\n");
    assert_has(text, "web    must-serve  serve 100 req/s\n");
    assert_has(text, "total  budget      spend at most 3000 USD\n");
    assert_has(text, "3,600.00 USD  a solve   raise the budget to 3600 USD\n");
    assert_has(text,
               "few       1       2                                together with the row above\n");
    assert_int_equal(iso_exit_code_of_plan(read_plan(infeasible_plan, arena)), 4);
    free(text);
}

static void csv_has_exact_amounts_and_quotes(void **state)
{
    ISO_AUTO(iso_arena) arena = iso_arena_new(ARENA_BYTES);
    char *text = NULL;
    size_t n;
    FILE *stream = open_memstream(&text, &n);

    (void)state;
    iso_plan_view_csv(read_plan(seed_plan, arena), stream);
    fclose(stream);
    assert_string_equal(
        text,
        "kind,period,last_period,periods,workload,team,offering,product,quantity,served,"
        "unit_price,currency,hours,rate,cost,cost_currency,from,to,reason,price_note\n"
        "INSTANCE,now,now,1,服务,,alibaba/*/*/server/linux/"
        "on-demand,,1500,1500,0.4,USD,1,1,600,USD,,,"
        "\"cheapest, up to its limit\",\n"
        "INSTANCE,now,now,1,服务,,aws/*/*/server/linux/on-demand,,500,500,0.5,USD,1,1,250,USD,,,"
        "\"next, \"\"the rest\"\"\",\n");
    free(text);
}

/* A year of twelve months of 730 hours: 2 instances from January to March at 0.5, and a commitment
 * at 0.1 all year: 2 * 0.5 * 2190 = 2190 and 0.1 * 8760 = 876. */
static void runs_are_rows_with_their_first_and_last_period(void **state)
{
    char *text = printed(
        "{\"state\": \"DONE\", \"cost\": \"3066 USD\", \"lineCount\": 2,"
        " \"termination\": {\"reason\": \"OPTIMAL\"}, \"lines\": ["
        " {\"kind\": \"INSTANCE\", \"period\": \"jan\", \"lastPeriod\": \"mar\", \"periods\": 3,"
        "  \"workload\": \"a\", \"offering\": \"x\", \"quantity\": 2, \"hours\": 730,"
        "  \"unitPrice\": \"0.5 USD\", \"cost\": \"2190 USD\"},"
        " {\"kind\": \"COMMITMENT_FEE\", \"period\": \"jan\", \"lastPeriod\": \"dec\","
        "  \"periods\": 12, \"product\": \"c\", \"quantity\": 1, \"hours\": 730,"
        "  \"unitPrice\": \"0.1 USD\", \"cost\": \"876 USD\"}],"
        " \"costByPeriod\": [{}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}]}",
        0);

    (void)state;
    assert_has(text,
               "a         jan..mar  x                     2          0.5 USD   2190  2,190.00\n");
    assert_has(text,
               "-         all       commitment-fee c      1          0.1 USD   8760    876.00\n");
    assert_has(text, "3,066.00\n");
    free(text);
}

static void shown_costs_of_lines_add_up_to_the_shown_total(void **state)
{
    /* Three lines of a third of a unit: 0.33 + 0.33 + 0.34 = 1.00. */
    char *text = printed("{\"state\": \"DONE\", \"cost\": \"1 USD\", \"lineCount\": 3,"
                         " \"termination\": {\"reason\": \"OPTIMAL\"}, \"lines\": ["
                         " {\"kind\": \"INSTANCE\", \"period\": \"p\", \"workload\": \"a\","
                         "  \"offering\": \"x\", \"hours\": 1, \"cost\": \"0.333333333 USD\"},"
                         " {\"kind\": \"INSTANCE\", \"period\": \"p\", \"workload\": \"b\","
                         "  \"offering\": \"x\", \"hours\": 1, \"cost\": \"0.333333333 USD\"},"
                         " {\"kind\": \"INSTANCE\", \"period\": \"p\", \"workload\": \"c\","
                         "  \"offering\": \"x\", \"hours\": 1, \"cost\": \"0.333333334 USD\"}]}",
                         0);

    (void)state;
    assert_has(text, " 0.33\nb ");
    assert_has(text, " 0.34\ntotal");
    assert_has(text, " 1.00\n");
    free(text);
}

static void each_way_to_end_has_its_exit_code(void **state)
{
    static const struct {
        const char *plan;
        int code;
    } cases[] = {
        {"{\"termination\": {\"reason\": \"OPTIMAL\", \"stoppedBy\": \"GAP\"}}", 0},
        {"{\"termination\": {\"reason\": \"FEASIBLE\", \"stoppedBy\": \"TIME\"}}", 5},
        {"{\"termination\": {\"reason\": \"FEASIBLE\", \"stoppedBy\": \"CANCEL\"}}", 5},
        {"{\"termination\": {\"reason\": \"NO_PLAN_FOUND\", \"stoppedBy\": \"TIME\"}}", 6},
        {"{\"termination\": {\"reason\": \"FEASIBLE\", \"stoppedBy\": \"NONE\"}}", 5},
        {"{\"termination\": {\"reason\": \"INFEASIBLE\"}}", 4},
        {"{\"termination\": {\"reason\": \"UNBOUNDED\"}}", 3},
        {"{\"state\": \"FAILED\"}", 1},
        {"{\"state\": \"CANCELLED\"}", 6},
        {"{\"state\": \"QUEUED\"}", 0},
    };
    ISO_AUTO(iso_arena) arena = iso_arena_new(ARENA_BYTES);

    (void)state;
    for (size_t i = 0; i < ISO_ARRAY_LENGTH(cases); i++)
        assert_int_equal(iso_exit_code_of_plan(read_plan(cases[i].plan, arena)), cases[i].code);
}

static void every_failed_allocation_is_reported(void **state)
{
    bool good = false;
    long nth;

    (void)state;
    for (nth = 0; !good && nth < 10000; nth++) {
        ISO_AUTO(iso_arena) arena = iso_arena_new(ARENA_BYTES);
        ISO_AUTO(iso_arena) scratch = iso_arena_new(ARENA_BYTES);
        char *text = NULL;
        size_t n;
        FILE *stream = open_memstream(&text, &n);
        struct iso_view view = {.stream = stream, .arena = scratch};
        Isocost__V1__Plan *plan = read_plan(seed_plan, arena);
        iso_alloc_fail_at(nth);
        good = iso_plan_view_print(&view, plan, ISO_PLAN_VIEW_WHY);
        iso_alloc_fail_at(-1);
        fclose(stream);
        free(text);
    }
    assert_true(good && nth > 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_has_winners_prices_and_a_total),
        cmocka_unit_test(why_adds_reasons_and_what_limits),
        cmocka_unit_test(an_infeasible_model_gives_its_conflict_and_the_ways_out),
        cmocka_unit_test(csv_has_exact_amounts_and_quotes),
        cmocka_unit_test(runs_are_rows_with_their_first_and_last_period),
        cmocka_unit_test(shown_costs_of_lines_add_up_to_the_shown_total),
        cmocka_unit_test(each_way_to_end_has_its_exit_code),
        cmocka_unit_test(every_failed_allocation_is_reported),
    };

    iso_table_use_utf8();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
