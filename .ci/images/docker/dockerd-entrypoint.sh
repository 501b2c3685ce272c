#!/bin/sh
# Runs the engine; without a command of its own it listens as the official image does without TLS.
set -eu

case "${1:-}" in
    '' | -*) set -- dockerd --host=unix:///var/run/docker.sock --host=tcp://0.0.0.0:2375 --tls=false "$@" ;;
esac
if [ "$1" = dockerd ]; then
    # What an engine that was killed has left names processes that are others by now.
    find /run -name '*docker*.pid' -delete
    # With cgroups of version 2, only a group without processes may hand its controllers on to containers.
    if [ -f /sys/fs/cgroup/cgroup.controllers ]; then
        mkdir -p /sys/fs/cgroup/init
        while read -r pid; do
            echo "$pid" > /sys/fs/cgroup/init/cgroup.procs || true
        done < /sys/fs/cgroup/cgroup.procs
        sed -e 's/^/+/' -e 's/ / +/g' < /sys/fs/cgroup/cgroup.controllers > /sys/fs/cgroup/cgroup.subtree_control
    fi
    set -- tini -- "$@"
fi
exec "$@"
