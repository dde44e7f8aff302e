/* Mistakes in changes, shown under their text. */
#ifndef ISOCOST_CLI_CHANGE_COMPLAIN_H
#define ISOCOST_CLI_CHANGE_COMPLAIN_H

#include "command.h"
#include "isocost/v1/session_service.pb-c.h"

/* Writes "isocost: LABEL: MESSAGE" to cli->err; when the message begins with "column N: ", the text
 * too, underlined there. `label` may be "". */
void iso_change_complain(struct iso_cli *cli, const char *label, const char *text,
                         const char *message);

/* The same for each wrong field of a failed call whose changes are known: fields such as
 * `model.changes[1].text` and `scenarios[3].changes[0].text`. Returns whether it was about a
 * change. */
bool iso_change_complain_field(struct iso_cli *cli, const char *field, const char *message,
                               const Isocost__V1__ModelRef *model,
                               Isocost__V1__Change *const *changes, size_t n_changes,
                               Isocost__V1__Scenario *const *scenarios, size_t n_scenarios);

/* The same for a scenario that has an error. */
void iso_change_complain_result(struct iso_cli *cli, const Isocost__V1__ScenarioResult *result,
                                Isocost__V1__Scenario *const *scenarios, size_t n_scenarios);

/* Reads texts as changes that carry only the text, as requests want them; what is wrong with them
 * is told, with `label`. NULL then, or when memory is short. */
Isocost__V1__Change **iso_changes_from_texts(struct iso_cli *cli, const char *label,
                                             char *const *texts, size_t n);

#endif
