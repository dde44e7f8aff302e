/* What the files about jobs share. */
#ifndef ISOCOST_SERVER_STORE_JOB_H
#define ISOCOST_SERVER_STORE_JOB_H

#include "store_internal.h"

struct job_call {
    struct iso_store *store;
    const struct iso_principal *principal;
    const char *object_id;
    int64_t kind, part, attempt;
    struct iso_arena *arena;
    bool found;
    struct iso_job_record job;
    struct iso_job_record *jobs;
    int n_jobs;
    struct iso_job_counts counts;
};

#define JOB_COLUMNS                                                                       \
    "tenant, project, subject, roles, kind, object_id, part, attempt, priority, cancel, " \
    "incumbents"

/* Reads a row of JOB_COLUMNS. */
enum iso_status iso_store_read_job(struct iso_statement *statement, struct iso_arena *arena,
                                   struct iso_job_record *job, struct iso_error *reterr);
int64_t iso_store_lease_ns(const struct iso_store *store);

#endif
