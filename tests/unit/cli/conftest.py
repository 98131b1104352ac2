# SPDX-License-Identifier: Apache-2.0
"""Commands as they are typed, on a machine that a test makes up."""

from __future__ import annotations

import shlex
import shutil
import signal
from typing import TYPE_CHECKING

import pytest
from tests.standins.roomy import FREE
from tests.standins.ttctl_beside import environ_in

from ttctl.cli.app import run_command
from ttctl.cli.door import split_flags, split_values

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """Return the variables of a user of the test's own."""
    return environ_in(tmp_path)


@pytest.fixture
def _handlers() -> Iterator[None]:
    """Put the signals back that a command sets for itself."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


class Typed:
    """Runs commands on a machine with or without cards."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, line: str) -> tuple[int, str, str]:
        words, values = split_values(shlex.split(line))
        code = run_command(*split_flags(words), values)
        got = self._capsys.readouterr()
        return code, got.out, got.err


@pytest.fixture
def typed(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    _handlers: None,
) -> Typed:
    """Return a machine without cards, under a root of its own, with room for any entry."""
    for name in ("XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    # Whether a hub or a registry answers here is no matter of these tests.
    monkeypatch.setenv("TTCTL_OFFLINE", "1")
    # Nor how full the disk is.
    usage = shutil.disk_usage
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(path)._replace(free=FREE))
    # Nor whether a container engine does.
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    root = tmp_path / "root"
    root.mkdir()
    monkeypatch.setenv("TTCTL_DEVICE_ROOT", str(root))
    return Typed(capsys)
