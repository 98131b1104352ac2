# SPDX-License-Identifier: Apache-2.0
"""A project's folder: after `init`, no verb in it or below it needs an argument."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.e2e.driver import START_S, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.e2e.driver import Ttctl

pytestmark = pytest.mark.docker


@pytest.fixture
def project(ttctl: Ttctl, tmp_path: Path) -> Iterator[Ttctl]:
    """Make a project's folder and give ttctl as it is typed below it."""
    name = f"project-{secrets.token_hex(4)}"
    folder = tmp_path / name
    ttctl.run("init", str(folder), "demo-llama", "--device", "cpu", "--port", str(free_port()))
    (folder / "src").mkdir()
    try:
        yield replace(ttctl, home=folder / "src")
    finally:
        ttctl.run("down", "--project", name, "--volumes", limit_s=300)


def test_a_project_is_brought_up_asked_and_taken_down_without_a_word(
    project: Ttctl, tmp_path: Path
) -> None:
    folder = project.home.parent
    locked = (folder / "ttctl.lock").read_bytes()
    up = project.run("up", "--json", limit_s=START_S).data
    assert (up["stack"], up["model"], up["answers"]) == (folder.name, "demo-llama", True)
    assert (folder / "ttctl.lock").read_bytes() == locked
    # A second folder is a stack of its own, which is not up.
    other = tmp_path / f"{folder.name}-second"
    project.run("init", str(other), "demo-llama", "--device", "cpu")
    beside = replace(project, home=other)
    assert beside.run("status", "--json").data["state"] == "unstarted"
    assert project.run("status", "--json").data["state"] == "ready"
    assert project.run("chat", "Hello", "--json").data["text"]
    listed = project.run("ps", "-a", "--json").data
    assert {one["stack"] for one in listed} >= {folder.name}
    beside.run("down", "--volumes")
    assert project.run("status", "--json").data["state"] == "ready"
    project.run("down", limit_s=300)
    assert project.run("status", "--json").data["state"] == "stopped"
