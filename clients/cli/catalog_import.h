/* Sending catalog files to the server. */
#ifndef ISOCOST_CLI_CATALOG_IMPORT_H
#define ISOCOST_CLI_CATALOG_IMPORT_H

#include "command.h"
#include "isocost/v1/catalog_service.pb-c.h"

/* Imports n files as one new snapshot, which lives in cli->arena. What a file is follows from its
 * name, as docs/reference/catalog-files.md has it. On failure says so on cli->err. */
enum iso_exit_code iso_catalog_import(struct iso_cli *cli, int n_paths, char *const *paths,
                                      bool replace_all, Isocost__V1__Snapshot **ret_snapshot);

/* Imports every file of the sample catalog. */
enum iso_exit_code iso_catalog_import_sample(struct iso_cli *cli,
                                             Isocost__V1__Snapshot **ret_snapshot);

#endif
