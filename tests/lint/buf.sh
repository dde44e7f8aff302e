#!/bin/sh
# buf lint: STANDARD and COMMENTS.
cd "$1"
buf=build/tools/node_modules/.bin/buf
[ -x "$buf" ] || { echo "skipped: buf is not installed (./dev setup installs it)"; exit 77; }
exec "$buf" lint
