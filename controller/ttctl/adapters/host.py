# SPDX-License-Identifier: Apache-2.0
"""What is in this machine? From sysfs and procfs; no tool has to be installed for it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from ttctl.adapters import ports
from ttctl.adapters.chip_sensors import card_type_of, firmware_of, sensors
from ttctl.adapters.files import nearest_folder
from ttctl.adapters.holders import holders
from ttctl.adapters.pip_index import default_index
from ttctl.adapters.tree import (
    NODES,
    address_of,
    chip_folders,
    number_in,
    pci_devices,
    rooted,
    text_of,
    word_of,
)
from ttctl.errors import TtctlError
from ttctl.model.device import Chip, System
from ttctl.rules.board_health import judged, with_holders
from ttctl.rules.boards import boards_of, formed_of_all, forms_of
from ttctl.rules.device_match import VENDOR, match_device
from ttctl.rules.mesh_device import with_mesh_device

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ttctl.model.device import Board
    from ttctl.model.site import Site

_ARCHES = {"401e": "wormhole_b0", "b140": "blackhole"}
"""By PCI device id. Source: tt-kmd, module.c"""


class LocalHost:
    """The machine that ttctl runs on. Its cards: not yet run on a card."""

    def __init__(
        self,
        root: Path = Path("/"),
        *,
        affinity: int | None = None,
        mesh_device: str = "",
        own: Path | None = None,
    ) -> None:
        """Look under `root`.

        Args:
            root: Where the host's file system starts.
            affinity: How many cores this process may run on.
            mesh_device: What `MESH_DEVICE` says, in upstream's spelling.
            own: Where this machine's own file system starts, where `root` was made up: ports are
                this machine's, and so are memory and processor where the tree says nothing.
        """
        self._own = own or root
        self._mesh_device = mesh_device
        self._root = root
        self._affinity = len(os.sched_getaffinity(0)) if affinity is None else affinity

    def system(self) -> System:
        """Look for cards, cores and memory. The cards' part is not yet run on a card."""
        pci = pci_devices(self._root)
        nodes = _chips(self._root, pci)
        chips = tuple(chip for chip in nodes if _is_there(rooted(self._root, chip.node)))
        hidden = tuple(chip.node for chip in nodes if chip not in chips)
        match = match_device(
            chips,
            pci=[f"{address} ({VENDOR}:{device})" for address, device in pci.items()],
            hidden=hidden,
        )
        boards = _boards(self._root, nodes, hidden, pci)
        forms = forms_of(boards)
        whole = None if match.device else formed_of_all(boards, forms)
        found = System(
            device=whole.device if whole else match.device,
            chips=chips,
            cores=_cores(self._root, self._affinity),
            memory_bytes=_memory_bytes(self._root) or _memory_bytes(self._own),
            machine=os.uname().machine,
            cpu_flags=_cpu_flags(self._root) or _cpu_flags(self._own),
            driver=word_of(self._root / "sys/module/tenstorrent/version"),
            reason=whole.reason if whole else match.reason,
            evidence=match.evidence,
            boards=boards,
            forms=forms,
            mesh_device=self._mesh_device,
        )
        return with_mesh_device(found, self._mesh_device)

    def free_bytes(self, path: Path) -> int:
        """Return the free space of the file system that holds `path` or its nearest parent.

        Raises:
            TtctlError: It is one of the kernel's own, which holds no files of anybody.
        """
        existing = nearest_folder(path)
        usage = shutil.disk_usage(existing)
        if not usage.total:
            raise TtctlError(
                f"Nothing can be kept under {str(path)!r}.",
                why="Its file system is the kernel's own, and has no room for files.",
                evidence=f"{existing} is there; XDG_CACHE_HOME and XDG_STATE_HOME name others.",
                next_step=f"df -h {quote(str(existing))}",
            )
        return usage.free

    def port_holder(self, address: str, port: int) -> str | None:
        """Return who listens there (`pid 12 (nginx)`), None where the port is free."""
        return ports.port_holder(address, port, proc=self._own / "proc")

    def reaches(self, url: str, site: Site) -> bool:
        """Return whether anything answers at `url` within five seconds."""
        from ttctl.adapters.reach import reaches  # noqa: PLC0415 - loads HTTP, rarely asked

        return reaches(url, site)

    def why_not(self, url: str, site: Site) -> str:
        """Return why nothing answers at `url`, empty where something does."""
        from ttctl.adapters.reach import why_not  # noqa: PLC0415 - loads HTTP, rarely asked

        return why_not(url, site)

    def package_index(self, site: Site) -> str:
        """Return the address of the Python package index that builds use, empty if unknown."""
        return site.pip_index_url.value if site.pip_index_url else default_index()


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return False


