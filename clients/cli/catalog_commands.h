/* `isocost catalog …`. */
#ifndef ISOCOST_CLI_CATALOG_COMMANDS_H
#define ISOCOST_CLI_CATALOG_COMMANDS_H

#include <stddef.h>

#include "command.h"

struct iso_catalog_options {
    struct iso_common_options common;
    const char *provider, *region, *family, *type, *purchase, *snapshot, *code, *only;
    long limit;
    bool replace_all, sample;
};

/* Makes a list of a selector: one word, or none. */
static inline void iso_catalog_set_word(const char *const *word, char ***ret_list, size_t *ret_n)
{
    *ret_list = (char **)word;
    *ret_n = *word != NULL;
}

extern const struct iso_option iso_catalog_import_option_rows[];
extern const struct iso_option iso_catalog_list_option_rows[];
extern const struct iso_option iso_catalog_diagnostics_option_rows[];
extern const struct iso_option iso_catalog_diff_option_rows[];
extern const struct iso_option iso_catalog_overlays_option_rows[];
extern const struct iso_option iso_catalog_egress_option_rows[];

enum iso_exit_code iso_catalog_import_run(struct iso_cli *cli, const void *values, int n,
                                          char **operands);
enum iso_exit_code iso_catalog_list_run(struct iso_cli *cli, const void *values, int n,
                                        char **operands);
enum iso_exit_code iso_catalog_snapshots_run(struct iso_cli *cli, const void *values, int n,
                                             char **operands);
enum iso_exit_code iso_catalog_diagnostics_run(struct iso_cli *cli, const void *values, int n,
                                               char **operands);
enum iso_exit_code iso_catalog_diff_run(struct iso_cli *cli, const void *values, int n,
                                        char **operands);
enum iso_exit_code iso_catalog_overlays_run(struct iso_cli *cli, const void *values, int n,
                                            char **operands);
enum iso_exit_code iso_catalog_egress_run(struct iso_cli *cli, const void *values, int n,
                                          char **operands);
enum iso_exit_code iso_catalog_providers_run(struct iso_cli *cli, const void *values, int n,
                                             char **operands);
enum iso_exit_code iso_catalog_refresh_run(struct iso_cli *cli, const void *values, int n,
                                           char **operands);

#endif
