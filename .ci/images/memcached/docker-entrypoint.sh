#!/bin/sh
# Runs `memcached` when the first argument is an option.
set -e
if [ "${1#-}" != "$1" ]; then
    set -- memcached "$@"
fi
exec "$@"
