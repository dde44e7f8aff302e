"""Together and apart in the oracle: which domains a workload runs in, over all periods."""
from fractions import Fraction as F

MOST = 200  # instances of one offering; no small model needs as many


def runs(oracle, a, level):
    """Domain -> binary that is 1 exactly where workload a runs anything."""
    flags = {}
    terms = {}
    for (b, o, _), served in oracle.s.items():
        if b == a:
            terms.setdefault(oracle.domain(o, level), []).extend(v for v, _ in served)
    for domain, names in terms.items():
        flag = flags[domain] = oracle.p.var(up=1, integer=True)
        for name in names:
            oracle.p.row([(name, F(1)), (flag, F(-MOST))], "<", 0)
        oracle.p.row([(name, F(1)) for name in names] + [(flag, F(-1))], ">", 0)
    return flags


def may_be_one_place(d, e):
    """Zone `*` may be any zone of its region."""
    return d == e or (len(d) == 3 and d[:2] == e[:2] and "*" in (d[2], e[2]))


def add_affinities(oracle):
    index = {w.id: a for a, w in enumerate(oracle.m.workloads)}
    known = {}

    def flags(a, level):
        if (a, level) not in known:
            known[a, level] = runs(oracle, a, level)
        return known[a, level]

    for a, w in enumerate(oracle.m.workloads):
        for rule in w.together:
            mine, its = flags(a, rule.level), flags(index[rule.workload], rule.level)
            for d in sorted({*mine, *its}):
                both = [(mine[d], F(1))] if d in mine else []
                both += [(its[d], F(-1))] if d in its else []
                oracle.p.row(both, "=", 0)
        for rule in w.apart:
            for d, b in flags(a, rule.level).items():
                for e, c in flags(index[rule.workload], rule.level).items():
                    if may_be_one_place(d, e):
                        oracle.p.row([(b, F(1)), (c, F(1))], "<", 1)
