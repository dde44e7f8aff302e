#include <limits.h>

#include "catalog_commands.h"
#include "own_commands.h"
#include "plan_commands.h"
#include "plan_diff.h"
#include "plan_explain.h"
#include "plugin_commands.h"
#include "session_commands.h"
#include "solve.h"
#include "usage_commands.h"
#include "what_if.h"

#define MESSAGE_FORMS (ISO_OUTPUT_TABLE | ISO_OUTPUT_JSON | ISO_OUTPUT_YAML)
#define PLAN_FORMS (MESSAGE_FORMS | ISO_OUTPUT_CSV)
#define COMMON_BYTES sizeof(struct iso_common_options)
#define PLAN_BYTES sizeof(struct iso_plan_options)
#define SESSION_BYTES sizeof(struct iso_session_options)
#define ANSWER_FORMS (ISO_OUTPUT_TABLE | ISO_OUTPUT_JSON | ISO_OUTPUT_CSV)
#define CATALOG_BYTES sizeof(struct iso_catalog_options)
#define USAGE_BYTES sizeof(struct iso_usage_options)

const struct iso_command iso_commands[] = {
    {"demo", "",
     "Starts a server, loads the sample catalog, solves an example and explains the plan",
     iso_demo_option_rows, sizeof(struct iso_demo_options), PLAN_FORMS, 0, 0, iso_demo_run},
    {"solve", "", "Solves a model and prints the cheapest plan", iso_solve_option_rows,
     sizeof(struct iso_solve_options), PLAN_FORMS, 0, 0, iso_solve_run},
    {"validate", "", "Checks a model against the catalog without solving it",
     iso_validate_option_rows, PLAN_BYTES, MESSAGE_FORMS, 0, 0, iso_validate_run},
    {"plan create", "", "Queues a solve that survives restarts and prints its id",
     iso_plan_create_option_rows, PLAN_BYTES, MESSAGE_FORMS, 0, 0, iso_plan_create_run},
    {"plan list", "", "Lists stored plans, newest first", iso_plan_list_option_rows, PLAN_BYTES,
     MESSAGE_FORMS, 0, 0, iso_plan_list_run},
    {"plan get", "PLAN", "Prints a stored plan", iso_plan_get_option_rows, PLAN_BYTES, PLAN_FORMS,
     1, 1, iso_plan_get_run},
    {"plan lines", "PLAN", "Prints all lines of a stored plan", iso_plan_lines_option_rows,
     PLAN_BYTES, MESSAGE_FORMS, 1, 1, iso_plan_lines_run},
    {"plan watch", "PLAN", "Follows a plan until it ends, then prints it", iso_plan_get_option_rows,
     PLAN_BYTES, PLAN_FORMS, 1, 1, iso_plan_watch_run},
    {"plan diff", "PLAN PLAN", "Says what makes the costs of two stored plans differ",
     iso_plan_diff_option_rows, sizeof(struct iso_plan_diff_options), PLAN_FORMS, 2, 2,
     iso_plan_diff_run},
    {"plan explain", "PLAN",
     "Says why a stored plan is as it is, and what it would cost if it were not",
     iso_plan_explain_option_rows, sizeof(struct iso_plan_explain_options), ANSWER_FORMS, 1, 1,
     iso_plan_explain_run},
    {"plan cancel", "PLAN", "Stops a plan; it keeps the best found", iso_common_options,
     COMMON_BYTES, MESSAGE_FORMS, 1, 1, iso_plan_cancel_run},
    {"plan rm", "PLAN...", "Deletes plans that have ended", iso_common_options, COMMON_BYTES, 0, 1,
     INT_MAX, iso_plan_rm_run},
    {"plan export", "[PLAN]", "Writes a model for another solver, or a plan as JSON or CSV",
     iso_plan_export_option_rows, PLAN_BYTES, 0, 0, 1, iso_plan_export_run},
    {"whatif", "[PLAN]", "Asks what a model would cost if some of it were different",
     iso_what_if_option_rows, sizeof(struct iso_what_if_options), ANSWER_FORMS, 0, 1,
     iso_what_if_run},
    {"session start", "[PLAN]", "Begins a what-if session with a model and prints its id",
     iso_session_start_option_rows, SESSION_BYTES, MESSAGE_FORMS, 0, 1, iso_session_start_run},
    {"session list", "", "Lists sessions, newest first", iso_common_options, COMMON_BYTES,
     MESSAGE_FORMS, 0, 0, iso_session_list_run},
    {"session set", "CHANGE...", "Changes the model of a session and says what it costs",
     iso_session_change_option_rows, SESSION_BYTES, MESSAGE_FORMS, 1, INT_MAX, iso_session_set_run},
    {"session undo", "[N]", "Goes back by one revision, or N", iso_session_change_option_rows,
     SESSION_BYTES, MESSAGE_FORMS, 0, 1, iso_session_undo_run},
    {"session redo", "[N]", "Goes forward again by one revision, or N",
     iso_session_change_option_rows, SESSION_BYTES, MESSAGE_FORMS, 0, 1, iso_session_redo_run},
    {"session goto", "REVISION", "Goes to a revision", iso_session_change_option_rows,
     SESSION_BYTES, MESSAGE_FORMS, 1, 1, iso_session_goto_run},
    {"session show", "", "Shows a session and its revisions, or its plan",
     iso_session_show_option_rows, SESSION_BYTES, MESSAGE_FORMS, 0, 0, iso_session_show_run},
    {"session compare", "[REVISION...]", "Says what revisions cost", iso_session_option_rows,
     SESSION_BYTES, ANSWER_FORMS, 0, INT_MAX, iso_session_compare_run},
    {"session fork", "", "Makes a session of its own of one, and prints its id",
     iso_session_fork_option_rows, SESSION_BYTES, MESSAGE_FORMS, 0, 0, iso_session_fork_run},
    {"session save", "", "Queues a plan of a session's model that is kept, and prints its id",
     iso_session_save_option_rows, SESSION_BYTES, MESSAGE_FORMS, 0, 0, iso_session_save_run},
    {"session end", "SESSION...", "Ends and forgets sessions", iso_common_options, COMMON_BYTES, 0,
     1, INT_MAX, iso_session_end_run},
    {"session shell", "", "Opens a shell on a session, with history and completion",
     iso_session_option_rows, SESSION_BYTES, 0, 0, 0, iso_session_shell_run},
    {"catalog import", "[FILE...]", "Makes a new snapshot from CSV and JSON files",
     iso_catalog_import_option_rows, CATALOG_BYTES, MESSAGE_FORMS, 0, INT_MAX,
     iso_catalog_import_run},
    {"catalog list", "", "Lists offerings and their prices", iso_catalog_list_option_rows,
     CATALOG_BYTES, MESSAGE_FORMS, 0, 0, iso_catalog_list_run},
    {"catalog snapshots", "", "Lists snapshots, newest first", iso_common_options, COMMON_BYTES,
     MESSAGE_FORMS, 0, 0, iso_catalog_snapshots_run},
    {"catalog diff", "[FROM [TO]]",
     "Tells what became cheaper, dearer, new or gone between two snapshots",
     iso_catalog_diff_option_rows, CATALOG_BYTES, MESSAGE_FORMS, 0, 2, iso_catalog_diff_run},
    {"catalog diagnostics", "", "Lists what was wrong with the data of a snapshot",
     iso_catalog_diagnostics_option_rows, CATALOG_BYTES, MESSAGE_FORMS, 0, 0,
     iso_catalog_diagnostics_run},
    {"catalog providers", "", "Lists the configured providers and how they are", iso_common_options,
     COMMON_BYTES, MESSAGE_FORMS, 0, 0, iso_catalog_providers_run},
    {"catalog refresh", "[PROVIDER]", "Asks one provider, or all, for the newest prices",
     iso_common_options, COMMON_BYTES, MESSAGE_FORMS, 0, 1, iso_catalog_refresh_run},
    {"plugin list", "", "Lists the plugins of the server and what they can", iso_common_options,
     COMMON_BYTES, MESSAGE_FORMS, 0, 0, iso_plugin_list_run},
    {"plugin info", "PLUGIN", "Tells what a plugin is and which parameters it takes",
     iso_common_options, COMMON_BYTES, MESSAGE_FORMS, 1, 1, iso_plugin_info_run},
    {"plugin check", "[PLUGIN...]", "Loads plugins, or all, and tells which are refused and why",
     iso_common_options, COMMON_BYTES, 0, 0, INT_MAX, iso_plugin_check_run},
    {"usage refresh", "PROVIDER", "Asks one provider for usage, costs and what runs",
     iso_usage_refresh_option_rows, USAGE_BYTES, MESSAGE_FORMS, 1, 1, iso_usage_refresh_run},
    {"usage refreshes", "[PROVIDER]", "Lists refreshes and what they found, newest first",
     iso_usage_refreshes_option_rows, USAGE_BYTES, MESSAGE_FORMS, 0, 1, iso_usage_refreshes_run},
    {"usage costs", "", "Sums what was billed and what time cost", iso_usage_costs_option_rows,
     USAGE_BYTES, ANSWER_FORMS, 0, 0, iso_usage_costs_run},
    {"usage query", "", "Lists samples of usage", iso_usage_query_option_rows, USAGE_BYTES,
     ANSWER_FORMS, 0, 0, iso_usage_query_run},
    {"usage running", "", "Lists what ran when providers were asked last",
     iso_usage_running_option_rows, USAGE_BYTES, ANSWER_FORMS, 0, 0, iso_usage_running_run},
    {"doctor", "", "Checks that everything needed is there and tells what is not",
     iso_common_options, COMMON_BYTES, 0, 0, 0, iso_doctor_run},
    {"serve", "[ARGUMENT...]", "Becomes isocostd, the server, with these arguments", NULL, 0, 0, 0,
     INT_MAX, iso_serve_run},
    {"completion", "bash", "Prints a completion script", iso_common_options, COMMON_BYTES, 0, 1, 1,
     iso_completion_run},
    {"version", "", "Prints the version", iso_common_options, COMMON_BYTES, 0, 0, 0,
     iso_version_run},
    {"help", "[COMMAND]", "Explains a command", iso_common_options, COMMON_BYTES, 0, 0, 2,
     iso_help_run},
    {0}};
