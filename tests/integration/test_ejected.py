# SPDX-License-Identifier: Apache-2.0
"""An ejected service is built in one layer over ours, runs what was edited, and runs alone."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING
from uuid import uuid4

import httpx2
import pytest
from playwright.sync_api import expect, sync_playwright
from tests.e2e.page_seen import CHROMIUM
from tests.standins.product_images import product_images
from tests.standins.traces import docker
from tests.unit.fakes import FakeReporter

from ttctl.cli.session import Flags, Session
from ttctl.model.spec import Request
from ttctl.operations.desire import desire
from ttctl.operations.eject import eject
from ttctl.operations.get import make

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ttctl.model.image import ImageSpec
    from ttctl.model.protocols import World

pytestmark = pytest.mark.docker


@pytest.fixture(scope="module")
def world() -> World:
    product_images()
    return Session(Flags(quiet=True)).world


@pytest.fixture
def made() -> Iterator[list[str]]:
    """Hold names of images that a test makes, and remove them."""
    names: list[str] = []
    yield names
    for name in dict.fromkeys(names):
        subprocess.run(["docker", "image", "rm", name], capture_output=True, check=False)


def request_for(service: str, *folders: Path) -> Request:
    return Request(
        model="demo-llama",
        name="ejected-of-a-test",
        device="cpu",
        engine="direct" if service == "api" else None,
        services=("chat",) if service == "chat" else (),
        ejected=tuple(map(str, folders)),
    )


def built(world: World, service: str, folder: Path, made: list[str]) -> tuple[ImageSpec, list[str]]:
    """Build a folder's image, and return it with the lines that the build said."""
    images = desire(world, request_for(service, folder)).images
    (image,) = (one for one in images if one.yours)
    made.append(image.reference)
    reporter = FakeReporter()
    make(world, image, reporter)
    return image, reporter.lines


def layers(reference: str) -> list[str]:
    (found,) = json.loads(docker("image", "inspect", reference))
    chain: list[str] = found["RootFS"]["Layers"]
    return chain


def said_by(image: ImageSpec, code: str) -> str:
    return docker(
        "run", "--rm", "--network=none", "--read-only", "--tmpfs=/tmp", "--env=HOME=/tmp",
        "--entrypoint=python", image.reference, "-c", code,
    ).strip()  # fmt: skip


def test_an_edit_of_the_page_makes_one_layer_anew(
    world: World, tmp_path: Path, made: list[str]
) -> None:
    folder = tmp_path / "page"
    eject(world, request_for("chat"), service="chat", output=folder)
    first, _ = built(world, "chat", folder, made)
    page = folder / "src" / "index.html"
    edited = f"{page.read_text(encoding='utf-8')}<!-- {uuid4()} -->\n"  # no layer has it yet
    page.write_text(edited, encoding="utf-8")
    second, lines = built(world, "chat", folder, made)
    below, before, after = (
        layers(one) for one in (first.parent, first.reference, second.reference)
    )
    assert before[: len(below)] == below
    assert after[:-1] == before[:-1]
    assert after[-1] != before[-1]
    steps = {line.split()[0]: line for line in lines if "] COPY src/" in line}
    cached = {line.split()[0] for line in lines if line.endswith(" CACHED")}
    assert [line.split()[-2] for key, line in steps.items() if key not in cached] == [
        "src/index.html"
    ]
    (found,) = json.loads(docker("image", "inspect", second.reference))
    assert found["Config"]["Labels"]["dev.ttctl.yours"] == "chat"


def test_the_users_packages_come_before_ours_in_one_layer(
    world: World, tmp_path: Path, made: list[str]
) -> None:
    folder = tmp_path / "api"
    eject(world, request_for("api"), service="api", output=folder)
    (folder / "src" / "ttctl_direct" / "mine.py").write_text("WORD = 'mine'\n", encoding="utf-8")
    (folder / "src" / "ttctl_serving" / "page.py").unlink()
    image, _ = built(world, "api", folder, made)
    assert len(layers(image.reference)) == len(layers(image.parent)) + 1
    where = "import ttctl_direct.mine as m, ttctl_serving as s, vllm; print(m.WORD, s.__file__)"
    assert said_by(image, where).splitlines()[-1] == "mine /opt/yours/ttctl_serving/__init__.py"
    gone = "import importlib.util as u; print(u.find_spec('ttctl_serving.page'))"
    assert said_by(image, gone) == "None"


def test_vllm_finds_the_users_plugin(world: World, tmp_path: Path, made: list[str]) -> None:
    folder = tmp_path / "vllm"
    eject(world, request_for("vllm"), service="vllm", output=folder)
    image, _ = built(world, "vllm", folder, made)
    code = (
        "from vllm.plugins import load_plugins_by_group as load\n"
        "print([one.__module__ for one in load('vllm.general_plugins').values()])"
    )
    assert "'ttctl_yours'" in said_by(image, code).splitlines()[-1]


@contextmanager
def compose_up(folder: Path, port: int) -> Iterator[str]:
    """Run a folder by plain compose, and yield where it answers."""
    words = ["docker", "compose", "--project-name", f"ttctl-test-{port}"]
    environ = {**os.environ, "TTCTL_PORT": str(port)}

    def compose(*more: str) -> None:
        done = subprocess.run(
            [*words, *more], cwd=folder, env=environ, capture_output=True, text=True, check=False,
            timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr

    try:
        compose("up", "--build", "--detach", "--wait")
        yield f"http://127.0.0.1:{port}/"
    finally:
        compose("down", "--timeout", "5")


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as found:
        port: int = found.getsockname()[1]
        return port


def test_an_edited_page_runs_its_script_and_its_style_alone_by_plain_compose(
    world: World, tmp_path: Path, made: list[str]
) -> None:
    folder = tmp_path / "page"
    eject(world, request_for("chat"), service="chat", output=folder)
    page = folder / "src" / "index.html"
    text = page.read_text(encoding="utf-8")
    text = text.replace("</style>", "h1 { color: rgb(1, 2, 3); }\n</style>")
    text = text.replace("</script>", 'document.title = "mine";\n</script>')
    page.write_text(f"{text}<!-- mine -->\n", encoding="utf-8")
    made.append("ttctl-chat-yours:local")
    complaints: list[str] = []
    with compose_up(folder, free_port()) as url, sync_playwright() as playwright:
        assert httpx2.get(url, timeout=10).text.endswith("<!-- mine -->\n")
        options = {"executable_path": CHROMIUM, "args": ["--no-sandbox"]}
        tab = playwright.chromium.launch(**options).new_page()
        tab.on("console", lambda said: complaints.append(said.text))
        tab.goto(url)
        expect(tab).to_have_title("mine")
        expect(tab.locator("h1")).to_have_css("color", "rgb(1, 2, 3)")
    assert complaints == []
