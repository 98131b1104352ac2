# SPDX-License-Identifier: Apache-2.0
"""One wheel, one installation and one running stack for all tests that only look."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import venv
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.e2e.driver import ROOT, Stack, Ttctl, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

LAST = ("test_lifecycle.py", "test_kills.py")
"""These change the stack, so they come when everything else has looked at it."""
PASSED_ON = ("PATH", "HOME", "USER", "LANG", "NO_PROXY", "no_proxy")
PLACE = ("PIP_", "DOCKER_", "TTCTL_", "SSL_CERT", "REQUESTS_CA", "CURL_CA")
"""What a place says of itself. Everything else of the caller is left out."""
NO_HUB = "http://127.0.0.1:9"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests that change the stack behind those that only look."""
    here = Path(__file__).parent
    last = {here / name: place for place, name in enumerate(LAST)}
    items.sort(key=lambda item: last.get(item.path, -1))


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel of this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--wheel-dir", str(folder)]
    subprocess.run([*command, str(ROOT)], check=True, capture_output=True, timeout=600)
    (found,) = folder.glob("ttctl-*.whl")
    return found


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel into a new environment and return the program."""
    folder = tmp_path_factory.mktemp("installed") / "venv"
    venv.create(folder, with_pip=True)
    command = [str(folder / "bin" / "pip"), "install", "--quiet", str(wheel)]
    subprocess.run(command, check=True, capture_output=True, timeout=600)
    return folder / "bin" / "ttctl"


@pytest.fixture(scope="session")
def ttctl(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Ttctl:
    """Return the program with folders of its own, on a machine that no model hub reaches."""
    home = tmp_path_factory.mktemp("home")
    for name in ("state", "config", "cache", "work"):
        (home / name).mkdir()
    config = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    if (config / "pip").is_dir():
        (home / "config" / "pip").symlink_to(config / "pip")
    environ = {
        name: value
        for name, value in os.environ.items()
        if name in PASSED_ON or name.startswith(PLACE) or name.lower().endswith("_proxy")
    }
    folders = {
        f"XDG_{name.upper()}_HOME": str(home / name) for name in ("state", "config", "cache")
    }
    return Ttctl(
        program=installed,
        home=home / "work",
        environ={**environ, **folders, "TTCTL_HUB_ENDPOINT": NO_HUB},
    )


@pytest.fixture(scope="session")
def stack(ttctl: Ttctl) -> Iterator[Stack]:
    """Bring one stack up for the whole run; it is removed at the end, also after a failure."""
    one = Stack(ttctl=ttctl, name=f"e2e-{secrets.token_hex(4)}", port=free_port())
    try:
        first = one.up()
        (ttctl.home / "first-up.txt").write_text(first.out)
        (ttctl.home / "first-up-progress.txt").write_text(first.err)
        yield one
    finally:
        one.remove()


@pytest.fixture
def card(stack: Stack) -> str:
    """Return what the first `up` printed."""
    return (stack.ttctl.home / "first-up.txt").read_text()
