#!/usr/bin/env bash
# End the stack host-ipc, each container in its own time.
# Made by ttctl; it works without it. What belongs to this place is in .env beside it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

# The door first, so that nothing new comes in. An engine that has a card is never cut short: a kill
# in the middle of its end leaves the card unusable until it is reset.
end() {
    local name=$1 code
    shift
    docker container inspect "$name" >/dev/null 2>&1 || return 0
    "$@" >/dev/null
    code=$(docker container inspect --format '{{.State.ExitCode}}' "$name")
    if [ "$code" = 137 ]; then
        echo "stop.sh: $name was killed (137): look at its card before the next start" >&2
    fi
    docker rm "$name" >/dev/null
}

end ttctl-host-ipc-gateway-1 docker stop --time 120 ttctl-host-ipc-gateway-1
end ttctl-host-ipc-vllm-1 docker stop --time 120 ttctl-host-ipc-vllm-1
docker network rm ttctl-host-ipc-front >/dev/null 2>&1 || true
docker network rm ttctl-host-ipc-back >/dev/null 2>&1 || true
