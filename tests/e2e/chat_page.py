# SPDX-License-Identifier: Apache-2.0
"""A real browser, and the chat page in its container behind a real gateway and two engines."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import uvicorn
from playwright.sync_api import Browser, sync_playwright
from testcontainers.core.container import DockerContainer
from tests.e2e.page_seen import CHROMIUM, Seen
from tests.integration.gateway_upstream.door import BODY_LIMIT, ROOT, door_with, until
from tests.standins.product_images import product_images

from ttctl.adapters import places
from ttctl.adapters.roles import read_roles
from ttctl.adapters.templates import ShippedRecipes
from ttctl.rules.chat_page import page_behind, page_files
from ttctl.rules.gateway_routes import Behind, several_values

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.gateway_upstream.door import Door

VLLM = Behind(
    name="vllm", port=8000, paths=("/v1/chat/completions",), models=("talker", "other")
)  # fmt: skip
API = Behind(
    name="api", port=8001, paths=("/v1/models", "/chat", "/metrics"), says_models=False,
    serves="parrot",
)  # fmt: skip
STANDINS = Path(__file__).parents[1] / "standins"
OWN_ROLES = {"coding": "You help a programmer.", "my.pirate": "Arr."}


@pytest.fixture(scope="module")
def door(
    gateway_image: str, python_image: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Door]:
    recipes = ShippedRecipes(ROOT)
    own = tmp_path_factory.mktemp("own-roles")
    for name, text in OWN_ROLES.items():
        (own / f"{name}.md").write_text(f"{text}\n")
    roles = read_roles(places.shipped() / "controller" / "talk" / "roles", own)
    page = page_behind(roles, defaults=recipes.defaults("chat"))
    values = several_values(
        (VLLM, API, page), gateway=recipes.defaults("gateway"), max_body_bytes=BODY_LIMIT
    )
    mounted = _written(
        tmp_path_factory.mktemp("chat"),
        page_files([("vllm", "openai"), ("api", "chat"), ("sd", "")], roles),
    )
    with ExitStack() as stack:
        folder = tmp_path_factory.mktemp("gateway")
        door = stack.enter_context(door_with(gateway_image, python_image, folder, values))
        for one in (_page(mounted), _talker(python_image), _direct(python_image)):
            stack.enter_context(one.with_network(door.network))
        for name in ("vllm", "api", "chat"):
            until(partial(_is_ready, door, name))
        yield door


def _is_ready(door: Door, name: str) -> bool:
    return door.ask(f"/{name}/health", key=None).status == 200


def _written(folder: Path, files: dict[str, str]) -> Path:
    for path, text in files.items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(text)
    for one in (folder, folder / "roles"):
        one.chmod(0o755)
    return folder


def _page(mounted: Path) -> DockerContainer:
    one = DockerContainer(product_images()["chat"]).with_network_aliases("chat")
    one.with_volume_mapping(mounted, "/etc/ttctl/chat")
    one.with_tmpfs_mount("/tmp", "size=16m")  # noqa: S108 - a container's
    return one.with_kwargs(init=True, read_only=True, cap_drop=["ALL"])


def _talker(python: str) -> DockerContainer:
    one = DockerContainer(python).with_network_aliases("vllm")
    one.with_volume_mapping(STANDINS, "/stand-in")
    return one.with_kwargs(entrypoint=["python3", "/stand-in/talking_api.py"], init=True)


def _direct(python: str) -> DockerContainer:
    """Return the real program of `api`; its HTTP server is the one that this test run has."""
    one = DockerContainer(python).with_network_aliases("api").with_env("HOME", "/tmp")  # noqa: S108
    one.with_volume_mapping(STANDINS, "/stand-in")
    one.with_volume_mapping(ROOT / "images", "/images")
    one.with_volume_mapping(Path(uvicorn.__file__).parents[1], "/site")
    one.with_env("PYTHONPATH", "/images/direct:/images/serving:/site")
    return one.with_kwargs(
        entrypoint=[
            "python3", "/stand-in/direct_engine.py", "--weights", "/", "--name", "parrot",
            "--backend", "cpu", "--port", "8001",
        ],
        init=True,
    )  # fmt: skip


@pytest.fixture(scope="module")
def url(door: Door) -> str:
    return f"http://127.0.0.1:{door.port}/"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        # Its own sandbox needs rights that a container of a test run may not have.
        made = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield made
        made.close()


@pytest.fixture
def fresh(browser: Browser, url: str) -> Iterator[Seen]:
    with browser.new_context() as context:
        page = context.new_page()
        page.set_default_timeout(20_000)
        seen = Seen(page)
        page.goto(url)
        yield seen
        assert seen.complaints == []


@pytest.fixture
def seen(fresh: Seen) -> Seen:
    fresh.enter()
    return fresh
