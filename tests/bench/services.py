# SPDX-License-Identifier: Apache-2.0
"""What the four services cost, as ratios measured in one run, each beside its library.

Each service is asked from inside its own container, by its own port and through the gateway, in
turns; `api` and `sd` beside transformers and diffusers with the same weights. Medians are compared.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from statistics import median
from typing import Any

import docker
from tests.bench.run import TTCTL, free_port, run

from ttctl.adapters.manifest import sha256_of

STACK = "bench-all"
SPEED, IMAGE, VERIFY, PAGE_BYTES = 0.95, 1.05, 1.2, 100_000
VERIFIED_BYTES = 300_000_000
INSIDE = Path(__file__).with_name("inside.py")


def main() -> int:
    """Print the figures; exit 1 where a goal is missed."""
    port = free_port()
    try:
        started = time.monotonic()
        words = ("up", "all", "--name", STACK, "--port", str(port), "--json")
        told = json.loads(run(TTCTL, "--quiet", *words))["data"]
        print(f"up all, images and weights here: {time.monotonic() - started:.0f} s", flush=True)
        print_memory()
        key = Path(told["key_file"]).read_text().strip()
        missed = [*of_vllm(key), *of_api(key), *of_sd(key), *of_page(port), *of_verification()]
    finally:
        run(TTCTL, "--quiet", "down", STACK)
    print("goals missed:", ", ".join(missed) or "none")
    return 1 if missed else 0


def print_memory() -> None:
    """Print what each container takes when it is ready."""
    client = docker.from_env()
    found = client.containers.list(filters={"label": f"com.docker.compose.project=ttctl-{STACK}"})
    for one in sorted(found, key=lambda container: container.name):
        stats = one.stats(stream=False)["memory_stats"]
        used = stats["usage"] - stats["stats"].get("inactive_file", 0)
        print(f"memory of {one.labels['com.docker.compose.service']}: {used / (1 << 20):.0f} MiB")


def inside(service: str, key: str) -> dict[str, list[dict[str, float]]]:
    """Return what `inside.py` measured in a service's container."""
    # Its program is told on the command line, so that its input is the key alone.
    words = ("docker", "exec", "-i", f"ttctl-{STACK}-{service}-1", "python", "-c")
    done = subprocess.run(
        [*words, INSIDE.read_text(), service],
        input=f"{key}\n", capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip
    if done.returncode:
        print(done.stderr, file=sys.stderr)
        raise SystemExit(done.returncode)
    found: dict[str, list[dict[str, float]]] = json.loads(done.stdout.splitlines()[-1])
    return found


def speed(runs: list[dict[str, float]]) -> float:
    """Return tokens a second, the median of some answers."""
    return median(one["tokens"] / one["seconds"] for one in runs)


def by_turns(ours: list[dict[str, float]], theirs: list[dict[str, float]]) -> float:
    """Return the median of the ratios of speed, one a turn: a busy moment is so for both."""
    return median(speed([one]) / speed([other]) for one, other in zip(ours, theirs, strict=True))


def of_vllm(key: str) -> list[str]:
    """Print vLLM behind the gateway over vLLM by itself."""
    found = inside("vllm", key)
    firsts = [median(one["first_s"] for one in found[way]) for way in ("gateway", "alone")]
    print(f"first token through the gateway: {1000 * (firsts[0] - firsts[1]):+.1f} ms")
    return at_least("vllm, tokens/s behind the gateway / alone", found["gateway"], found["alone"])


def of_api(key: str) -> list[str]:
    """Print `api` behind the gateway over itself, and over transformers."""
    found = inside("api", key)
    by_pieces = by_turns(found["streamed"], found["bare"])
    # No goal: transformers by itself hands nothing over while it computes.
    print(f"api, tokens/s of a stream / transformers alone: {by_pieces:.2f}")
    return [
        *at_least("api, tokens/s behind the gateway / alone", found["gateway"], found["alone"]),
        *at_least("api, tokens/s / transformers alone", found["gateway"], found["bare"]),
    ]


def of_sd(key: str) -> list[str]:
    """Print `sd` behind the gateway over diffusers."""
    found = inside("sd", key)
    seconds = {way: median(one["seconds"] for one in runs) for way, runs in found.items()}
    return at_most("sd, seconds / diffusers alone", seconds["gateway"], seconds["bare"], IMAGE)


def of_page(port: int) -> list[str]:
    """Print what the chat page weighs; what it shows with is in it."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as answer:
        page = answer.read()
    further = re.findall(rb"<(?:script|link|img)[^>]+(?:src|href)=\"(?!data:)", page)
    print(f"the chat page: {len(page)} bytes in one request (goal <= {PAGE_BYTES})")
    return ["the page's weight"] if further or len(page) > PAGE_BYTES else []


def of_verification() -> list[str]:
    """Print how long weights are verified over sha256sum of the same file."""
    with tempfile.NamedTemporaryFile() as file:
        block = bytes(range(256)) * 4096
        for _ in range(VERIFIED_BYTES // len(block)):
            file.write(block)
        file.flush()
        path = Path(file.name)
        ours, theirs = [], []
        for _ in range(5):
            ours.append(timed(lambda: sha256_of(path)))
            theirs.append(timed(lambda: run("sha256sum", str(path))))
    return at_most("verification / sha256sum", median(ours), median(theirs), VERIFY)


def timed(action: Any) -> float:  # noqa: ANN401 - whatever is called
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def at_least(title: str, ours: list[dict[str, float]], theirs: list[dict[str, float]]) -> list[str]:
    """Print a ratio of speeds; return its title where the goal is missed."""
    ratio = by_turns(ours, theirs)
    print(f"{title}: {ratio:.2f} (goal >= {SPEED}; {speed(ours):.0f} and {speed(theirs):.0f})")
    return [title] if ratio < SPEED else []


def at_most(title: str, ours: float, theirs: float, goal: float) -> list[str]:
    """Print a ratio of seconds; return its title where the goal is missed."""
    print(f"{title}: {ours / theirs:.2f} (goal <= {goal}; {ours:.2f} s and {theirs:.2f} s)")
    return [title] if ours / theirs > goal else []


if __name__ == "__main__":
    raise SystemExit(main())
