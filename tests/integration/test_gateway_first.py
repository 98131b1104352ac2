# SPDX-License-Identifier: Apache-2.0
"""An engine is not called ready before it has passed a check, however new its address is."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from tests.integration.gateway_upstream.door import BODY_LIMIT, KEY, ROOT, Door, door_with

from ttctl.adapters.templates import ShippedRecipes
from ttctl.rules.gateway_routes import Behind, several_values

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from testcontainers.core.container import DockerContainer

pytest_plugins = ["tests.integration.gateway_upstream.fixtures"]
pytestmark = pytest.mark.docker

LOOKED_S = 4
"""An address is asked for each second, and the first check follows within another."""
PATHS = ("/v1/completions",)
VLLM = Behind(name="vllm", port=8000, paths=PATHS, models=("llama",))
SD = Behind(
    name="sd", port=8000, paths=("/v1/images/generations",), models=("sdxl",), says_models=False,
    liveness=True,
)  # fmt: skip


@contextmanager
def door_to(engine: Behind, images: tuple[str, str], folder: Path) -> Iterator[Door]:
    """Yield the gateway of a stack that may have several engines, and has this one."""
    gateway = ShippedRecipes(ROOT).defaults("gateway")
    values = several_values([engine], gateway=gateway, max_body_bytes=BODY_LIMIT)
    with door_with(*images, folder, values) as one:
        yield one


@pytest.fixture
def images(gateway_image: str, python_image: str) -> tuple[str, str]:
    return gateway_image, python_image


def deaf(door: Door, name: str) -> DockerContainer:
    """Return a container that has an address and listens at no port, as while a model loads."""
    return door.new_upstream(name).with_kwargs(entrypoint=["sleep", "60"], init=True)


def statuses(door: Door, *paths: str) -> dict[str, set[int]]:
    """Return what each path answers while an address is found and looked at first."""
    seen: dict[str, set[int]] = {path: set() for path in paths}
    ends = time.monotonic() + LOOKED_S
    while time.monotonic() < ends:
        for path in paths:
            seen[path].add(door.ask(path).status)
    return seen


def listed(door: Door) -> list[str]:
    return [one["id"] for one in json.loads(door.ask("/v1/models").body)["data"]]


@pytest.mark.parametrize("engine", [VLLM, SD], ids=["says its models", "says none"])
def test_an_engine_that_has_an_address_and_does_not_listen_is_never_ready(
    engine: Behind, images: tuple[str, str], tmp_path: Path
) -> None:
    with door_to(engine, images, tmp_path) as door, deaf(door, engine.name):
        paths = ("/health", f"/{engine.name}/health", f"/{engine.name}/v1/models")
        assert statuses(door, *paths) == {path: {503} for path in paths}
        assert listed(door) == []


def test_an_engine_whose_model_still_loads_is_not_ready_though_it_answers(
    images: tuple[str, str], tmp_path: Path
) -> None:
    # The stand-in answers 200 at /tt-liveness, and says nothing of its model.
    with door_to(SD, images, tmp_path) as door, door.new_upstream("sd"):
        paths = ("/health", "/sd/health", "/sd/v1/models")
        assert statuses(door, *paths) == {path: {503} for path in paths}


def test_an_engine_that_was_ready_has_to_pass_again_when_it_comes_back_and_after_a_reload(
    images: tuple[str, str], tmp_path: Path
) -> None:
    with door_to(VLLM, images, tmp_path) as door:
        with door.new_upstream("vllm"):
            door.wait_for(200)
            assert listed(door) == ["llama"]
            door.reload(KEY)
            door.wait_for(200, within_s=LOOKED_S)
        door.wait_for(503)
        with deaf(door, "vllm"):
            assert statuses(door, "/health") == {"/health": {503}}
            assert listed(door) == []


def test_an_engine_alone_that_does_not_say_what_it_serves_is_looked_at_first(
    images: tuple[str, str], tmp_path: Path
) -> None:
    alone = {
        "engine": "sd", "engine_port": 8000, "max_body_bytes": BODY_LIMIT, "retry_after_s": 5,
        "paths": ("/v1/models", *SD.paths), "model": "sdxl", "liveness": True,
    }  # fmt: skip
    with door_with(*images, tmp_path, alone) as door, door.new_upstream("sd"):
        paths = ("/health", "/v1/models", "/v1/models/sdxl")
        assert statuses(door, *paths) == {path: {503} for path in paths}


def test_an_engine_alone_that_says_nothing_of_what_it_serves_has_it_listed_and_retrieved(
    images: tuple[str, str], tmp_path: Path
) -> None:
    alone = {
        "engine": "sd", "engine_port": 8000, "max_body_bytes": BODY_LIMIT, "retry_after_s": 5,
        "paths": ("/v1/models", *SD.paths), "model": "sdxl",
    }  # fmt: skip
    with door_with(*images, tmp_path, alone) as door, door.new_upstream("sd"):
        door.wait_for(200)
        with door.openai() as client:
            (one,) = client.models.list()
            assert client.models.retrieve("sdxl") == one
        assert one.created > 1_500_000_000
        assert door.ask("/v1/models/other").error["code"] == "model_not_found"
