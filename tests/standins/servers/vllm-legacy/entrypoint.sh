#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The steps of the real entrypoint, with the same programs, since these decide which capabilities
# are needed: the cache root's group is made, joined and given all of it; then root is left behind.
# Source: tenstorrent/tt-inference-server:docker-entrypoint.sh@v0.10.1.
set -eo pipefail

step() {
    echo "entrypoint: $1"
}

step "owner of $CACHE_ROOT"
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
step "gosu"
exec gosu "$CONTAINER_APP_USERNAME" "$@"
