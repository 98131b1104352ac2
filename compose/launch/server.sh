# SPDX-License-Identifier: Apache-2.0
# Starts the server of a media or forge image as the image itself does, with two differences: its
# key comes from a file, and the server takes this shell's place, so that a stop reaches it.
# shellcheck shell=bash
set -eo pipefail

key=/run/secrets/engine/key
if [ -r "$key" ]; then
    API_KEY=$(<"$key")
    OPENAI_API_KEY=$API_KEY
    export API_KEY OPENAI_API_KEY
fi

# The image's run_uvicorn.sh calls this by name and would wait beside it, deaf to signals.
uvicorn() { exec "$(type -P uvicorn)" "$@"; }

if [ -d "${APP_DIR:-}/server/venv-worker" ]; then
    cd "$APP_DIR/server"
    # shellcheck disable=SC1091
    source venv-worker/bin/activate
    # shellcheck disable=SC1091
    source ./run_uvicorn.sh --skip-venv
else
    # shellcheck disable=SC1091
    source "$PYTHON_ENV_DIR/bin/activate"
    if [ "${SERVER_MODE:-}" = cpp ]; then
        cd "$TT_METAL_HOME/server/cpp_server"
        exec ./build/tt_media_server_cpp -p 8000
    fi
    cd "$TT_METAL_HOME/server"
    # shellcheck disable=SC1091
    source ./run_uvicorn.sh
fi
