#include "plan_explain.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "isocost/proto/json.h"
#include "remote.h"
#include "study_stream.h"

#define MEMBER(name) offsetof(struct iso_plan_explain_options, name)
#define QUESTIONS_MAX 100

const struct iso_option iso_plan_explain_option_rows[] = {
    ISO_COMMON_OPTIONS,
    {"why", 0, ISO_OPTION_TEXT, MEMBER(why), "WORKLOAD",
     "why its lines are what they are; all: of everything"},
    {"why-not", 0, ISO_OPTION_LIST, MEMBER(why_not), "SELECTOR",
     "what it costs to do without it if used, or to have one of it if not"},
    {"forbid", 0, ISO_OPTION_LIST, MEMBER(forbid), "SELECTOR", "what it costs to do without it"},
    {"require", 0, ISO_OPTION_LIST, MEMBER(require), "SELECTOR[=N]",
     "what it costs to have at least N of it in each period; default 1"},
    {"rule", 0, ISO_OPTION_LIST, MEMBER(rules), "NAME", "what a rule costs"},
    {"price", 0, ISO_OPTION_LIST, MEMBER(prices), "OFFERING",
     "how far its price may move before another plan is cheaper"},
    {"worth", 0, ISO_OPTION_FLAG, MEMBER(worth), NULL,
     "what one unit more of each hard cap is worth"},
    {"quotas", 0, ISO_OPTION_TEXT, MEMBER(quotas), "PERCENT",
     "the fewest raises that get so near to the best without any cap"},
    {"only", 0, ISO_OPTION_LIST, MEMBER(only), "NAME",
     "with --quotas: a limit, or quota provider/region/code, that may be raised"},
    {"repairs", 0, ISO_OPTION_FLAG, MEMBER(repairs), NULL,
     "what would make an infeasible model feasible"},
    {"time-limit", 0, ISO_OPTION_SECONDS, MEMBER(time_limit_s), "TIME",
     "for all solves together; default 5m"},
    {0}};

/* Questions as they are made. */
struct questions {
    struct iso_arena *arena;
    size_t n;
    Isocost__V1__Question *items[QUESTIONS_MAX];
    bool too_many;
};

/* A message in the arena; NULL when it is full. */
static void *message(struct questions *questions, const ProtobufCMessageDescriptor *descriptor)
{
    void *made = iso_arena_calloc(questions->arena, 1, descriptor->sizeof_message);

    if (made)
        protobuf_c_message_init(descriptor, made);
    return made;
}

/* A question of a kind, `asked` in it; all members of the union are pointers. */
static void ask(struct questions *questions, Isocost__V1__Question__QuestionCase kind, void *asked)
{
    Isocost__V1__Question *question = message(questions, &isocost__v1__question__descriptor);

    if (questions->n == QUESTIONS_MAX)
        questions->too_many = true;
    if (!question || !asked || questions->too_many)
        return;
    question->question_case = kind;
    question->why_this = asked;
    questions->items[questions->n++] = question;
}

static void ask_why_not(struct questions *questions, const char *selector,
                        Isocost__V1__WhyNotKind kind)
{
    Isocost__V1__WhyNot *asked = message(questions, &isocost__v1__why_not__descriptor);
    char *text = iso_arena_strdup(questions->arena, selector);
    char *equals =
        text && kind == ISOCOST__V1__WHY_NOT_KIND__WHY_NOT_KIND_REQUIRE ? strrchr(text, '=') : NULL;

    if (!asked || !text)
        return;
    if (equals) {
        asked->minimum = strtod(equals + 1, NULL);
        *equals = '\0';
    }
    asked->text = text;
    asked->kind = kind;
    ask(questions, ISOCOST__V1__QUESTION__QUESTION_WHY_NOT, asked);
}

static void ask_named(struct questions *questions, const struct iso_plan_explain_options *options)
{
    for (size_t i = 0; i < options->why_not.n; i++)
        ask_why_not(questions, options->why_not.items[i],
                    ISOCOST__V1__WHY_NOT_KIND__WHY_NOT_KIND_UNSPECIFIED);
    for (size_t i = 0; i < options->forbid.n; i++)
        ask_why_not(questions, options->forbid.items[i],
                    ISOCOST__V1__WHY_NOT_KIND__WHY_NOT_KIND_FORBID);
    for (size_t i = 0; i < options->require.n; i++)
        ask_why_not(questions, options->require.items[i],
                    ISOCOST__V1__WHY_NOT_KIND__WHY_NOT_KIND_REQUIRE);
    for (size_t i = 0; i < options->rules.n; i++) {
        Isocost__V1__RuleCost *asked = message(questions, &isocost__v1__rule_cost__descriptor);
        if (asked)
            asked->rule = (char *)options->rules.items[i];
        ask(questions, ISOCOST__V1__QUESTION__QUESTION_RULE_COST, asked);
    }
    for (size_t i = 0; i < options->prices.n; i++) {
        Isocost__V1__PriceRange *asked = message(questions, &isocost__v1__price_range__descriptor);
        if (asked)
            asked->offering = (char *)options->prices.items[i];
        ask(questions, ISOCOST__V1__QUESTION__QUESTION_PRICE_RANGE, asked);
    }
}

static void ask_why(struct questions *questions, const char *user)
{
    Isocost__V1__WhyThis *asked = message(questions, &isocost__v1__why_this__descriptor);

    if (asked && user && strcmp(user, "all") != 0)
        asked->user = (char *)user;
    ask(questions, ISOCOST__V1__QUESTION__QUESTION_WHY_THIS, asked);
}

static void ask_worth(struct questions *questions)
{
    ask(questions, ISOCOST__V1__QUESTION__QUESTION_LIMIT_WORTH,
        message(questions, &isocost__v1__limit_worth__descriptor));
}

