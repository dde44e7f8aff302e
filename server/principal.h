/* Who calls. Every handler, stored row, cache key and page token starts with (tenant, project). */
#ifndef ISOCOST_SERVER_PRINCIPAL_H
#define ISOCOST_SERVER_PRINCIPAL_H

enum iso_role { ISO_ROLE_VIEWER = 1u << 0, ISO_ROLE_PLANNER = 1u << 1, ISO_ROLE_ADMIN = 1u << 2 };

struct iso_principal {
    char tenant[65];
    char project[65];
    char subject[128]; /* e.g. "unix" */
    unsigned roles;    /* bits of enum iso_role */
};

#endif
