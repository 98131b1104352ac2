# SPDX-License-Identifier: Apache-2.0
"""Do containers of each contract start under exactly what they are granted, and under no less?

The images stand in for the prebuilt ones, the device nodes are made up, the engine is real. What
passes here passes every check that we know of; it was not yet run on a card.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import docker
import pytest
from tests.standins.ground import ground_of
from tests.standins.hand_launches import (
    HELD,
    HOST_IPC,
    HUGEPAGES,
    MODEL,
    READ_ONLY,
    flag_of,
    launch_of,
)
from tests.standins.machines import KINDS
from tests.standins.nodes import made_nodes
from tests.standins.place import real_place
from tests.standins.registry import registry
from tests.standins.server_images import CONTRACTS, served_from, standin_image

if TYPE_CHECKING:
    from tests.standins.ground import Ground

pytest_plugins = ["tests.standins.ground_fixture"]
pytestmark = pytest.mark.docker
UIDS = {"vllm-legacy": 15863}


@pytest.mark.parametrize("contract", CONTRACTS)
def test_a_server_of_each_contract_is_healthy_and_finds_all_that_it_needs(
    contract: str, ground: Ground
) -> None:
    launch = launch_of(contract, ground, (1,))
    with launch.started() as running:
        report = running.report()
        memlock, _ = report["memlock"]
        assert [place for place in report["places"] if not place["ok"]] == []
        assert report["user"]["uid"] == UIDS.get(contract, 1000)
        assert report["capabilities"] == []
        assert report["no_new_privileges"]
        assert report["seccomp"]
        assert report["secrets"] == []
        assert report["hugepages"]["mounted"]
        assert report["root"]["writable"] is (contract not in READ_ONLY)
        host = Path("/proc/self/ns/ipc").readlink()
        assert (report["ipc"] == str(host)) is (contract in HOST_IPC)
        assert f"--ulimit=memlock={memlock}:{memlock}" in launch.flags
        assert report["shm_bytes"] >= (32 << 30 if contract == "vllm-legacy" else 1)


@pytest.mark.parametrize("contract", CONTRACTS)
def test_a_container_opens_its_own_nodes_and_no_other(contract: str, ground: Ground) -> None:
    every = f"--mount=type=bind,source={ground.nodes.folder},target=/every"
    look = "import json; from tests.standins.servers.device_nodes import *;"
    look += "print(json.dumps(opened(Path('/every'))))"
    with launch_of(contract, ground, (1, 3)).plus(every).started() as running:
        nodes = running.report()["nodes"]
        assert [node["path"] for node in nodes] == ["/dev/tenstorrent/1", "/dev/tenstorrent/3"]
        assert [node["error"] for node in nodes] == ["ENXIO", "ENXIO"]
        # Even where the others' nodes are seen, the engine lets nobody at them.
        others = json.loads(running.inside("python3", "-c", look))
    minors = ground.nodes.minors()
    assert [node["minor"] for node in others] == list(minors)
    assert [node["error"] for node in others] == ["EPERM", "ENXIO", "EPERM", "ENXIO"]


def test_two_containers_have_no_node_in_common(ground: Ground) -> None:
    with (
        launch_of("vllm-current", ground, (0, 1)).started() as one,
        launch_of("media", ground, (2, 3)).started() as other,
    ):
        seen = [{node["minor"] for node in each.report()["nodes"]} for each in (one, other)]
    assert [len(each) for each in seen] == [2, 2]
    assert seen[0].isdisjoint(seen[1])


@pytest.mark.parametrize("device", ["n150", "n300", "t3k", "p150x4", "p300x2", "galaxy"])
def test_every_node_of_a_machine_is_another_and_of_a_driver_that_is_not_there(
    device: str, tmp_path: Path
) -> None:
    made = made_nodes(tmp_path, device)
    kind = KINDS[device]
    assert [path.name for path in made.paths] == [
        str(number) for number in range(kind.boards * kind.local)
    ]
    assert len(set(made.minors())) == len(made.paths)
    with pytest.raises(OSError, match="No such device or address"):
        made.paths[0].open("rb")
    named = Path(tmp_path, "sys/class/tenstorrent/tenstorrent!0/tt_card_type").read_text("utf-8")
    assert named.strip() == kind.card


def test_nodes_that_only_a_group_may_open_need_that_group(tmp_path: Path) -> None:
    with ground_of(tmp_path, "n150") as ground:
        (node,) = ground.nodes.paths
        node.chmod(0o660)
        os.chown(node, 0, 4242)
        launch = launch_of("vllm-current", ground, (0,))
        with launch.started() as running:
            assert [one["error"] for one in running.report()["nodes"]] == ["EACCES"]
        with launch.plus("--group-add=4242").started() as running:
            assert [one["error"] for one in running.report()["nodes"]] == ["ENXIO"]


def test_weights_that_can_be_written_are_seen(ground: Ground) -> None:
    launch = launch_of("vllm-current", ground, (0,))
    hub = flag_of(launch, f"source={ground.folder}/hub")
    for path in (ground.folder / "hub").rglob("*"):
        path.chmod(0o777)
    with launch.without(hub).plus(hub.removesuffix(",readonly")).started() as running:
        wrong = [place for place in running.report()["places"] if not place["ok"]]
    assert [(place["want"], "writable" in place["error"]) for place in wrong] == [("keep", True)]


def test_a_snapshot_without_its_repository_is_full_of_broken_links(ground: Ground) -> None:
    launch = launch_of("vllm-current", ground, (0,))
    hub = flag_of(launch, f"source={ground.folder}/hub")
    inside = ground.folder / "hub/models--stand-in--tiny/snapshots/0123"
    alone = f"--mount=type=bind,source={inside},target={MODEL},readonly"
    code, said = launch.without(hub).plus(alone).ended()
    assert code == 1
    assert "No such file or directory" in said


def test_hugepages_elsewhere_are_none(ground: Ground) -> None:
    launch = launch_of("own", ground, (0,))
    flag = flag_of(launch, f"target={HUGEPAGES}")
    with launch.without(flag).plus(flag.replace(HUGEPAGES, "/hugepages")).started() as running:
        assert not running.report()["hugepages"]["mounted"]


def test_the_flags_that_every_contract_has_are_seen_from_inside(ground: Ground) -> None:
    launch = launch_of("own", ground, (0,))
    with launch.without(HELD[0]).started() as running:
        assert "CHOWN" in running.report()["bounding"]
    with launch.without(HELD[1]).started() as running:
        assert not running.report()["no_new_privileges"]
    with launch.plus("--env=HF_TOKEN=hf_x").started() as running:
        assert running.report()["secrets"] == ["HF_TOKEN"]


def test_a_stand_in_is_pulled_from_a_registry_by_its_digest(ground: Ground) -> None:
    client = docker.from_env()
    path = "tenstorrent/tt-inference-server/vllm-tt-metal-src-release-ubuntu-22.04-amd64"
    image = standin_image("vllm-current")
    with registry() as address:
        named = served_from(address, image, path, "0.20.0-0123456-89abcde")
        with pytest.raises(docker.errors.ImageNotFound):
            client.images.get(named)
        digest = client.api.inspect_distribution(named)["Descriptor"]["digest"]
        reference = f"{address}/{path}@{digest}"
        world = real_place()
        world.builder.pull(reference, world.reporter)
        try:
            with launch_of("vllm-current", ground, (0,)).of(reference).started() as running:
                running.healthy()
        finally:
            client.images.remove(reference, force=True)
    assert client.images.get(image)
