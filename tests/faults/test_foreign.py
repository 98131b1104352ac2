# SPDX-License-Identifier: Apache-2.0
"""R20. What others have on the engine, with like names and like labels, is never taken away."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from tests.e2e.driver import finish
from tests.faults.refused import parts
from tests.faults.stage import stack_on

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.driver import Stack
    from tests.faults.conftest import Figure, Rounds
    from tests.faults.own_engine import OwnEngine

pytestmark = pytest.mark.docker

SEED = 21
NAMES = (
    "ttctl-{0}-vllm", "ttctl-{0}-vllm-2", "ttctl-{0}x-vllm-1", "x-ttctl-{0}-vllm-1", "{0}",
    "ttctl-{0}_gateway_1", "0123456789ab_ttctl-{0}-other-1", "ttctl", "ttctl-gateway-1",
)  # fmt: skip
LABELS = (
    {},
    {"dev.ttctl.stack": "{0}x", "dev.ttctl.service": "vllm"},
    {"com.docker.compose.project": "ttctl-{0}x", "com.docker.compose.service": "vllm"},
    {"com.docker.compose.project": "{0}", "com.docker.compose.service": "gateway"},
    {"com.docker.compose.project": "ttctl-{0}", "com.docker.compose.service": "other"},
    {"dev.ttctl.fingerprint": "0" * 64},
)
"""Of nobody, of a stack with a like name, of other projects of compose, of an image of ours."""
ANOTHERS = {
    "dev.ttctl.stack": "{0}",
    "dev.ttctl.service": "vllm",
    "dev.ttctl.owner": "0123456789abcdef",
    "com.docker.compose.project": "ttctl-{0}",
    "com.docker.compose.service": "vllm",
}
"""What the container of a stack of this very name has that another user brought up."""


def worlds(name: str, count: int) -> list[tuple[str, str, dict[str, str]]]:
    """Return kind, name and labels of things that others have."""
    chance = random.Random(SEED)  # noqa: S311 - names, no secrets
    found = []
    for number in range(count):
        kind = ("container", "network", "volume")[number % 3]
        chosen = LABELS[number // 3 % len(LABELS)]
        labels = {key: value.format(name) for key, value in chosen.items()}
        word = NAMES[number] if number < len(NAMES) else f"{chance.choice(NAMES)}-{number}"
        found.append((kind, word.format(name), labels))
    return found


def make(engine: OwnEngine, image: str, things: list[tuple[str, str, dict[str, str]]]) -> set[str]:
    for number, (kind, name, labels) in enumerate(things):
        words = [word for key, value in labels.items() for word in ("--label", f"{key}={value}")]
        if kind == "container":
            engine.docker("create", "--name", f"{name}-c", *words, "--entrypoint", "true", image)
        else:
            # Docker has addresses for 31 networks of its own choice.
            words += ["--subnet", f"10.77.{number}.0/28"] if kind == "network" else []
            engine.docker(kind, "create", *words, f"{name}-{kind[0]}")
    return everything(engine)


def everything(engine: OwnEngine) -> set[str]:
    """Return every container, network and volume, by what a new one of its name would not have."""
    ids = engine.docker("ps", "--all", "--no-trunc", "--format", "container {{.ID}} {{.Names}}")
    networks = engine.docker(
        "network", "ls", "--no-trunc", "--filter", "type=custom", "--format", "network {{.ID}}"
    )
    volumes = engine.docker("volume", "ls", "--format", "volume {{.Name}}")
    return {*ids.splitlines(), *networks.splitlines(), *volumes.splitlines()}


def test_nothing_of_others_is_removed_whatever_is_done(
    broken: OwnEngine, tmp_path: Path, rounds: Rounds, figure: Figure
) -> None:
    # Of its own, since `prune` takes the images that no stack has a use for.
    engine, stack = broken, stack_on(broken, tmp_path)
    image = engine.docker("images", "--quiet").split()[0]
    foreign = make(engine, image, worlds(stack.name, rounds(fast=18, whole=120)))
    other = stack_on(engine, tmp_path / "other")
    done = 0
    for word in ("", "--max-model-len=1024")[: rounds(fast=1, whole=2)]:
        for words in (
            ("up", *stack.words, *([word] if word else [])),
            ("restart", stack.name),
            ("stop", stack.name),
            ("start", stack.name),
            ("prune", "--yes"),
            ("down", stack.name, "--volumes"),
        ):
            stack.ttctl.run(*words, limit_s=300)
            done += 1
            assert foreign <= everything(engine), words
    other.ttctl.run("prune", "--yes", limit_s=300)
    assert everything(engine) == foreign
    what = f"{len(foreign)} containers, networks and volumes of others, {done + 1} verbs"
    figure("R20", what, "0 removed, 0 left over")


def test_the_stack_of_another_user_is_left_alone(
    engine: OwnEngine, stack: Stack, figure: Figure
) -> None:
    image = engine.docker("images", "--quiet").split()[0]
    labels = {name: value.format(stack.name) for name, value in ANOTHERS.items()}
    foreign = make(engine, image, [("container", f"ttctl-{stack.name}-vllm-1", labels)])
    refused = stack.up(exits=2)
    assert "belongs to another user of ttctl" in refused.err
    for verb in ("down", "stop", "restart"):
        code = finish(stack.ttctl.start(verb, stack.name)).code
        assert code in {1, 2}, verb
    assert everything(engine) == foreign
    figure(
        "R20", "a stack of this name that another user has: up, down, stop, restart", "0 removed"
    )


COMPOSE = """\
name: ttctl-{name}
services:
  db:
    image: {image}
    entrypoint: [sleep, "3600"]
    volumes: [data:/data]
volumes:
  data:
"""


def test_a_compose_project_of_the_same_name_is_refused_and_loses_nothing(
    engine: OwnEngine, stack: Stack, tmp_path: Path, figure: Figure
) -> None:
    stack.up()
    image = engine.docker("images", "--quiet").split()[0]
    file = tmp_path / "compose.yaml"
    file.write_text(COMPOSE.format(name=stack.name, image=image))
    own = ("compose", "--file", str(file))
    engine.docker(*own, "up", "--detach")
    before = everything(engine)
    for words in ("up", *stack.words), ("down", stack.name, "--volumes"):
        told = parts(stack.ttctl.run(*words, exits=2, limit_s=300).err)
        assert f"made in {tmp_path}" in told["evidence"], words
        assert everything(engine) == before
    # When only its data is left, the stack goes with its own alone.
    engine.docker("rm", "--force", f"ttctl-{stack.name}-db-1")
    stack.ttctl.run("down", stack.name, "--volumes", limit_s=300)
    assert f"volume ttctl-{stack.name}_data" in everything(engine)
    assert not engine.containers()
    figure("R20", "a compose project of a stack's name: up, down --volumes", "0 removed")
