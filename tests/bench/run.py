# SPDX-License-Identifier: Apache-2.0
"""What ttctl costs, as ratios measured in one run: commands, a stack's start, gateway, images.

Each pair is measured in turns, so that a noisy machine is noisy for both. Medians are compared.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import tomllib
import urllib.request
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import docker

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = 3
STACK = "bench"
TTCTL = str(Path(sys.executable).with_name("ttctl"))
START_S = 600
ALONE = "ttctl-bench-alone"
GOAL = 1.1
LARGEST_GB = 1.6


def main() -> int:
    """Print the ratios; exit 1 where a goal is missed."""
    port = free_port()
    try:
        up(port)
        card = json.loads(run(TTCTL, "up", "demo-llama", "--name", STACK, "--json"))["data"]
        folder = Path(card["folder"])
        missed = measure_start_up()
        missed += [*measure_up(port, folder), *measure_engine(port, folder)]
    finally:
        down()
    missed += [*print_sizes(folder), *measure_gateway(folder), *measure_services()]
    print("goals missed:", ", ".join(missed) or "none")
    return 1 if missed else 0


def measure_start_up() -> list[str]:
    """Print what commands cost before they do anything; its module says how."""
    script = str(Path(__file__).with_name("start_up.py"))
    done = subprocess.run([sys.executable, script, STACK], check=False)
    return ["the CPU time of commands"] if done.returncode else []


def measure_up(port: int, folder: Path) -> list[str]:
    """`ttctl up` on built images over `docker compose up -d --wait` of the same folder."""
    compose = ("docker", "compose", "--project-directory", str(folder))

    def plain() -> None:
        run(*compose, "up", "--detach", "--wait")

    ours, theirs = in_turns(lambda: up(port), plain)
    return report("up / docker compose up --wait", ours, theirs)


def measure_engine(port: int, folder: Path) -> list[str]:
    """From the start of the engine's container to a first token: through `up`, and alone."""
    service = json.loads(
        run("docker", "compose", "--project-directory", str(folder), "config", "--format", "json")
    )["services"]["vllm"]
    alone_port = free_port()

    def alone() -> None:
        environment = [f"--env={name}={value}" for name, value in service["environment"].items()]
        mounts = [
            f"--mount=type=bind,readonly,source={one['source']},target={one['target']}"
            for one in service["volumes"]
        ]
        run(
            "docker", "run", "--detach", f"--name={ALONE}", "--read-only", "--init",
            "--cap-drop=ALL", "--tmpfs=/tmp:mode=1777", "--user=1000:1000",
            f"--memory={service['mem_limit']}", f"--publish=127.0.0.1:{alone_port}:8000",
            *environment, *mounts, service["image"], *service["command"],
        )  # fmt: skip
        wait_for_token(alone_port, "demo-llama")

    try:
        ours, theirs = in_turns(
            lambda: up(port), alone, clear=down_alone, since=(f"ttctl-{STACK}-vllm-1", ALONE)
        )
    finally:
        down_alone()
    return report("engine start to first token, through up / alone", ours, theirs)


def in_turns(
    ours: Callable[[], None],
    theirs: Callable[[], None],
    *,
    clear: Callable[[], None] = lambda: None,
    since: tuple[str, str] | None = None,
) -> tuple[list[float], list[float]]:
    """Return the seconds of both, measured in turns from nothing running.

    `since` names the containers from whose start is counted; without it, from the command's.
    """
    seconds: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS):
        for index, action in enumerate((ours, theirs)):
            down()
            clear()
            started = time.time()
            action()
            done = time.time()
            seconds[index].append(done - (started_at(since[index]) if since else started))
    return seconds


def started_at(container: str) -> float:
    """Return when the engine started a container, in Unix seconds."""
    text = docker.from_env().containers.get(container).attrs["State"]["StartedAt"]
    return datetime.fromisoformat(text).timestamp()


def report(title: str, ours: list[float], theirs: list[float]) -> list[str]:
    """Print one ratio; return its title where the goal is missed."""
    ratio = median(ours) / median(theirs)
    rounds = " ".join(f"{one:.1f}/{other:.1f}" for one, other in zip(ours, theirs, strict=True))
    print(f"{title}: {ratio:.2f} (goal <= {GOAL}; seconds in turns: {rounds})", flush=True)
    return [title] if ratio > GOAL else []


def measure_gateway(folder: Path) -> list[str]:
    """Print what the gateway costs beside nginx, and before several engines. Unmeasured is missed.

    Their modules say how.
    """
    image = next(one["reference"] for one in images(folder) if one["name"] == "gateway")
    titles = {"gateway": "the gateway's CPU over nginx's", "routing": "the refusal of large bodies"}
    return [
        title
        for name, title in titles.items()
        if subprocess.run(
            [sys.executable, "-m", f"tests.bench.{name}"],
            check=False,
            cwd=Path(__file__).parents[2],
            env={**os.environ, "TTCTL_TEST_GATEWAY": image},
        ).returncode
    ]


def measure_services() -> list[str]:
    """Print what the four services cost beside their libraries; its module says how."""
    words = (sys.executable, "-m", "tests.bench.services")
    done = subprocess.run(words, check=False, cwd=Path(__file__).parents[2])
    return ["the services beside their libraries"] if done.returncode else []


def images(folder: Path) -> list[dict[str, str]]:
    """Return the images of the stack's lock."""
    lock: dict[str, list[dict[str, str]]] = tomllib.loads((folder / "ttctl.lock").read_text())
    return lock["images"]


def print_sizes(folder: Path) -> list[str]:
    """Print each image's size and the sum of what is not shared."""
    client = docker.from_env()
    layers: dict[str, int] = {}
    for name in (one["reference"] for one in images(folder)):
        image = client.images.get(name)
        print(f"image {name}: {image.attrs['Size'] / 1e6:.0f} MB")
        sizes = [step["Size"] for step in reversed(image.history()) if step["Size"]]
        layers.update(zip(_with_content(image), sizes, strict=False))
    total = sum(layers.values()) / 1e9
    print(f"unique layers of all of them: {total:.2f} GB (goal <= {LARGEST_GB})")
    return ["the images' size"] if total > LARGEST_GB else []


def _with_content(image: docker.models.images.Image) -> list[str]:
    empty = "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"
    return [layer for layer in image.attrs["RootFS"]["Layers"] if layer != empty]


def up(port: int) -> None:
    """Bring the bench's own stack up."""
    run(TTCTL, "--quiet", "up", "demo-llama", "--name", STACK, "--port", str(port))


def down() -> None:
    """Take it down."""
    run(TTCTL, "--quiet", "down", STACK)


def down_alone() -> None:
    """Remove the engine that runs alone."""
    with suppress(docker.errors.NotFound):
        docker.from_env().containers.get(ALONE).remove(force=True)


def wait_for_token(port: int, model: str) -> None:
    """Return when a completion has come back."""
    body = json.dumps({"model": model, "prompt": "Hello", "max_tokens": 1}).encode()
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/v1/completions", body, {"Content-Type": "application/json"}
        )
        with suppress(OSError), urllib.request.urlopen(request, timeout=30) as answer:
            answer.read()
            return
        time.sleep(0.1)
    raise TimeoutError(port)


def run(*command: str) -> str:
    """Run a command; its stdout is returned, its failure ends the bench."""
    found = shutil.which(command[0]) or command[0]
    done = subprocess.run(
        [found, *command[1:]], capture_output=True, text=True, check=False, timeout=START_S
    )
    if done.returncode:
        print(done.stderr, file=sys.stderr)
        raise SystemExit(done.returncode)
    return done.stdout


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    raise SystemExit(main())
