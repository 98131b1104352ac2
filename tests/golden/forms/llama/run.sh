#!/usr/bin/env bash
# Start the stack llama with plain docker.
# Made by ttctl; it works without it. What belongs to this place is in .env beside it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
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
settle TTCTL_SECRETS
settle TTCTL_WEIGHTS

has_network ttctl-llama-front ||
    docker network create --label=dev.ttctl.stack=llama ttctl-llama-front >/dev/null
has_network ttctl-llama-back ||
    docker network create --driver=bridge --internal --opt=com.docker.network.bridge.inhibit_ipv4=true --label=dev.ttctl.stack=llama ttctl-llama-back >/dev/null

if must_start ttctl-llama-vllm-1 6490026a95ad8213e178a22bcb1fa491a8912d99cb617a420efd18b561bc42c7 120; then
    docker run --detach --pull never --name ttctl-llama-vllm-1 --network ttctl-llama-back --network-alias vllm --user 1000:1000 --read-only --init --cap-drop ALL --security-opt no-new-privileges:true --ipc private --restart no --stop-timeout 120 --memory 6144m --memory-swap 6144m --pids-limit 4096 --shm-size 64m --log-driver json-file --log-opt max-size=10m --log-opt max-file=3 --health-cmd 'exec bash -c '"'"'answers() (
    exec 3<>/dev/tcp/127.0.0.1/8000 &&
    printf '"'"'"'"'"'"'"'"'GET /health HTTP/1.0\r\nHost: localhost\r\n\r\n'"'"'"'"'"'"'"'"' >&3 &&
    read -r _ status _ <&3 && [ "$status" = 200 ]
)
until answers 2>/dev/null; do
    [ "$SECONDS" -lt 50 ] || exit 1
    sleep 0.2
done'"'"'' --health-interval 5s --health-timeout 60s --health-retries 3 --health-start-period 1800s --tmpfs /tmp:size=512m,mode=1777,nosuid,nodev --mount 'type=bind,"source='"${TTCTL_WEIGHTS:?the folder that holds the weights}"'",target=/models/Small-1B,readonly' --env http_proxy= --env HTTP_PROXY= --env https_proxy= --env HTTPS_PROXY= --env ftp_proxy= --env FTP_PROXY= --env all_proxy= --env ALL_PROXY= --env no_proxy= --env NO_PROXY= --env HF_HUB_OFFLINE=1 --env HOME=/tmp --env TORCHDYNAMO_DISABLE=1 --env TRANSFORMERS_OFFLINE=1 --env VLLM_CACHE_ROOT=/tmp/vllm --env VLLM_ENABLE_V1_MULTIPROCESSING=0 --env VLLM_NO_USAGE_STATS=1 --label dev.ttctl.stack=llama --label dev.ttctl.service=vllm --label dev.ttctl.owner="${TTCTL_OWNER:-}" --label dev.ttctl.config-hash=6490026a95ad8213e178a22bcb1fa491a8912d99cb617a420efd18b561bc42c7 --entrypoint vllm ttctl/vllm-cpu:1fd4a2efa61582d4 serve /models/Small-1B --served-model-name acme/Small-1B --host 0.0.0.0 --port 8000 --max-model-len 4096 --max-num-seqs 8 --block-size 64 --enforce-eager --kv-cache-memory-bytes 1G --middleware ttctl_openai.AsOpenAI
fi

if must_start ttctl-llama-gateway-1 5122c4d30211fc043cc0861e7adbadcfc9d1e20bffc31b69e88c15d5c1383ebb 120; then
    docker run --detach --pull never --name ttctl-llama-gateway-1 --network ttctl-llama-back --network-alias gateway --user 1000:1000 --read-only --init --cap-drop ALL --security-opt no-new-privileges:true --ipc private --restart unless-stopped --stop-timeout 120 --memory 256m --memory-swap 256m --pids-limit 64 --shm-size 64m --log-driver json-file --log-opt max-size=10m --log-opt max-file=3 --health-cmd 'exec /usr/local/bin/health' --health-interval 5s --health-timeout 3s --health-retries 5 --health-start-period 30s --tmpfs /tmp:size=16m,mode=1777,nosuid,nodev --mount 'type=bind,"source='"${PWD}"'/gateway",target=/etc/ttctl/gateway,readonly' --mount 'type=bind,"source='"${TTCTL_SECRETS:?the folder that holds keys.map}"'",target=/run/secrets/gateway,readonly' --env http_proxy= --env HTTP_PROXY= --env https_proxy= --env HTTPS_PROXY= --env ftp_proxy= --env FTP_PROXY= --env all_proxy= --env ALL_PROXY= --env no_proxy= --env NO_PROXY= --label dev.ttctl.stack=llama --label dev.ttctl.service=gateway --label dev.ttctl.owner="${TTCTL_OWNER:-}" --label dev.ttctl.config-hash=5122c4d30211fc043cc0861e7adbadcfc9d1e20bffc31b69e88c15d5c1383ebb --publish "${TTCTL_BIND:-127.0.0.1}":"${TTCTL_PORT:?the port on this host}":8080/tcp ttctl/gateway:e72248c186c128de
fi
is_connected ttctl-llama-gateway-1 ttctl-llama-front ||
    docker network connect --alias gateway ttctl-llama-front ttctl-llama-gateway-1

wait_healthy ttctl-llama-vllm-1 1995
wait_healthy ttctl-llama-gateway-1 70
