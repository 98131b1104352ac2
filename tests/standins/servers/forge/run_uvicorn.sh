#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Sourced by the image's command, as the real one is: the shell stays the server's parent. With
# TT_KV_POOL_GB the real one (from 0.16.0 on) edits a file of the virtual environment in its place.
set -eo pipefail
if [ -n "${TT_KV_POOL_GB:-}" ]; then
    sed -i "s/12/$TT_KV_POOL_GB/" "$PYTHON_ENV_DIR/worker.txt"
fi
uvicorn