static void ask_repairs(struct questions *questions)
{
    ask(questions, ISOCOST__V1__QUESTION__QUESTION_REPAIRS,
        message(questions, &isocost__v1__repairs__descriptor));
}

/* "5", "5%": five per cent. */
static enum iso_exit_code ask_quotas(struct iso_cli *cli, struct questions *questions,
                                     const struct iso_plan_explain_options *options)
{
    Isocost__V1__QuotaRaises *asked = message(questions, &isocost__v1__quota_raises__descriptor);
    char *end;
    double percent = strtod(options->quotas, &end);

    if (end == options->quotas || (*end && strcmp(end, "%") != 0) || !(percent >= 0)) {
        fprintf(cli->err, "isocost: --quotas: \"%s\" is not a number of per cent such as 5\n",
                options->quotas);
        return ISO_EXIT_USAGE;
    }
    if (asked) {
        asked->within = percent / 100;
        asked->only = (char **)options->only.items;
        asked->n_only = options->only.n;
    }
    ask(questions, ISOCOST__V1__QUESTION__QUESTION_QUOTA_RAISES, asked);
    return ISO_EXIT_OK;
}

/* What is asked when nothing is said. */
static enum iso_exit_code ask_usual(struct iso_cli *cli, struct questions *questions, char *plan)
{
    Isocost__V1__GetPlanRequest request = ISOCOST__V1__GET_PLAN_REQUEST__INIT;
    ProtobufCMessage *response;

    request.id = plan;
    enum iso_exit_code code =
        iso_remote_call(cli, &ISO_CLIENT_PLAN("GetPlan", get_plan), &request.base, &response);
    if (code != ISO_EXIT_OK)
        return code;
    const Isocost__V1__Plan *found = ((Isocost__V1__GetPlanResponse *)response)->plan;
    if (iso_exit_code_of_plan(found) == ISO_EXIT_INFEASIBLE) {
        ask_repairs(questions);
    } else {
        ask_why(questions, NULL);
        ask_worth(questions);
    }
    return ISO_EXIT_OK;
}

static enum iso_exit_code ask_all(struct iso_cli *cli, struct questions *questions,
                                  const struct iso_plan_explain_options *options, char *plan)
{
    enum iso_exit_code code = ISO_EXIT_OK;

    if (options->why)
        ask_why(questions, options->why);
    ask_named(questions, options);
    if (options->worth)
        ask_worth(questions);
    if (options->quotas)
        code = ask_quotas(cli, questions, options);
    if (options->repairs)
        ask_repairs(questions);
    if (code == ISO_EXIT_OK && questions->n == 0)
        code = ask_usual(cli, questions, plan);
    if (code == ISO_EXIT_OK && (questions->too_many || iso_arena_full(questions->arena))) {
        fprintf(cli->err, "isocost: too many questions; at most %d at once\n", QUESTIONS_MAX);
        return ISO_EXIT_USAGE;
    }
    return code;
}

/* --- showing --- */

static enum iso_exit_code show_json(struct iso_cli *cli, const struct iso_study_results *results)
{
    struct iso_error error = {0};

    fputs("[", cli->out);
    for (size_t i = 0; i < results->n; i++) {
        ISO_AUTO_MEM char *text = NULL;
        if (iso_json_write(&results->answers[i]->base, ISO_JSON_INDENT, &text, &error) != ISO_OK) {
            iso_cli_complain(cli, &error);
            return ISO_EXIT_OTHER;
        }
        size_t n = strlen(text);
        while (n > 0 && text[n - 1] == '\n')
            n--;
        fprintf(cli->out, "%s\n%.*s", i ? "," : "", (int)n, text);
    }
    fputs("\n]\n", cli->out);
    return ISO_EXIT_OK;
}

static enum iso_exit_code show(struct iso_cli *cli, const struct questions *questions,
                               const struct iso_study_results *results)
{
    struct iso_view view = iso_cli_view(cli);

    if (cli->output == ISO_OUTPUT_JSON)
        return show_json(cli, results);
    if (cli->output == ISO_OUTPUT_CSV) {
        iso_explanation_view_csv(&view, questions->items, results->answers, results->n);
        return ISO_EXIT_OK;
    }
    for (size_t i = 0; i < results->n; i++)
        if (!iso_explanation_view_print(&view, questions->items[i], results->answers[i])) {
            fputs("isocost: out of memory\n", cli->err);
            return ISO_EXIT_OTHER;
        }
    return ISO_EXIT_OK;
}

enum iso_exit_code iso_plan_explain_run(struct iso_cli *cli, const void *values, int n,
                                        char **operands)
{
    Isocost__V1__ExplainPlanRequest request = ISOCOST__V1__EXPLAIN_PLAN_REQUEST__INIT;
    const struct iso_plan_explain_options *options = values;
    struct questions questions = {.arena = cli->arena};
    struct iso_study_results results;

    (void)n;
    enum iso_exit_code code = ask_all(cli, &questions, options, operands[0]);
    if (code != ISO_EXIT_OK)
        return code;
    request.plan_id = operands[0];
    request.questions = questions.items;
    request.n_questions = questions.n;
    request.time_limit_seconds = options->time_limit_s;
    code =
        iso_study_run(cli, &ISO_CLIENT_PLAN("ExplainPlan", explain_plan), &request.base, &results);
    if (results.n == 0)
        return code;
    enum iso_exit_code shown = show(cli, &questions, &results);
    for (size_t i = 0; i < results.n && code == ISO_EXIT_OK; i++)
        if (!results.answers[i]->complete)
            code = ISO_EXIT_STOPPED_WITH_PLAN;
    return code == ISO_EXIT_OK ? shown : code;
}
