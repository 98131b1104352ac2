# SPDX-License-Identifier: Apache-2.0
"""What of a cache that another user left can an image below 0.11.0 put right by itself?"""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest
from tests.standins.ground import LAUNCHER
from tests.standins.hand_launches import CACHE, launch_of

from ttctl.adapters.engine_files import LocalEngineFiles
from ttctl.errors import PrivilegeError

if TYPE_CHECKING:
    from pathlib import Path

    from tests.standins.ground import Ground

pytest_plugins = ["tests.standins.ground_fixture"]
pytestmark = pytest.mark.docker

SERVER, OTHER = 15863, 4321
FRESH, KEPT = 0o777, 0o2775
WRITE = f"touch {CACHE}/tt_metal_cache/new && echo written"


def folder(ground: Ground, owner: int, mode: int) -> None:
    """Leave a folder with a file in the cache."""
    made = ground.cache / "tt_metal_cache"
    made.mkdir()
    (made / "tensor").write_text("x")
    for path in (made / "tensor", made):
        os.chown(path, owner, owner)
    made.chmod(mode)


def writes(ground: Ground) -> bool:
    """Start a server and say whether it could write that folder; one that cannot ends."""
    with launch_of("vllm-legacy", ground, (0,)).started() as running:
        try:
            running.healthy()
        except AssertionError:
            return False
        return "written" in running.inside("gosu", "container_app_user", "sh", "-c", WRITE)


def refusal(ground: Ground) -> PrivilegeError | None:
    """Return what a start says of this cache before it makes a container."""
    nowhere: Path = ground.folder / "state"
    files = LocalEngineFiles(
        ground.cache.parent, home=lambda _: nowhere, secrets=lambda _: nowhere
    )  # fmt: skip
    try:
        files.prepare(ground.cache.name, (".",), user=None)
    except PrivilegeError as error:
        return error
    return None


@pytest.mark.parametrize("top", [FRESH, KEPT], ids=["a fresh cache", "a shared one"])
@pytest.mark.parametrize(
    ("owner", "mode"),
    [
        pytest.param(0, 0o755, id="made under sudo"),
        pytest.param(OTHER, 0o700, id="of another user"),
        pytest.param(OTHER, 0o777, id="of another user, open to all"),
        pytest.param(LAUNCHER, 0o755, id="of who launches"),
        pytest.param(LAUNCHER, 0o777, id="as ttctl makes it"),
        pytest.param(SERVER, 0o700, id="of the server"),
    ],
)
def test_a_start_is_refused_for_exactly_the_folders_that_the_server_could_not_write(
    ground: Ground, owner: int, mode: int, top: int
) -> None:
    folder(ground, owner, mode)
    ground.cache.chmod(top)
    refused = refusal(ground)
    assert writes(ground) is (refused is None)


def test_what_is_said_to_be_typed_makes_it_work(ground: Ground) -> None:
    folder(ground, 0, 0o755)
    ground.cache.chmod(KEPT)
    refused = refusal(ground)
    assert refused is not None
    typed = refused.next_step.replace("sudo ", "")
    subprocess.run(["bash", "-c", typed], check=True)
    assert refusal(ground) is None
    assert writes(ground)
