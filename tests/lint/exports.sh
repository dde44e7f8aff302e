#!/bin/sh
# A plugin exports one symbol and no other. Arguments: nm, the plugin, the symbol.
symbols=$("$1" --dynamic --defined-only "$2") || exit 1
case "$symbols" in
*"
"*) one=no ;;
*" "[A-Z]" $3") one=yes ;;
*) one=no ;;
esac
[ $one = yes ] || { printf '%s must export %s and nothing else; it exports:\n%s\n' "$2" "$3" "$symbols"; exit 1; }
