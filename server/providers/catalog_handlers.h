/* The handlers behind the rows of catalog_api.c; the service is a struct iso_catalog. */
#ifndef ISOCOST_SERVER_CATALOG_HANDLERS_H
#define ISOCOST_SERVER_CATALOG_HANDLERS_H

#include "method.h"

iso_rpc_handler iso_catalog_handle_list_providers;
iso_rpc_handler iso_catalog_handle_list_plugins;
iso_rpc_handler iso_catalog_handle_refresh;
iso_rpc_handler iso_catalog_handle_import;
iso_rpc_handler iso_catalog_handle_list_snapshots;
iso_rpc_handler iso_catalog_handle_get_snapshot;
iso_rpc_handler iso_catalog_handle_list_offerings;
iso_rpc_handler iso_catalog_handle_diff_snapshots;
iso_rpc_handler iso_catalog_handle_list_diagnostics;

#endif
