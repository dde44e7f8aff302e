#!/bin/sh
# cppcheck finds nothing. Suppressions, each with its reason, are in cppcheck.suppressions.
cd "$1"
command -v cppcheck >/dev/null || { echo "skipped: cppcheck is not installed"; exit 77; }
git ls-files '*.c' | grep -E '^(solver|proto|server|plugins|clients)/' >"$2/cppcheck.files"
exec cppcheck --quiet --std=c11 --enable=warning,portability --inline-suppr --error-exitcode=1 \
    --suppressions-list=tests/lint/cppcheck.suppressions -j2 --file-list="$2/cppcheck.files" \
    -Isolver/include -Iproto/c/include -Iserver -Iplugins/include -Iclients/c/include \
    -D_GNU_SOURCE -D__GNUC__=12
