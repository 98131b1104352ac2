# SPDX-License-Identifier: Apache-2.0
"""On the real engine: what compose starts from a stack passes the checks, and what differs fails.

The node is made up: a device file of the kernel's memory device. Locked memory is left out: an
engine without that right of its own cannot give it.
"""

from __future__ import annotations

import json
import os
import subprocess
import uuid
from typing import TYPE_CHECKING

import pytest
from tests.standins.nodes import as_root, device_file
from tests.standins.product_images import product_images

from ttctl.adapters.container_seen import seen
from ttctl.model.image import BaseImage
from ttctl.model.lock import Lock, LockedImage, LockedWeights
from ttctl.model.service import (
    Confinement,
    HealthCheck,
    Mount,
    Network,
    Scratch,
    ServiceSpec,
    Stack,
)
from ttctl.rules.acceptance_seen import env_values, looked_at, why_not_locked
from ttctl.rules.compose import compose_of
from ttctl.rules.dotenv import dotenv_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.docker, as_root]
HEALTH = HealthCheck(test=("CMD", "true"), interval_s=60, timeout_s=5, retries=1, start_period_s=1)
ENV = ".env"


def stack_of(image: str) -> Stack:
    engine = ServiceSpec(
        name="vllm",
        image=image,
        entrypoint=("sleep",),
        command=("600",),
        networks=("back",),
        health=HEALTH,
        memory_mib=128,
        shm_mib=32,
        pids=64,
        tmpfs_mib=8,
        restart="no",
        nodes=1,
        confinement=Confinement(
            user="1000:1000", capabilities=("CHOWN", "SETGID"), groups=("4242",)
        ),
        scratch=(Scratch(target="/scratch", size_mib=4, executable=True),),
        mounts=(
            Mount(source="${TTCTL_WEIGHTS:?weights}", target="/models"),
            Mount(source="./spec", target="/spec", read_only=False),
        ),
    )
    door = ServiceSpec(
        name="gateway",
        image=image,
        entrypoint=("sleep",),
        command=("600",),
        networks=("back", "front"),
        publish=8080,
        health=HEALTH,
        memory_mib=64,
        pids=16,
        tmpfs_mib=4,
        restart="unless-stopped",
    )
    return Stack(
        name=f"accept-{uuid.uuid4().hex[:8]}",
        model="acme/Small-1B",
        port=0,
        services=(engine, door),
        networks=(Network(name="front", internal=False), Network(name="back", internal=True)),
        device="n150",
        contract="vllm-current",
        boards=("0100",),
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A rendered folder's .env file, with the node that it names."""
    device_file(tmp_path / "node", 1, 5)
    for name in ("spec", "weights"):
        (tmp_path / name).mkdir()
    return tmp_path


@pytest.fixture
def up(folder: Path) -> Iterator[tuple[Stack, dict[str, str], Path]]:
    """A stack that compose started, the values of its folder, and the folder."""
    stack = stack_of(product_images()["base"])
    values = {
        "TTCTL_NODE_0": f"{folder}/node:/dev/tenstorrent/0",
        "TTCTL_WEIGHTS": str(folder / "weights"),
        "TTCTL_OWNER": "test",
        "TTCTL_PORT": "0",
    }
    (folder / ENV).write_text(dotenv_text(values))
    (folder / "compose.yaml").write_text(json.dumps(compose_of(stack)))
    compose = ["docker", "compose", "--project-directory", str(folder)]
    try:
        done = subprocess.run(
            [*compose, "up", "--detach"], check=False, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        yield stack, env_values((folder / ENV).read_text()), folder
    finally:
        subprocess.run([*compose, "down", "--timeout", "0"], check=True, capture_output=True)


def failing(stack: Stack, values: dict[str, str], folder: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    for service in stack.services:
        asked = ["docker", "inspect", "--format", "{{.Id}}", f"{stack.project}-{service.name}-1"]
        container = subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip()
        here = seen(dict(os.environ), container)
        looked = looked_at(stack, service, here, values=values, folder=str(folder))
        found |= {one.check.name: one.detail for one in looked if one.detail}
    return found


def test_what_compose_starts_is_seen_as_it_was_wanted(
    up: tuple[Stack, dict[str, str], Path],
) -> None:
    assert failing(*up) == {}


def test_an_image_of_ours_is_the_locked_one_by_its_fingerprint(
    up: tuple[Stack, dict[str, str], Path],
) -> None:
    stack, _, _ = up
    name = f"{stack.project}-vllm-1"
    asked = ["docker", "inspect", "--format", "{{.Id}}", name]
    container = subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip()
    here = seen(dict(os.environ), container)
    assert len(here.fingerprint) == 64

    def lock(fingerprint: str) -> Lock:
        image = LockedImage(name="base", reference=here.image, fingerprint=fingerprint)
        return Lock(
            stack=stack.name, requested="x", model="x", device="n150", engine="vllm", reason="",
            max_model_len=16, max_num_seqs=1, block_size=1, port=8000,
            base=BaseImage(origin="site", reference="x"), images=(image,),
            weights=LockedWeights(kind="hub", repository="x", revision="", files=()),
            catalog_sha256="0" * 64,
        )  # fmt: skip

    assert why_not_locked(here, lock(here.fingerprint)) == ""
    assert "something else" in why_not_locked(here, lock("0" * 64))


def test_an_override_of_the_users_is_seen(up: tuple[Stack, dict[str, str], Path]) -> None:
    stack, values, folder = up
    loose = {
        "services": {
            "vllm": {"cap_add": ["NET_ADMIN"], "stop_grace_period": "10s", "shm_size": "16m"}
        }
    }
    (folder / "compose.override.yaml").write_text(json.dumps(loose))
    again = ["docker", "compose", "--project-directory", str(folder), "up", "--detach"]
    subprocess.run([*again, "--timeout", "0"], check=True, capture_output=True)
    assert set(failing(stack, values, folder)) == {
        "vllm: capabilities kept", "vllm: time to stop", "vllm: shared memory"
    }  # fmt: skip
