# SPDX-License-Identifier: Apache-2.0
"""Is each thing in which a container is not what was wanted seen, and nothing else?"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.accepted import as_wanted

from ttctl.model.image import BaseImage
from ttctl.model.lock import Lock, LockedImage, LockedWeights
from ttctl.model.service import Confinement, HealthCheck, Mount, Scratch, ServiceSpec, Stack
from ttctl.rules.acceptance_seen import (
    env_values,
    filled,
    looked_at,
    missing,
    named_image,
    why_not_locked,
)
from ttctl.rules.dotenv import dotenv_text

VALUES = {
    "TTCTL_NODE_0": "/dev/tenstorrent/3:/dev/tenstorrent/3",
    "TTCTL_WEIGHTS": "/cache/weights",
    "TTCTL_RENDER": "990",
}
IMAGE = f"registry.example.org/acme/vllm@sha256:{'a' * 64}"
SERVICE = ServiceSpec(
    name="vllm",
    image=IMAGE,
    networks=("back",),
    health=HealthCheck(test=(), interval_s=1, timeout_s=1, retries=1, start_period_s=1),
    memory_mib=4096,
    shm_mib=64,
    pids=512,
    tmpfs_mib=64,
    restart="no",
    nodes=1,
    confinement=Confinement(capabilities=("CHOWN", "SETGID"), ipc="host", groups=("990",)),
    scratch=(Scratch(target="/var/x", size_mib=4),),
    mounts=(
        Mount(source="${TTCTL_WEIGHTS:?the weights}", target="/models"),
        Mount(source="./spec", target="/spec"),
    ),
)
STACK = Stack(
    name="llama", model="acme/Small-1B", port=8000, services=(SERVICE,), networks=(),
    device="n150", contract="vllm-current", boards=("0100",),
)  # fmt: skip
GOOD = as_wanted(STACK, SERVICE, values=VALUES)


def failing(**changes: Any) -> dict[str, str]:  # noqa: ANN401
    """Return what is seen of a container with some things changed, by the check's name."""
    looked = looked_at(STACK, SERVICE, replace(GOOD, **changes), values=VALUES, folder="/folder")
    assert all(bool(one.detail) == (one.check.outcome == "failed") for one in looked)
    return {one.check.name.partition(": ")[2]: one.detail for one in looked if one.detail}


def test_a_container_that_is_as_wanted_passes_every_check() -> None:
    assert failing() == {}
    assert len(looked_at(STACK, SERVICE, GOOD, values=VALUES, folder="/folder")) == 22


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("user", {"user": "0:0"}),
        ("root file system", {"read_only": False}),
        ("capabilities dropped", {"cap_drop": ()}),
        ("capabilities kept", {"cap_add": ("ALL",)}),
        ("not privileged", {"privileged": True}),
        ("new privileges", {"security": ()}),
        ("ipc", {"ipc": "private"}),
        ("locked memory", {"memlock": True}),
        ("groups", {"groups": ()}),
        ("shared memory", {"shm_bytes": 32 << 30}),
        ("memory", {"memory_bytes": 0}),
        ("no swap", {"swap_bytes": -1}),
        ("processes", {"pids": 0}),
        ("time to stop", {"stop_s": 10}),
        ("restart", {"restart": "always"}),
        ("image", {"image": "another"}),
        ("device nodes", {"nodes": ("/dev/tenstorrent:/dev/tenstorrent",)}),
        (
            "mounts",
            {"mounts": (("/cache/weights", "/models", False), ("/folder/spec", "/spec", True))},
        ),
        ("folders in memory", {"scratch": ("/tmp",)}),  # noqa: S108
        ("networks", {"networks": ("bridge", "ttctl-llama_back")}),
        ("ports", {"published": (("0.0.0.0", 8000, 8000),)}),  # noqa: S104
        ("lease", {"labels": ()}),
    ],
)
def test_what_differs_is_told_by_its_name_and_nothing_else_is(
    name: str, changes: dict[str, Any]
) -> None:
    assert list(failing(**changes)) == [name]


def test_a_node_that_the_folder_does_not_name_is_seen() -> None:
    looked = looked_at(STACK, SERVICE, GOOD, values={}, folder="/folder")
    assert "vllm: device nodes" in [one.check.name for one in looked if one.detail]


def test_a_service_without_a_container_failed() -> None:
    assert missing(SERVICE).check.outcome == "failed"


def test_the_folders_own_file_is_read_as_it_is_written() -> None:
    assert env_values(dotenv_text(VALUES)) == VALUES


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${TTCTL_WEIGHTS:?the weights}/x", "/cache/weights/x"),
        ("${TTCTL_BIND:-127.0.0.1}", "127.0.0.1"),
        ("${NONE}", ""),
        ("plain", "plain"),
    ],
)
def test_variables_are_filled_in_as_compose_does(text: str, value: str) -> None:
    assert filled(text, VALUES) == value


LISTED = "registry.example.org/acme/vllm:0.18.0"


@pytest.mark.parametrize(
    ("image", "fingerprint", "named"),
    [
        pytest.param(LISTED, "", LISTED, id="the listed one"),
        pytest.param(
            f"mirror.example.org/x/vllm:0.18.0@sha256:{'a' * 64}", "", LISTED, id="mirror"
        ),
        pytest.param(IMAGE, "", LISTED, id="by digest alone"),
        pytest.param("ttctl/vllm:1", "f" * 64, LISTED, id="built from the pins"),
        pytest.param("mirror.example.org/x/vllm:0.20.0", "", "vllm:0.20.0", id="another tag"),
        pytest.param("mirror.example.org/x/media:1", "", "media:1", id="another image"),
    ],
)
def test_a_result_names_the_image_that_ran_and_no_mirror(
    image: str, fingerprint: str, named: str
) -> None:
    assert named_image(LISTED, replace(GOOD, image=image, fingerprint=fingerprint)) == named
    assert named_image(LISTED, None) == LISTED


def lock(reference: str, fingerprint: str = "f" * 64) -> Lock:
    return Lock(
        stack="llama", requested="llama", model="m", device="n150", engine="vllm", reason="",
        max_model_len=16, max_num_seqs=1, block_size=1, port=8000,
        base=BaseImage(origin="site", reference="x"),
        images=(LockedImage(name="vllm", reference=reference, fingerprint=fingerprint),),
        weights=LockedWeights(kind="hub", repository="m", revision="", files=()),
        catalog_sha256="0" * 64,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("reference", "changes", "said"),
    [
        pytest.param(IMAGE, {}, "", id="by its digest"),
        pytest.param(IMAGE, {"digests": (f"sha256:{'c' * 64}",)}, "another digest", id="moved"),
        pytest.param(IMAGE, {"image": "other"}, "not in the lock", id="another one"),
        pytest.param("ttctl/x:1", {"fingerprint": "f" * 64}, "", id="built here"),
        pytest.param("ttctl/x:1", {"fingerprint": "e" * 64}, "something else", id="built anew"),
        pytest.param("ttctl/x:1", {}, "neither", id="nobody knows"),
        pytest.param("acme/x:1", {"digests": (f"sha256:{'f' * 64}",)}, "", id="pulled by a tag"),
    ],
)
def test_an_image_that_is_not_the_locked_one_is_seen(
    reference: str, changes: dict[str, Any], said: str
) -> None:
    seen = replace(GOOD, **{"image": reference, **changes})
    found = why_not_locked(seen, lock(reference))
    assert said in found
    assert bool(said) == bool(found)
