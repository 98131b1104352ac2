# SPDX-License-Identifier: Apache-2.0
"""What do `docker run` and podman's command line say of a container?"""

from __future__ import annotations

import csv
import io
import json
import subprocess
from typing import TYPE_CHECKING

from tools.said import NO_LIMIT, Said, placed, scratch, whole_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

BARE = frozenset({"--detach", "-d", "--read-only", "--init", "--replace", "--rm"})
"""Options without a value."""
DOCKER = """\
docker() {
    printf '%s\\0' "$#" docker "$@" >&3
    case "$*" in
    "network inspect "*) return 1 ;;
    "container inspect "*Health*) echo "running healthy" ;;
    "container inspect "*Networks*) ;;
    "container inspect "*) return 1 ;;
    esac
}
"""
"""A docker that has nothing yet, and tells what it was asked."""


def told(script: str, values: Mapping[str, str], *, folder: str = "/") -> list[list[str]]:
    """Return the docker commands of a script that bash has read, each as its words.

    Raises:
        ValueError: The script failed.
    """
    # `. ./.env` is the values; the folder is any that is there, and nothing is made in it.
    body = script.replace(". ./.env", ":").replace("sh ./prepare.sh", ":")
    body = body.replace('cd "$(dirname "${BASH_SOURCE[0]}")"', ":")
    done = subprocess.run(
        ["bash", "-c", f"exec 3>&1 >/dev/null\n{DOCKER}{body}", "bash"],  # noqa: S607 - bash, wherever it is
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", **values},
        cwd=folder,
        capture_output=True,
        check=False,
        timeout=60,
    )
    if done.returncode != 0:
        raise ValueError(done.stderr.decode(errors="replace"))
    words = done.stdout.decode().split("\0")
    commands: list[list[str]] = []
    place = 0
    while place < len(words) - 1:
        length = int(words[place]) + 1
        commands.append(words[place + 1 : place + 1 + length])
        place += 1 + length
    return commands


def said_by_commands(
    commands: Sequence[Sequence[str]], values: Mapping[str, str]
) -> dict[str, Said]:
    """Read docker's commands: service to what is said of it."""
    joined: dict[str, list[str]] = {}
    for command in commands:
        if list(command[1:3]) == ["network", "connect"]:
            joined.setdefault(command[-1], []).append(command[-2])
    found: dict[str, Said] = {}
    for command in commands:
        if command[1] == "run":
            options, rest = parted(command[2:])
            options["--network"] += joined.get(options["--name"][0], [])
            service = dict(_pair(one) for one in options["--label"])["dev.ttctl.service"]
            found[service] = of_options(options, rest, values, podman=False)
    return found


def parted(words: Sequence[str]) -> tuple[dict[str, list[str]], list[str]]:
    """Return options to their values, and what comes after them: the image and its arguments."""
    options: dict[str, list[str]] = {}
    place = 0
    while words[place].startswith("-"):
        name, equals, value = words[place].partition("=")
        place += 1
        if not equals and name not in BARE:
            value = words[place]
            place += 1
        options.setdefault(name, []).append(value)
    return options, list(words[place:])


def of_options(
    options: dict[str, list[str]], rest: list[str], values: Mapping[str, str], *, podman: bool
) -> Said:
    """Return what these options say to docker, or to podman, which reads two of them as JSON."""
    (ipc,) = options["--ipc"]
    entrypoint = options.get("--entrypoint", [])
    return Said(
        image=whole_name(rest[0]),
        user=options["--user"][0],
        read_only=options.get("--read-only") == [""],
        init=options.get("--init") == [""],
        dropped=tuple(one.upper() for one in options["--cap-drop"]),
        kept=frozenset(one.upper() for one in options.get("--cap-add", ())),
        new_privileges=not any(
            one.startswith("no-new-privileges") for one in options.get("--security-opt", ())
        ),
        ipc=ipc,
        pid=options.get("--pid", [""])[0],
        restarts=options.get("--restart") == ["unless-stopped"],
        stop_s=int(options["--stop-timeout"][0]),
        memory=options.get("--memory", [NO_LIMIT])[0],
        swap=options.get("--memory-swap", [NO_LIMIT])[0],
        pids=int(options["--pids-limit"][0]),
        shm=options["--shm-size"][0] if ipc == "private" else "",
        memlock=options.get("--ulimit") == ["memlock=-1:-1"],
        groups=frozenset(options.get("--group-add", ())),
        health=(
            _shell(options["--health-cmd"][0], podman=podman),
            options["--health-interval"][0],
            options["--health-timeout"][0],
            options["--health-retries"][0],
            options["--health-start-period"][0],
        ),
        scratch=frozenset(scratch(one) for one in options["--tmpfs"]),
        mounts=frozenset(
            [_mount(one) for one in options.get("--mount", ())]
            + [_volume(one, values) for one in options.get("-v", ())]
        ),
        devices=tuple(options.get("--device", ())),
        environment=frozenset(_pair(one) for one in options["--env"]),
        labels=frozenset(_pair(one) for one in options["--label"]),
        ports=frozenset(options.get("--publish", ())),
        networks=frozenset(options["--network"]),
        host_names=frozenset(options.get("--add-host", ())),
        entrypoint=bool(entrypoint),
        words=(*_words(entrypoint, podman=podman), *rest[1:]),
    )


def _words(entrypoint: list[str], *, podman: bool) -> list[str]:
    """Return the entrypoint's words: docker takes one, podman a list."""
    if podman and entrypoint:
        return [str(one) for one in json.loads(entrypoint[0])]
    return entrypoint


def _shell(text: str, *, podman: bool) -> str:
    """Return the line that a shell gets; podman takes its kind beside it."""
    if not podman:
        return text
    kind, line = json.loads(text)
    if kind != "CMD-SHELL":
        raise ValueError(text)
    return str(line)


def _mount(text: str) -> tuple[str, str, bool]:
    (row,) = csv.reader(io.StringIO(text), strict=True)
    fields = dict(one.partition("=")[::2] for one in row)
    if set(fields) - {"type", "source", "target", "readonly"} or fields["type"] != "bind":
        raise ValueError(text)
    return fields["source"], fields["target"], "readonly" in fields


def _volume(text: str, values: Mapping[str, str]) -> tuple[str, str, bool]:
    source, target, how = text.split(":")
    return placed(source, values), target, how == "ro"


def _pair(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name, value
