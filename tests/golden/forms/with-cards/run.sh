#!/usr/bin/env bash
# Start the stack with-cards with plain docker.
# Made by ttctl; it works without it. What belongs to this place is in .env beside it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
sh ./prepare.sh
# shellcheck disable=SC1091
. ./.env

# Docker takes whole paths only. A mount's source stands in quotes, which another would end.
settle() {
    local path=${!1:-}
    case $path in
    *\"*)
        echo "run.sh: a double quote cannot stand in a path: $1=$path" >&2
        exit 9
        ;;
    ./*) printf -v "$1" %s "$PWD/${path#./}" ;;
    esac
}

# Is there no container that runs as wanted? One that does not is ended, with its whole time.
must_start() {
    local name=$1 hash=$2 grace=$3 found
    found=$(docker container inspect --format \
        '{{index .Config.Labels "dev.ttctl.config-hash"}} {{.State.Running}}' \
        "$name" 2>/dev/null) || return 0
    if [ "$found" = "$hash true" ]; then
        echo "$name runs as wanted"
        return 1
    fi
    docker stop --time "$grace" "$name" >/dev/null
    docker rm "$name" >/dev/null
}

has_network() {
    docker network inspect "$1" >/dev/null 2>&1
}

is_connected() {
    docker container inspect --format \
        '{{range $name, $_ := .NetworkSettings.Networks}}{{println $name}}{{end}}' "$1" |
        grep -qxF -- "$2"
}

wait_healthy() {
    local name=$1 limit=$2 state
    while :; do
        state=$(docker container inspect --format \
            '{{.State.Status}} {{.State.Health.Status}}' "$name")
        case $state in
        "running healthy") return 0 ;;
        "running starting") ;;
        *)
            echo "run.sh: $name is $state" >&2
            docker logs --tail 20 "$name" >&2
            exit 5
            ;;
        esac
        if [ "$SECONDS" -ge "$limit" ]; then
            echo "run.sh: $name is not healthy after $limit s" >&2
            exit 124
        fi
        sleep 1
    done
}

settle PWD
settle TTCTL_CACHE
settle TTCTL_SECRETS
settle TTCTL_WEIGHTS

has_network ttctl-with-cards-front ||
    docker network create --label=dev.ttctl.stack=with-cards ttctl-with-cards-front >/dev/null
has_network ttctl-with-cards-back ||
    docker network create --driver=bridge --internal --opt=com.docker.network.bridge.inhibit_ipv4=true --label=dev.ttctl.stack=with-cards ttctl-with-cards-back >/dev/null

if must_start ttctl-with-cards-vllm-1 8870242ddbd4ebecb3b641ca49a26c2bca5a952b3c22723992f9b3cd7f8475ab 120; then
    docker run --detach --pull never --name ttctl-with-cards-vllm-1 --network ttctl-with-cards-back --network-alias vllm --user 0:0 --init --cap-drop ALL --cap-add CHOWN --cap-add SETUID --cap-add SETGID --ipc private --group-add "${TTCTL_GROUP}" --ulimit memlock=-1:-1 --restart no --stop-timeout 120 --memory 65536m --memory-swap 65536m --pids-limit 4096 --shm-size 32768m --log-driver json-file --log-opt max-size=10m --log-opt max-file=3 --health-cmd 'curl -f "http://127.0.0.1:8000/health" | grep -q "$OK" # 100%' --health-interval 5s --health-timeout 60s --health-retries 3 --health-start-period 6400s --tmpfs /tmp:size=512m,mode=1777,nosuid,nodev --tmpfs /home/container_app_user/.cache:exec,size=2048m,mode=1777,nosuid,nodev,uid=0,gid=0 --mount 'type=bind,"source='"${TTCTL_CACHE}"'/kernels",target=/home/container_app_user/cache_root' --mount 'type=bind,"source='"${TTCTL_WEIGHTS:?the folder that holds the weights}"'",target=/weights,readonly' --mount 'type=bind,"source='"${PWD}"'/wrapper",target=/ttctl/wrapper,readonly' --mount 'type=bind,"source=/dev/hugepages-1G",target=/dev/hugepages-1G' --device "${TTCTL_NODE_0:?the node of a leased board}" --device "${TTCTL_NODE_1:?the node of a leased board}" --env http_proxy= --env HTTP_PROXY= --env https_proxy= --env HTTPS_PROXY= --env ftp_proxy= --env FTP_PROXY= --env all_proxy= --env ALL_PROXY= --env no_proxy= --env NO_PROXY= --env MESH_DEVICE=N300 --env 'TT_CACHE_PATH=/home/container_app_user/cache_root/100% of $it' --label dev.ttctl.stack=with-cards --label dev.ttctl.service=vllm --label dev.ttctl.owner="${TTCTL_OWNER:-}" --label dev.ttctl.config-hash=8870242ddbd4ebecb3b641ca49a26c2bca5a952b3c22723992f9b3cd7f8475ab --label 'dev.ttctl.experimental=nobody tried it: $5 says 100% no' --label dev.ttctl.boards=0000:03:00.0,0123456789abcdef --label dev.ttctl.contract=vllm-legacy ghcr.io/acme/vllm-tt-metal:0.10.0-e95ffa5-48eba14 --model acme/Small-1B --override_tt_config '{"a": "$b", "c": {}}'
fi

if must_start ttctl-with-cards-gateway-1 5122c4d30211fc043cc0861e7adbadcfc9d1e20bffc31b69e88c15d5c1383ebb 120; then
    docker run --detach --pull never --name ttctl-with-cards-gateway-1 --network ttctl-with-cards-back --network-alias gateway --user 1000:1000 --read-only --init --cap-drop ALL --security-opt no-new-privileges:true --ipc private --restart unless-stopped --stop-timeout 120 --memory 256m --memory-swap 256m --pids-limit 64 --shm-size 64m --log-driver json-file --log-opt max-size=10m --log-opt max-file=3 --health-cmd 'exec /usr/local/bin/health' --health-interval 5s --health-timeout 3s --health-retries 5 --health-start-period 30s --tmpfs /tmp:size=16m,mode=1777,nosuid,nodev --mount 'type=bind,"source='"${PWD}"'/gateway",target=/etc/ttctl/gateway,readonly' --mount 'type=bind,"source='"${TTCTL_SECRETS:?the folder that holds keys.map}"'",target=/run/secrets/gateway,readonly' --env http_proxy= --env HTTP_PROXY= --env https_proxy= --env HTTPS_PROXY= --env ftp_proxy= --env FTP_PROXY= --env all_proxy= --env ALL_PROXY= --env no_proxy= --env NO_PROXY= --label dev.ttctl.stack=with-cards --label dev.ttctl.service=gateway --label dev.ttctl.owner="${TTCTL_OWNER:-}" --label dev.ttctl.config-hash=5122c4d30211fc043cc0861e7adbadcfc9d1e20bffc31b69e88c15d5c1383ebb --label 'dev.ttctl.experimental=nobody tried it: $5 says 100% no' --publish "${TTCTL_BIND:-127.0.0.1}":"${TTCTL_PORT:?the port on this host}":8080/tcp ttctl/gateway:e72248c186c128de
fi
is_connected ttctl-with-cards-gateway-1 ttctl-with-cards-front ||
    docker network connect --alias gateway ttctl-with-cards-front ttctl-with-cards-gateway-1

wait_healthy ttctl-with-cards-vllm-1 6595
wait_healthy ttctl-with-cards-gateway-1 70
