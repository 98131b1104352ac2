# SPDX-License-Identifier: Apache-2.0
"""Write the scripts that start and end a stack with plain `docker run`. Pure."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from ttctl.rules.compose import config_hash
from ttctl.rules.docker_run import (
    connect_commands,
    container_name,
    network_command,
    network_name,
    run_command,
    stop_commands,
)
from ttctl.rules.interpolation import shell_word, variables
from ttctl.rules.prepare_script import NAME as PREPARE

if TYPE_CHECKING:
    from ttctl.model.service import ServiceSpec, Stack
    from ttctl.rules.docker_run import Command

_HEAD = """\
#!/usr/bin/env bash
# {title}
# Made by ttctl; it works without it. What belongs to this place is in .env beside it.
set -euo pipefail
cd "$(dirname "${{BASH_SOURCE[0]}}")"
"""

_START = """\
# shellcheck disable=SC1091
. ./.env

# Docker takes whole paths only. A mount's source stands in quotes, which another would end.
settle() {
    local path=${!1:-}
    case $path in
    *\\"*)
        echo "run.sh: a double quote cannot stand in a path: $1=$path" >&2
        exit 9
        ;;
    ./*) printf -v "$1" %s "$PWD/${path#./}" ;;
    esac
}

# Is there no container that runs as wanted? One that does not is ended, with its whole time.
must_start() {
    local name=$1 hash=$2 grace=$3 found
    found=$(docker container inspect --format \\
        '{{index .Config.Labels "dev.ttctl.config-hash"}} {{.State.Running}}' \\
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
    docker container inspect --format \\
        '{{range $name, $_ := .NetworkSettings.Networks}}{{println $name}}{{end}}' "$1" |
        grep -qxF -- "$2"
}

wait_healthy() {
    local name=$1 limit=$2 state
    while :; do
        state=$(docker container inspect --format \\
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

"""

_STOP = """\
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

"""


def shell_line(command: Command) -> str:
    """Return a command as a line of a shell; variables stay variables."""
    return " ".join(shell_word(word) for word in command)


def run_script(stack: Stack) -> str:
    """Return `run.sh`: typed again, it changes nothing of what runs as wanted."""
    lines = [_HEAD.format(title=f"Start the stack {stack.name} with plain docker.")]
    lines += [f"sh ./{PREPARE}\n"] if stack.engine.nodes else []
    lines.append(_START)
    sources = {
        variable.name
        for service in stack.services
        for mount in service.mounts
        for variable in variables(mount.source)
    }
    lines.append("".join(f"settle {name}\n" for name in ("PWD", *sorted(sources))) + "\n")
    for network in stack.networks:
        name = shlex.quote(network_name(stack, network.name))
        made = shell_line(network_command(stack, network))
        lines.append(f"has_network {name} ||\n    {made} >/dev/null\n")
    lines += [_started(stack, service) for service in stack.services]
    lines.append("\n")
    lines += [_awaited(stack, service) for service in stack.services]
    return "".join(lines)


def stop_script(stack: Stack) -> str:
    """Return `stop.sh`: every container has its whole grace time, the networks go last."""
    lines = [_HEAD.format(title=f"End the stack {stack.name}, each container in its own time.")]
    lines += ["\n", _STOP]
    lines += [f"end {command[-1]} {shell_line(command)}\n" for command in stop_commands(stack)]
    for network in stack.networks:
        name = shlex.quote(network_name(stack, network.name))
        lines.append(f"docker network rm {name} >/dev/null 2>&1 || true\n")
    return "".join(lines)


def start_limit_s(service: ServiceSpec) -> int:
    """Return how long a container may take until its health check says yes or no, seconds."""
    health = service.health
    return health.start_period_s + health.retries * (health.interval_s + health.timeout_s)


def _started(stack: Stack, service: ServiceSpec) -> str:
    name = shlex.quote(container_name(stack, service))
    wanted = f"{name} {config_hash(stack, service)} {service.stop_grace_s}"
    text = f"\nif must_start {wanted}; then\n    {shell_line(run_command(stack, service))}\nfi\n"
    for command in connect_commands(stack, service):
        network = shlex.quote(command[-2])
        text += f"is_connected {name} {network} ||\n    {shell_line(command)}\n"
    return text


def _awaited(stack: Stack, service: ServiceSpec) -> str:
    name = shlex.quote(container_name(stack, service))
    return f"wait_healthy {name} {start_limit_s(service)}\n"
