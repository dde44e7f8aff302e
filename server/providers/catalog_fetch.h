/* Running a provider's plugin for a catalog, for records, or to see whether it loads. */
#ifndef ISOCOST_SERVER_CATALOG_FETCH_H
#define ISOCOST_SERVER_CATALOG_FETCH_H

#include "catalog_internal.h"
#include "spool.h"

/* One fetch under way. */
struct iso_catalog_fetch {
    struct iso_catalog *catalog;
    const struct iso_catalog_task *task;    /* NULL: a probe, or records */
    const struct iso_record_fetch *records; /* NULL: a catalog, or a probe */
    const char *name;                       /* of the instance; "import" */
    struct iso_spool *spool;
    int64_t n_pages, n_rows, n_quarantined;
    int64_t n_rows_before; /* that the last good fetch had; 0: unknown */
    double begin_s;
    struct iso_host_report report; /* of the host that ran */
    bool refused;                  /* there was none: the plugin may not be loaded */
};

/* Runs an instance's plugin and notes how it went. Errors: those of iso_host_run(). */
enum iso_status iso_catalog_run_instance(struct iso_catalog_fetch *fetch,
                                         struct iso_instance *instance, struct iso_error *reterr);

/* The same in two steps, for who looks at the rows before a fetch is called good. The second takes
 * the outcome of all that, passes it on with the provider's name, and logs it. */
enum iso_status iso_catalog_ask_instance(struct iso_catalog_fetch *fetch,
                                         const struct iso_instance *instance,
                                         struct iso_error *reterr);
enum iso_status iso_catalog_note_instance(const struct iso_catalog_fetch *fetch,
                                          struct iso_instance *instance,
                                          const struct iso_error *outcome,
                                          struct iso_error *reterr);

/* Runs a plugin that is loaded as told; notes nothing. */
enum iso_status iso_catalog_run_host(struct iso_catalog_fetch *fetch,
                                     const Isocost__Internal__V1__LoadRequest *load,
                                     double deadline_s, struct iso_host_report *report,
                                     struct iso_error *reterr);

/* Asks the provider instances of a task, several at once, and adds the rows of those that succeed
 * to the draft, in the order of the configuration; those that fail become diagnostics as long as
 * one succeeds. Errors: the first one's when none does; ISO_E_CANCELLED, ISO_E_NOMEM. */
enum iso_status iso_catalog_refresh(struct iso_catalog *catalog,
                                    const struct iso_catalog_task *task, struct iso_draft *draft,
                                    struct iso_error *reterr);

/* Adds the pages of a fetch that ended well to the draft, as those of fetch->name. */
enum iso_status iso_catalog_add_spool(const struct iso_catalog_fetch *fetch,
                                      struct iso_draft *draft, struct iso_error *reterr);

/* No row since `before` can be used. The first fault is that of the rows since if there was none
 * before. */
enum iso_status iso_catalog_refuse_useless(const struct iso_draft *draft,
                                           const struct iso_draft_counts *before,
                                           enum iso_status status, struct iso_error *reterr);

/* Tells the caller of a task how far it is. */
void iso_catalog_report_progress(const struct iso_catalog_fetch *fetch, int64_t n_quarantined);

#endif
