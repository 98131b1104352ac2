# SPDX-License-Identifier: Apache-2.0
"""Which containers serve an entry that spans several hosts? Pure. Rendered, never started.

On each host a worker waits for ssh; on the first, the server starts one process in each of them.

Source: tenstorrent/tt-inference-server:workflows/multihost_orchestrator.py@v0.12.0 and
vllm-tt-metal/multihost_entrypoint.sh@v0.12.0.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ttctl.model.contract import WHOLE
from ttctl.model.service import Exemption, Mount
from ttctl.rules.cluster import CLUSTER, PICKLES, SHARED, SSH_PORT
from ttctl.rules.device_sizes import SIZES
from ttctl.rules.hugepages import nodes_of
from ttctl.rules.launch import engine_service
from ttctl.rules.launch_mounts import ENGINE_SECRETS, LAUNCH_FOLDER

if TYPE_CHECKING:
    from ttctl.model.contract import LaunchContract, LaunchHost
    from ttctl.model.lock import LockedWeights
    from ttctl.model.service import Confinement, ServiceSpec
    from ttctl.model.spec import ModelSpec

ENTRYPOINT = "/usr/local/bin/multihost_entrypoint.sh"
FOLDER = "${TTCTL_CLUSTER:?the folder that hosts.sh makes}"
STORAGE = "${TTCTL_SHARED:?the folder that all hosts share}"
NAMES = "${TTCTL_HOSTS:?the names of all hosts in order}"
WIRE = "${TTCTL_INTERFACE:?the network interface between the hosts}"
PLACE = (("ETH", WIRE), ("HOSTS", NAMES), ("NCCL_SOCKET_IFNAME", WIRE))
"""What the server is told of the place."""
READY_S = 60
"""How long upstream waits for its workers, seconds.

Source: workflows/multihost_orchestrator.py@v0.12.0, wait_for_workers_ready
"""
ANSWERS = f"""\
exec 3<>/dev/tcp/127.0.0.1/{SSH_PORT} && read -r -t 5 line <&3 && [[ $line == SSH-2.0-* ]]"""


def host_services(
    spec: ModelSpec,
    contract: LaunchContract,
    *,
    image: str,
    weights: LockedWeights,
    host: LaunchHost = WHOLE,
) -> tuple[tuple[ServiceSpec, ...], ...]:
    """Return the containers of each host: a worker on every one, and the server on the first.

    What is started first stands first, and is ended last.
    """
    hosts = SIZES[spec.device].hosts
    each = replace(host, nodes=nodes_of(spec.device, ()) // hosts)
    served = engine_service(spec, contract, image=image, weights=weights, host=each)
    server = replace(served, networks=())
    workers = tuple(_worker(server, rank) for rank in range(hosts))
    return ((workers[0], _controller(server)), *((worker,) for worker in workers[1:]))


def door_port(contract: LaunchContract) -> int:
    """Return the port of the gateway where nobody asked for another.

    The server listens on the host's own network, so its port is taken there, and what follows it
    is what further servers of a host are given. 80 beyond, 8080, is where a door in HTTP is usual.
    """
    return contract.port + 80


def shared_folders(server: ServiceSpec) -> tuple[str, ...]:
    """Return the folders of the shared storage that must be there before the start."""
    under = f"{SHARED}/"
    told = [value for _, value in server.environment if value.startswith(under)]
    return (PICKLES, *(value.removeprefix(under) for value in told))


def is_made_for_hosts(image: str) -> bool:
    """Return whether an image has the ssh server and the entrypoint, by its name.

    Source: tenstorrent/tt-inference-server:scripts/build_docker_images.py@v0.12.0
    """
    return "-multihost-" in image.partition("@")[0].rpartition("/")[2]


def _controller(server: ServiceSpec) -> ServiceSpec:
    return replace(
        server,
        place_environment=PLACE,
        mounts=(*server.mounts, _shared(), Mount(source=FOLDER, target=CLUSTER)),
        confinement=_with_shared(server.confinement),
    )


def _worker(server: ServiceSpec, rank: int) -> ServiceSpec:
    """Return the container in which the server starts the process of one rank.

    It reads neither the server's settings nor its key; what its process is told comes over ssh.
    """
    own = {mount.target for mount in server.mounts if _is_the_servers(mount)}
    kept = tuple(mount for mount in server.mounts if mount.target not in own)
    key = Mount(source=f"{FOLDER}/worker", target=CLUSTER)
    held = server.confinement
    needed = tuple(one for one in held.exemptions if one.value not in own)
    environment = {
        "MULTIHOST_ROLE": "worker",
        "PUBKEY_SRC": f"{CLUSTER}/authorized_keys.pub",
        "SSH_PORT": str(SSH_PORT),
    }
    return replace(
        server,
        name=f"worker-{rank}",
        entrypoint=(ENTRYPOINT,),
        command=(),
        environment=tuple(sorted(environment.items())),
        mounts=(*kept, _shared(), key),
        health=replace(server.health, test=("CMD", "bash", "-c", ANSWERS), start_period_s=READY_S),
        inputs=tuple(one for one in server.inputs if one[0] in {"weights", "launch/refs/main"}),
        confinement=_with_shared(replace(held, exemptions=needed)),
    )


def _is_the_servers(mount: Mount) -> bool:
    written = not mount.read_only and not mount.target.startswith("/dev/")
    return written or mount.source in {LAUNCH_FOLDER, ENGINE_SECRETS}


def _shared() -> Mount:
    return Mount(source=STORAGE, target=SHARED, read_only=False)


def _with_shared(held: Confinement) -> Confinement:
    shared = Exemption(
        what="writable path",
        value=SHARED,
        reason="the server hands its settings to all hosts there, and converted tensors are kept",
        source="tenstorrent/tt-inference-server:workflows/multihost_orchestrator.py@v0.12.0",
    )
    return replace(held, exemptions=(*held.exemptions, shared))
