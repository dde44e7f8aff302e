#include "plugin_commands.h"

#include <string.h>

#include "isocost/v1/catalog_service.pb-c.h"
#include "remote.h"
#include "table.h"

static enum iso_exit_code ask(struct iso_cli *cli, const char *name,
                              const Isocost__V1__ListPluginsResponse **ret_response)
{
    Isocost__V1__ListPluginsRequest request = ISOCOST__V1__LIST_PLUGINS_REQUEST__INIT;
    ProtobufCMessage *message = NULL;

    request.name = (char *)name;
    enum iso_exit_code code = iso_remote_call(cli, &ISO_CLIENT_CATALOG("ListPlugins", list_plugins),
                                              &request.base, &message);
    *ret_response = (const Isocost__V1__ListPluginsResponse *)message;
    return code;
}

enum iso_exit_code iso_plugin_list_run(struct iso_cli *cli, const void *values, int n,
                                       char **operands)
{
    static const struct iso_column columns[] = {{"PLUGIN", false},  {"VERSION", false},
                                                {"ABI", false},     {"CAN", false},
                                                {"USED BY", false}, {"SUMMARY", false}};
    ISO_AUTO(iso_table) table = iso_table_new(columns, ISO_ARRAY_LENGTH(columns));
    const Isocost__V1__ListPluginsResponse *response;
    struct iso_view view = iso_cli_view(cli);

    (void)values, (void)n, (void)operands;
    enum iso_exit_code code = ask(cli, "", &response);
    if (code != ISO_EXIT_OK)
        return code;
    if (cli->output != ISO_OUTPUT_TABLE)
        return iso_cli_print_message(cli, &response->base);
    for (size_t i = 0; table && i < response->n_plugins; i++) {
        const Isocost__V1__Plugin *row = response->plugins[i];
        iso_table_add(
            table, (const char *[]){row->name, row->version, row->abi,
                                    iso_view_words(&view, row->n_capabilities, row->capabilities),
                                    iso_view_words(&view, row->n_instances, row->instances),
                                    row->problem[0] ? row->problem : row->summary});
    }
    return table && iso_table_print(table, cli->out) ? ISO_EXIT_OK : ISO_EXIT_OTHER;
}

/* "1 to 100 seconds", "one of a b", or nothing. */
static const char *allowed(struct iso_cli *cli, const Isocost__V1__PluginParameter *parameter)
{
    struct iso_view view = iso_cli_view(cli);

    if (parameter->n_choices > 0)
        return iso_view_words(&view, parameter->n_choices, parameter->choices);
    if (strcmp(parameter->type, "boolean") == 0)
        return "true false";
    const char *text =
        iso_arena_printf(cli->arena, "%.15g to %.15g%s%s", parameter->minimum, parameter->maximum,
                         strcmp(parameter->type, "text") == 0 ? " bytes"
                         : parameter->unit[0]                 ? " "
                                                              : "",
                         strcmp(parameter->type, "text") == 0 ? "" : parameter->unit);

    return text ? text : "";
}

static enum iso_exit_code print_info(struct iso_cli *cli, const Isocost__V1__Plugin *plugin)
{
    static const struct iso_column columns[] = {{"PARAMETER", false},
                                                {"TYPE", false},
                                                {"DEFAULT", false},
                                                {"ALLOWED", false},
                                                {"MEANING", false}};
    ISO_AUTO(iso_table) table = iso_table_new(columns, ISO_ARRAY_LENGTH(columns));
    struct iso_view view = iso_cli_view(cli);

    fprintf(cli->out, "%s %s: %s\n", plugin->name, plugin->version, plugin->summary);
    fprintf(cli->out, "can: %s\nABI: %s\nfile: %s\n",
            iso_view_words(&view, plugin->n_capabilities, plugin->capabilities), plugin->abi,
            plugin->digest);
    if (plugin->n_instances > 0)
        fprintf(cli->out, "used by: %s\n",
                iso_view_words(&view, plugin->n_instances, plugin->instances));
    if (plugin->n_missing_protections > 0)
        fprintf(cli->out, "this kernel does not have: %s\n",
                iso_view_words(&view, plugin->n_missing_protections, plugin->missing_protections));
    for (size_t i = 0; table && i < plugin->n_parameters; i++) {
        const Isocost__V1__PluginParameter *row = plugin->parameters[i];
        iso_table_add(table, (const char *[]){row->name, row->type,
                                              row->required ? "(required)" : row->default_value,
                                              allowed(cli, row), row->summary});
    }
    if (plugin->n_parameters == 0)
        return ISO_EXIT_OK;
    fputc('\n', cli->out);
    return table && iso_table_print(table, cli->out) ? ISO_EXIT_OK : ISO_EXIT_OTHER;
}

static enum iso_exit_code refused(struct iso_cli *cli, const Isocost__V1__Plugin *plugin)
{
    fprintf(cli->err, "isocost: plugin %s is refused: %s\n", plugin->name, plugin->problem);
    return ISO_EXIT_INVALID;
}

enum iso_exit_code iso_plugin_info_run(struct iso_cli *cli, const void *values, int n,
                                       char **operands)
{
    const Isocost__V1__ListPluginsResponse *response;

    (void)values, (void)n;
    enum iso_exit_code code = ask(cli, operands[0], &response);
    if (code != ISO_EXIT_OK)
        return code;
    const Isocost__V1__Plugin *plugin = response->plugins[0];
    if (cli->output != ISO_OUTPUT_TABLE)
        return iso_cli_print_message(cli, &plugin->base);
    return plugin->problem[0] ? refused(cli, plugin) : print_info(cli, plugin);
}

enum iso_exit_code iso_plugin_check_run(struct iso_cli *cli, const void *values, int n,
                                        char **operands)
{
    const Isocost__V1__ListPluginsResponse *response;
    enum iso_exit_code all = ISO_EXIT_OK;

    (void)values;
    for (int i = 0; i < (n > 0 ? n : 1); i++) {
        enum iso_exit_code code = ask(cli, n > 0 ? operands[i] : "", &response);
        if (code != ISO_EXIT_OK)
            return code;
        for (size_t k = 0; k < response->n_plugins; k++) {
            const Isocost__V1__Plugin *plugin = response->plugins[k];
            if (plugin->problem[0])
                all = refused(cli, plugin);
            else
                fprintf(cli->out, "%s %s can be loaded\n", plugin->name, plugin->version);
        }
    }
    return all;
}
