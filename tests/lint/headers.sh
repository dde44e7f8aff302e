#!/bin/sh
# Every header compiles alone. Arguments: source folder, build folder.
cd "$1"
failed=0
for header in $(git ls-files '*.h' | grep -v '^tests/'); do
    folder=$(dirname "$header")
    case "$header" in
    clients/cli/* | server/rpc/*) extra="-Iclients/c/include" ;;
    *) extra="" ;;
    esac
    gcc -std=gnu11 -D_GNU_SOURCE -DISO_VERSION='"x"' -fsyntax-only -Wall -Werror -x c \
        -Isolver/include -Isolver -Iproto/c/include -Iproto/c -Iserver -Iserver/store -Iserver/solve \
        -Iserver/jobs -Iserver/program -Iserver/rpc -Iserver/api -Iserver/providers -Iplugins/include \
        -Iplugins/sdk/include -Iclients/c/include -I"$folder" $extra \
        -isystem "$2/proto/generated" "$header" || { echo "$header does not compile alone"; failed=1; }
done
exit $failed
