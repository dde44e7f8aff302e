/* Calls that wait for a stored plan, as plan_attend.c and plan_attend_shared.c share them. */
#ifndef ISOCOST_SERVER_PLAN_ATTEND_H
#define ISOCOST_SERVER_PLAN_ATTEND_H

#include "api_internal.h"

/* In the API's list, under its mutex, until it is answered or its call ends. */
struct iso_attendance {
    struct iso_attendance *next;
    struct iso_api *api;
    struct iso_call *call; /* holds a reference */
    struct iso_principal principal;
    char plan_id[ISO_ULID_SIZE];
    bool stream, incumbents;
    bool creator;  /* the plan is stopped when this caller goes */
    bool accepted; /* and was told so */
    int64_t after; /* event that it was told of last, when the plan runs in another process */
    struct iso_task stop_task;
};

#endif
