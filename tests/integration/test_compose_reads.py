# SPDX-License-Identifier: Apache-2.0
"""Does compose itself read what was meant, whatever the text? A reader of ours could err alike."""

from __future__ import annotations

import json
import random
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from tests.unit.fakes import RECIPES
from tests.unit.rules.stacks import MADE

from tools.hostile_stacks import FREE, STACK, text_of
from tools.sample_place import VALUES
from ttctl.errors import TtctlError
from ttctl.model.override import OVERRIDE_NAME
from ttctl.rules.compose import compose_of
from ttctl.rules.renderable import check_stack

if TYPE_CHECKING:
    from pathlib import Path

    from ttctl.model.service import Stack

pytestmark = pytest.mark.docker

TEXTS = 400


def read(stack: Stack, folder: Path, *more: str) -> dict[str, Any]:
    """Return the services as compose reads them, its own doubled dollars undone."""
    (folder / "compose.yaml").write_text(RECIPES.yaml(compose_of(stack)), encoding="utf-8")
    lines = (f"{name}='{value}'\n" for name, value in VALUES.items() if name != "PWD")
    (folder / ".env").write_text("".join(lines))
    done = subprocess.run(
        ["docker", "compose", "--project-directory", folder, *more, "config", "--format", "json"],
        capture_output=True,
        check=False,
        timeout=120,
        cwd=folder,
    )
    assert done.returncode == 0, done.stderr.decode()
    found: dict[str, Any] = json.loads(done.stdout.decode().replace("$$", "$"))["services"]
    return found


def safe_texts(chance: random.Random) -> list[str]:
    found: list[str] = []
    while len(found) < TEXTS:
        text = text_of(chance)
        try:
            check_stack(FREE["command"](text))
        except TtctlError:
            continue
        found.append(text)
    return found


def test_compose_reads_every_hostile_text_byte_for_byte(tmp_path: Path) -> None:
    texts = safe_texts(random.Random(5))  # noqa: S311 - texts, no secrets
    environment = tuple((f"A{number}", text) for number, text in enumerate(texts))
    one = replace(
        STACK.services[0],
        command=tuple(texts),
        environment=environment,
        health=replace(STACK.services[0].health, test=("CMD", "x", *texts)),
    )
    longest = max(texts, key=len)
    found = read(replace(STACK, services=(one,), experimental=longest), tmp_path)["vllm"]
    assert found["command"] == texts
    assert {name: found["environment"][name] for name, _ in environment} == dict(environment)
    assert found["healthcheck"]["test"] == ["CMD", "x", *texts]
    assert found["labels"]["dev.ttctl.experimental"] == longest


@pytest.mark.parametrize("name", MADE)
def test_compose_reads_the_stacks_that_are_made(name: str, tmp_path: Path) -> None:
    stack = MADE[name]
    found = read(stack, tmp_path)
    for service in stack.services:
        body = found[service.name]
        assert body["command"] == (list(service.command) or None)
        assert body["stop_grace_period"] == f"{service.stop_grace_s // 60}m0s"
        paths = [VALUES[f"TTCTL_NODE_{n}"].partition(":")[0] for n in range(service.nodes)]
        devices = [str(one).partition(":")[0] for one in body.get("devices", ())]
        assert devices == paths or [one["source"] for one in body["devices"]] == paths


def test_the_users_own_file_is_laid_over_when_it_is_named(tmp_path: Path) -> None:
    own = tmp_path / OVERRIDE_NAME
    own.write_text("services:\n  vllm:\n    mem_limit: 1g\n")
    files = ("--file", str(tmp_path / "compose.yaml"), "--file", str(own))
    assert read(MADE["llama"], tmp_path, *files)["vllm"]["mem_limit"] == str(1 << 30)
