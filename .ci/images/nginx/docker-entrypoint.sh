#!/bin/sh
# Before the server starts: fills the variables into /etc/nginx/templates/*.template, runs /docker-entrypoint.d/*.sh.
set -e
if [ "$1" = nginx ]; then
    variables="$(env | sed -n 's/^\([A-Za-z_][A-Za-z0-9_]*\)=.*/${\1}/p' | tr '\n' ' ')"
    for template in /etc/nginx/templates/*.template; do
        [ -f "$template" ] || continue
        envsubst "$variables" < "$template" > "/etc/nginx/conf.d/$(basename "$template" .template)"
    done
    for script in /docker-entrypoint.d/*.sh; do
        [ ! -x "$script" ] || "$script"
    done
fi
exec "$@"
