# SPDX-License-Identifier: Apache-2.0
"""Make the files of a rendered folder that an entry over several hosts has besides.

The first host's files are the folder itself; each further host has a folder in it, complete.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.rules.cluster import SSH_PORT
from ttctl.rules.device_sizes import SIZES
from ttctl.rules.dotenv import dotenv_text
from ttctl.rules.launch import DEFAULT_START_S
from ttctl.rules.multihost import is_made_for_hosts, shared_folders
from ttctl.rules.place_variables import meanings
from ttctl.rules.prepare_script import Needs
from ttctl.rules.renderings import files_of
from ttctl.rules.used_variables import variables_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ttctl.model.lock import Lock
    from ttctl.model.plan import StackForm
    from ttctl.model.protocols import World
    from ttctl.model.service import Stack
    from ttctl.operations.serving import Serving

HOSTS_PAGE = "HOSTS.md"

Files = dict[str, tuple[str, bool]]


def place_to_fill_in(hosts: int) -> dict[str, str]:
    """Return the variables that no machine knows; `hosts.sh` refuses a name with `.example`."""
    return {
        "TTCTL_CLUSTER": "./cluster",
        "TTCTL_HOSTS": ",".join(f"host-{number}.example" for number in range(1, hosts + 1)),
        "TTCTL_INTERFACE": "interface.example",
        "TTCTL_SHARED": "/shared.example",
    }


def host_files(
    world: World,
    *,
    lock: Lock,
    stack: Stack,
    serving: Serving,
    dotenv: Mapping[str, str],
    forms: tuple[StackForm, ...],
) -> Files:
    """Return path to (text, executable) of what several hosts need; nothing for one host."""
    if not serving.further:
        return {}
    values = {**_values(world, lock, stack), "forms": forms}
    needs = (Needs(weights=lock.weights),)
    files: Files = {
        HOSTS_PAGE: (world.recipes.template("hosts/HOSTS.md.j2", values), False),
        "hosts.sh": (world.recipes.template("hosts/hosts.sh.j2", values), True),
    }
    for number, other in enumerate(serving.further, start=2):
        own = {name: dotenv[name] for name in variables_of(other) if name in dotenv}
        told = {
            **values,
            "number": number,
            "worker": other.engine.name,
            "variables": meanings(own),
        }
        found: Files = {
            **files_of(other, forms, yaml=world.recipes.yaml, needs=needs),
            ".env": (dotenv_text(own), False),
            "README.md": (world.recipes.template("hosts/README.md.j2", told), False),
            **_worker_files(serving),
        }
        files |= {f"host-{number}/{path}": file for path, file in found.items()}
    return files


def _worker_files(serving: Serving) -> Files:
    """Return what a worker's container reads: how the hub's name leads to the weights."""
    refs = "launch/refs/"
    return {path: (text, False) for path, text in serving.files.items() if path.startswith(refs)}


def _values(world: World, lock: Lock, stack: Stack) -> dict[str, object]:
    engine = stack.engine
    contract = world.contracts[stack.contract]
    return {
        "lock": lock,
        "hosts": SIZES[stack.device].hosts,
        "project": stack.project,
        "engine": engine.name,
        "engine_port": contract.port,
        "image": engine.image,
        "made_for_hosts": is_made_for_hosts(engine.image),
        "nodes": engine.nodes,
        "port": stack.port,
        "refusal": contract.refusal,
        "ssh_port": SSH_PORT,
        "start_s": engine.health.start_period_s or DEFAULT_START_S,
        "folders": shared_folders(engine),
    }
