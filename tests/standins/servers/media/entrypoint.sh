#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The steps of the real entrypoint: those of the legacy image, left out without a cache root, and a
# folder for logs that it makes as root.
# Source: tenstorrent/tt-inference-server:docker-entrypoint.sh@v0.20.0.
set -eo pipefail

step() {
    echo "entrypoint: $1"
}

share() {
    local gid name
    gid=$(stat -c %g "$CACHE_ROOT")
    if ! getent group "$gid" >/dev/null; then
        step "groupadd $gid"
        groupadd -g "$gid" sharedgroup
    fi
    name=$(getent group "$gid" | cut -d: -f1)
    step "usermod $name"
    usermod -a -G "$name" "$CONTAINER_APP_USERNAME"
    umask 0002
    if [ "$(stat -c %G "$CACHE_ROOT")" != "$name" ]; then
        step "chown"
        chown -R ":$name" "$CACHE_ROOT"
    fi
    if [ "$(stat -c %a "$CACHE_ROOT")" != 2775 ]; then
        step "chmod"
        chmod -R 2775 "$CACHE_ROOT"
    fi
    step "logs"
    mkdir -p "$CACHE_ROOT/logs"
    chgrp -R "$name" "$CACHE_ROOT/logs"
    chmod -R 2775 "$CACHE_ROOT/logs"
}

if [ -n "$CACHE_ROOT" ] && [ -d "$CACHE_ROOT" ]; then
    share
else
    step "no cache root"
fi
step "gosu"
exec gosu "$CONTAINER_APP_USERNAME" "$@"
