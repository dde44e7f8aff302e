/* What the files about evaluations share. */
#ifndef ISOCOST_SERVER_STORE_EVALUATION_H
#define ISOCOST_SERVER_STORE_EVALUATION_H

#include "store_internal.h"

#define EVALUATION_KEY "tenant = $1 AND project = $2 AND id = $3"
#define EVENT_KEY "tenant = $1 AND project = $2 AND evaluation_id = $3"
#define KEY_VALUES(principal, id) \
    ISO_TEXT((principal)->tenant), ISO_TEXT((principal)->project), ISO_TEXT(id)

/* Fails with ISO_E_NOT_FOUND. */
enum iso_status iso_store_no_evaluation(const char *id, struct iso_error *reterr);
/* Adds an event of an evaluation whose row is locked. No row was changed: the place has one. */
enum iso_status iso_store_insert_result(struct iso_sql *sql, const struct iso_principal *principal,
                                        const char *id, int64_t sequence, int64_t place,
                                        const char *digest, struct iso_bytes event,
                                        struct iso_error *reterr);

#endif
