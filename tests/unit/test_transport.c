/* Exact transports. Amounts and costs are small enough to check by hand. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../solver/transport.h"

/* Two sources and two places; a source is near one place (1) and far from the other (5). */
static void square(struct iso_transport *t, iso_decimal supply, iso_decimal room)
{
    assert_true(iso_transport_init(t, 2, 2));
    for (int i = 0; i < 2; i++) {
        t->supply[i] = supply;
        t->room[i] = room;
        for (int k = 0; k < 2; k++)
            t->cost[2 * i + k] = i == k ? 1 : 5;
    }
}

/* Each source fills its near place; the rest of the total goes there too, as there is room. */
static void from_nothing_the_cheapest_is_found(void **state)
{
    struct iso_transport t __attribute__((cleanup(iso_transport_fini)));
    (void)state;

    square(&t, 6, 6);
    assert_int_equal(iso_transport_send(&t, 11), 0);
    assert_int_equal(t.flow[0] + t.flow[3], 11);
    assert_int_equal(t.flow[1] + t.flow[2], 0);
}

/* Place 0 has room for 4 only, and source 1 cannot reach place 1: all 4 are its own, so source 0,
 * which took them first, has to go far. */
static void what_stands_in_the_way_moves_over(void **state)
{
    struct iso_transport t __attribute__((cleanup(iso_transport_fini)));
    (void)state;

    square(&t, 4, 6);
    t.room[0] = 4;
    t.cost[3] = INFINITY;
    t.flow[0] = 4;
    assert_int_equal(iso_transport_send(&t, 8), 0);
    assert_int_equal(t.flow[1], 4);
    assert_int_equal(t.flow[2], 4);
}

/* Both sources send far, as some other rule may ask: going back is a circle that earns 8. The two
 * units that are missing still find a way. */
static void dear_flows_are_completed(void **state)
{
    struct iso_transport t __attribute__((cleanup(iso_transport_fini)));
    (void)state;

    square(&t, 6, 6);
    t.flow[1] = t.flow[2] = 5;
    assert_int_equal(iso_transport_send(&t, 12), 0);
    assert_int_equal(t.flow[0] + t.flow[1], 6);
    assert_int_equal(t.flow[2] + t.flow[3], 6);
    assert_int_equal(t.flow[0] + t.flow[2], 6);
}

/* 3 of 4 fit; of flows that are too large, and of one that is closed, nothing is left. */
static void what_does_not_fit_is_told(void **state)
{
    struct iso_transport t __attribute__((cleanup(iso_transport_fini)));
    (void)state;

    square(&t, 2, 3);
    t.cost[1] = t.cost[3] = INFINITY;
    t.flow[0] = 9;
    t.flow[3] = 9;
    assert_int_equal(iso_transport_send(&t, 4), 1);
    assert_int_equal(t.flow[0] + t.flow[2], 3);
    assert_int_equal(t.flow[3], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(from_nothing_the_cheapest_is_found),
                                       cmocka_unit_test(what_stands_in_the_way_moves_over),
                                       cmocka_unit_test(dear_flows_are_completed),
                                       cmocka_unit_test(what_does_not_fit_is_told)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
