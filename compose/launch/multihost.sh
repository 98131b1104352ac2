# SPDX-License-Identifier: Apache-2.0
# Starts the server of an entry that spans several hosts by the image's own entrypoint, with its key
# from a file.
# shellcheck shell=bash
set -eo pipefail

key=/run/secrets/engine/key
if [ -r "$key" ]; then
    VLLM_API_KEY=$(<"$key")
    export VLLM_API_KEY
fi

exec /usr/local/bin/multihost_entrypoint.sh "$@"