def _chips(root: Path, pci: dict[str, str]) -> tuple[Chip, ...]:
    """Return what the driver made a node for, by the node's number."""
    return tuple(_chip(number, folder, pci) for number, folder in chip_folders(root))


def _chip(number: str, folder: Path, pci: dict[str, str]) -> Chip:
    address = address_of(folder)
    device = "".join(one for one in pci.get(address, "") if one.isprintable())[:8]
    return Chip(
        node=f"/{NODES}/{number}",
        arch=_ARCHES.get(device, device),
        card_type=card_type_of(folder),
        pci_address=address,
        serial=word_of(folder / "tt_serial"),
        asic_id=word_of(folder / "tt_asic_id"),
        firmware=firmware_of(folder),
    )


def _boards(
    root: Path, nodes: tuple[Chip, ...], hidden: tuple[str, ...], pci: dict[str, str]
) -> tuple[Board, ...]:
    """Return the boards with their users and, by one look at the driver's files, their health."""
    driven = {chip.pci_address for chip in nodes}
    bare = {address: device for address, device in pci.items() if address not in driven}
    boards = boards_of(nodes, hidden=hidden, bare=bare)
    if not boards:
        return ()
    numbers = [chip.node.rpartition("/")[2] for chip in nodes if chip.node not in hidden]
    held = holders(root, numbers)
    seen = {f"/{NODES}/{number}": (one.holders, one.complete) for number, one in held.items()}
    return judged(with_holders(boards, seen), sensors(root))


def _cores(root: Path, affinity: int) -> int:
    """Return how many cores the process may use at the same time, at least one."""
    limits = [affinity]
    for text in _cgroup_values(root, "cpu", "cpu.max"):
        quota, _, period = text.partition(" ")
        limits += _share(quota, period)
    quotas = _cgroup_values(root, "cpu", "cpu.cfs_quota_us")
    periods = _cgroup_values(root, "cpu", "cpu.cfs_period_us")
    for quota, period in zip(quotas, periods, strict=False):
        limits += _share(quota, period)
    return max(1, min(limits))


def _share(quota: str, period: str) -> list[int]:
    """Return how many cores a quota is, nothing where it is none."""
    have, of = number_in(quota), number_in(period)
    return [have // of] if have is not None and of else []


def _memory_bytes(root: Path) -> int:
    """Return the machine's memory, or less where a control group allows less."""
    lines = text_of(root / "proc/meminfo").splitlines()
    words = [line.split() for line in lines if line.startswith("MemTotal:")]
    totals = [number_in(line[1]) for line in words if len(line) > 1]
    limits = [total * 1024 for total in totals if total]
    for name in ("memory.max", "memory.limit_in_bytes"):
        found = [number_in(text) for text in _cgroup_values(root, "memory", name)]
        limits += [limit for limit in found if limit]
    return min(limits, default=0)


def _cgroup_values(root: Path, controller: str, name: str) -> Iterator[str]:
    """Yield a control file's text in this process's group and in each group above it."""
    mounts = root / "sys/fs/cgroup"
    for line in text_of(root / "proc/self/cgroup").splitlines():
        _, _, rest = line.partition(":")
        controllers, colon, path = rest.partition(":")
        if not colon:
            continue
        if not controllers:
            bases = [mounts, mounts / "unified"]
        elif controller in controllers.split(","):
            bases = [mounts / controllers, mounts / controller]
        else:
            continue
        for base in dict.fromkeys(bases):
            group = base / path.removeprefix("/")
            for folder in (group, *group.parents):
                if folder.is_relative_to(base) and (text := text_of(folder / name)):
                    yield text


def _cpu_flags(root: Path) -> frozenset[str]:
    for line in text_of(root / "proc/cpuinfo").splitlines():
        name, _, value = line.partition(":")
        if name.strip() in {"flags", "Features"}:
            return frozenset(value.split())
    return frozenset()
