# SPDX-License-Identifier: Apache-2.0
"""Is each capability and each writable path of a contract needed, and no further one?"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from tests.standins.ground import LAUNCHER
from tests.standins.hand_launches import (
    CACHE,
    FORGE_METAL,
    HOME,
    LEGACY_CAPABILITIES,
    MEDIA_CAPABILITIES,
    METAL,
    READ_ONLY,
    capabilities,
    launch_of,
    media_as_root,
)
from tests.standins.servers.start import CLEAN_STOP

if TYPE_CHECKING:
    from tests.standins.ground import Ground

pytest_plugins = ["tests.standins.ground_fixture"]
pytestmark = pytest.mark.docker

WITHOUT = {
    "CHOWN": "failure while writing changes to /etc/gshadow",
    "FOWNER": "chmod: changing permissions",
    "SETGID": 'error: failed switching to "container_app_user": operation not permitted',
    "SETUID": 'error: failed switching to "container_app_user": operation not permitted',
}
"""A capability that is missing, and the words with which a step of the entrypoint ends."""


@pytest.mark.parametrize("missing", WITHOUT)
def test_a_legacy_server_does_not_start_with_a_capability_less(
    missing: str, ground: Ground
) -> None:
    code, said = launch_of("vllm-legacy", ground, (0,)).without(f"--cap-add={missing}").ended()
    assert code != 0
    assert WITHOUT[missing] in said


def test_without_fsetid_the_cache_loses_its_group_and_every_start_walks_all_of_it(
    ground: Ground,
) -> None:
    launch = launch_of("vllm-legacy", ground, (0,))
    for _ in range(2):
        with launch.without("--cap-add=FSETID").started() as running:
            running.healthy()
            assert "entrypoint: chmod" in running.log()
        assert ground.cache.stat().st_mode & 0o7777 == 0o775
        assert (ground.cache / "logs").stat().st_gid == 15863
    for again in (False, True):
        with launch.started() as running:
            running.healthy()
            assert ("entrypoint: chmod" in running.log()) is not again
    assert ground.cache.stat().st_mode & 0o7777 == 0o2775


def test_without_kill_a_stop_never_reaches_a_legacy_server(ground: Ground) -> None:
    launch = launch_of("vllm-legacy", ground, (0,))
    with launch.without("--cap-add=KILL").started() as running:
        running.healthy()
        assert running.stop()[0] not in {0, 143}
        assert CLEAN_STOP not in running.log()
        assert "forwarding signal: 'Operation not permitted'" in running.log()
    # Without a first process of the engine's own there is nobody to hand the signal on.
    with launch.without("--cap-add=KILL", "--init").started() as running:
        running.healthy()
        assert running.stop()[0] == 0
        assert CLEAN_STOP in running.log()


def test_no_capability_beyond_those_is_needed_whoever_owns_the_cache(ground: Ground) -> None:
    assert set(LEGACY_CAPABILITIES) == {*WITHOUT, "FSETID", "KILL"}
    old = ground.cache / "tt_metal_cache"
    old.mkdir(mode=0o700)
    (old / "tensor").write_text("x")
    for path in (old, old / "tensor"):
        os.chown(path, 15863, 15863)
    for owner in (LAUNCHER, 0, 15863, 1000):
        os.chown(ground.cache, owner, owner)
        ground.cache.chmod(0o777)
        with launch_of("vllm-legacy", ground, (0,)).started() as running:
            running.healthy()


@pytest.mark.parametrize("missing", [*WITHOUT, "DAC_OVERRIDE"])
def test_a_media_server_that_starts_as_root_needs_one_capability_more(
    missing: str, ground: Ground
) -> None:
    words = {**WITHOUT, "DAC_OVERRIDE": "mkdir: cannot create directory"}
    assert set(MEDIA_CAPABILITIES) == {*words, "FSETID", "KILL"}
    code, said = media_as_root(ground).without(f"--cap-add={missing}").ended()
    assert code != 0
    assert words[missing] in said


def test_a_media_server_that_starts_as_root_works_with_those(ground: Ground) -> None:
    with media_as_root(ground).started() as running:
        assert running.report()["user"]["uid"] == 1000
        assert running.stop()[0] == 0
        assert CLEAN_STOP in running.log()


def test_the_media_images_entrypoint_does_not_run_without_root(ground: Ground) -> None:
    launch = media_as_root(ground).without(*capabilities(*MEDIA_CAPABILITIES))
    code, said = launch.plus("--user=1000:1000").ended()
    assert code != 0
    assert "groupadd: Permission denied" in said
    code, said = launch.plus("--user=1000:1000", "--env=CACHE_ROOT=").ended()
    assert code != 0
    assert "failed switching to" in said


TMP = "/tmp"  # noqa: S108 - inside of a container
WRITTEN = [
    pytest.param(contract, target, id=f"{contract} {target}")
    for contract in READ_ONLY
    for target in {
        "vllm-current": (CACHE, f"{HOME}/logs", TMP),
        "media": (CACHE, f"{HOME}/logs", TMP, f"{METAL}/built"),
        "media-cpp": (CACHE, f"{HOME}/logs", TMP, f"{METAL}/built"),
        "forge": (CACHE, f"{HOME}/logs", TMP, f"{FORGE_METAL}/built"),
        "own": ("/cache", TMP),
    }[contract]
]


@pytest.mark.parametrize(("contract", "target"), WRITTEN)
def test_on_a_read_only_root_each_named_path_is_needed(
    contract: str, target: str, ground: Ground
) -> None:
    launch = launch_of(contract, ground, (0,))
    (flag,) = [
        flag
        for flag in launch.flags
        if f"--tmpfs={target}:" in flag or flag.endswith(f"target={target}")
    ]
    code, said = launch.without(flag).ended()
    assert code != 0
    assert "Read-only file system" in said
    assert target in said
