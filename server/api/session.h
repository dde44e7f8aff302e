/* What the handlers of sessions share. All in the call's arena. */
#ifndef ISOCOST_SERVER_SESSION_H
#define ISOCOST_SERVER_SESSION_H

#include "api_internal.h"

/* The message of a record; what the store knows better replaces what it says. */
enum iso_status iso_session_from_record(const struct iso_session_record *record,
                                        struct iso_arena *arena, Isocost__V1__Session **ret_session,
                                        struct iso_error *reterr);
/* A session by its id, which stands in `field`. Errors: ISO_E_INVALID, ISO_E_NOT_FOUND. */
enum iso_status iso_session_load(struct iso_api *api, const struct iso_principal *principal,
                                 const char *id, const char *field, struct iso_arena *arena,
                                 struct iso_session_record *ret_record,
                                 Isocost__V1__Session **ret_session, struct iso_error *reterr);
bool iso_session_has_revision(const Isocost__V1__Session *session, int32_t revision);
enum iso_status iso_session_no_revision(const Isocost__V1__Session *session, const char *field,
                                        int32_t revision, struct iso_error *reterr);
/* The session's model where it is; the last `n_new` changes are those of the request. */
enum iso_status iso_session_make(struct iso_api *api, struct iso_call *call,
                                 const Isocost__V1__Session *session, size_t n_new,
                                 const Isocost__V1__Model **ret_model, struct iso_error *reterr);

#endif
