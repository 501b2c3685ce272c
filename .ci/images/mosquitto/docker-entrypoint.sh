#!/bin/sh
# Hands the data folder to the broker's user, which the broker itself changes to.
set -e
if [ "$(id -u)" = 0 ]; then
    chown -R mosquitto:mosquitto /mosquitto/data /mosquitto/log
fi
exec "$@"
