#!/bin/sh
# Runs the server as its own user in /data, without protected mode.
set -e

case "$1" in
    -* | *.conf) set -- "$SERVER" "$@" ;;
esac
if [ "$1" = "$SERVER" ]; then
    if [ "$(id -u)" = 0 ]; then
        find . \! -user "$SERVER_USER" -exec chown "$SERVER_USER" '{}' +
        exec setpriv --reuid="$SERVER_USER" --regid="$SERVER_USER" --clear-groups "$0" "$@"
    fi
    # The official image is compiled with this default, because only published ports reach a container.
    case "$*" in
        *protected-mode*) ;;
        *) set -- "$@" --protected-mode no ;;
    esac
fi
exec "$@"
