# SPDX-License-Identifier: Apache-2.0
"""Makes up machines with cards: trees of sysfs, procfs and /dev, and snapshots of tt-smi.

The files are those that tt-kmd's docs/sysfs-attributes.md names; the snapshots have the sections
and spellings of tt-smi's releases of 2024, 2025 and 2026. Which chips share a board, and which of
them have a node, is what tt-umd's cluster descriptors show. All numbers are made up.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

FORMATS = (2024, 2025, 2026)
FIRMWARE = "19.13.1.0"
DRIVER = "2.10.0"
PAGES = "hugetlbfs /dev/hugepages-1G hugetlbfs rw,relatime,mode=777,pagesize=1024M 0 0"
"""The line of the mount as tenstorrent's unit makes it."""
TRAYS = {"galaxy-wormhole": "c804", "galaxy-blackhole": "04c8"}
"""First digits of the bus numbers of a Galaxy's trays, in their order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of machine."""

    card: str
    """The driver's word for its cards."""
    smi: str
    """tt-smi's word for them."""
    upi: int
    """The part of a board's number that says its kind."""
    boards: int
    local: int = 1
    """Chips of a board that have a node."""
    remote: int = 0
    forms: tuple[str, ...]
    """Every device that its boards can make up, the largest first."""
    family: str

    @property
    def wormhole(self) -> bool:
        return self.card in {"n150", "n300", "galaxy-wormhole"}

    @property
    def galaxy(self) -> bool:
        return self.card in TRAYS


def _kind(card: str, upi: int, boards: int, forms: str, **more: int) -> Kind:
    names = {"galaxy-wormhole": "tt-galaxy-wh", "galaxy-blackhole": "tt-galaxy-bh"}
    families = {"galaxy-wormhole": "galaxy-wh", "galaxy-blackhole": "galaxy-bh"}
    return Kind(
        card=card,
        smi=names.get(card, card),
        upi=upi,
        boards=boards,
        forms=tuple(forms.split()),
        family=families.get(card, card[:4]),
        **more,
    )


KINDS: dict[str, Kind] = {
    "n150": _kind("n150", 0x18, 1, "n150"),
    "n150x4": _kind("n150", 0x18, 4, "n150x4 n150 n150 n150 n150"),
    "n300": _kind("n300", 0x14, 1, "n300 n150", remote=1),
    "t3k": _kind("n300", 0x14, 4, "t3k" + 4 * " n300" + 4 * " n150", remote=1),
    "p100": _kind("p100a", 0x43, 1, "p100"),
    "p150": _kind("p150a", 0x40, 1, "p150"),
    "p150x4": _kind("p150b", 0x41, 4, "p150x4 p150 p150 p150 p150"),
    "p150x8": _kind("p150c", 0x42, 8, "p150x8 p150x4 p150x4" + 8 * " p150"),
    "p300": _kind("p300c", 0x46, 1, "p300 p150", local=2),
    "p300x2": _kind("p300a", 0x45, 2, "p300x2 p300 p300 p150 p150", local=2),
    "galaxy": _kind("galaxy-wormhole", 0x35, 4, "galaxy" + 4 * " galaxy_t3k", local=8),
    "galaxy_t3k": _kind("galaxy-wormhole", 0x35, 1, "galaxy_t3k", local=8),
    "blackhole_galaxy": _kind("galaxy-blackhole", 0x47, 4, "blackhole_galaxy", local=8),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeChip:
    """One chip of a made-up machine."""

    board: int
    serial: str
    asic: str
    address: str
    """Empty for a remote chip."""
    coords: str


def chips_of(kind: Kind) -> list[MadeChip]:
    """Return a machine's chips: those with a node first, board by board, then the remote ones."""
    return [_chip(kind, board, at) for board, at in _places(kind)]


def _places(kind: Kind) -> list[tuple[int, int]]:
    local = [(board, at) for board in range(kind.boards) for at in range(kind.local)]
    far = [(board, kind.local + at) for board in range(kind.boards) for at in range(kind.remote)]
    return local + far


def _chip(kind: Kind, board: int, at: int) -> MadeChip:
    number = board * kind.local + at + 1
    bus = f"{TRAYS[kind.card][board]}{at + 1:x}" if kind.galaxy else f"{number:02x}"
    return MadeChip(
        board=board,
        serial=f"{kind.upi << 36 | 0x31900000 + board:016x}",
        asic=f"{0x33B9 << 48 | kind.upi << 16 | board << 8 | at:016x}",
        address="" if at >= kind.local else f"0000:{bus}:00.0",
        coords=place(kind, board, at) if kind.wormhole else "N/A",
    )


LAYOUTS = {
    "mesh": "Mesh",
    "linear/torus": "Linear/Torus",
    "isolated": "Isolated or not configured",
    "unknown": "",
}
"""tt-topology's word for each."""


def place(kind: Kind, board: int, at: int, layout: str = "mesh") -> str:
    """Return what tt-smi prints as a Wormhole chip's place, as tt-topology would have set it."""
    order = board * (kind.local + kind.remote) + at
    x, y = {
        "mesh": (board, at) if kind.local + kind.remote > 1 else (board // 2, board % 2),
        "linear/torus": (0, order),
        "isolated": (at, 0),
        "unknown": (order, order),
    }[layout]
    return f"({x}, {y}, 0, 0)"


def laid_out(device: str, layout: str, year: int = 2026) -> dict[str, Any]:
    """Return a snapshot of a machine whose chips have the places of a layout."""
    kind = KINDS[device]
    found = snapshot(device, year)
    for chip, one in zip(found["device_info"], _places(kind), strict=True):
        chip["board_info"]["coords"] = place(kind, *one, layout)
    return found


def listing(device: str, layout: str) -> str:
    """Return what `tt-topology -ls` prints, colours and all."""
    kind = KINDS[device]
    lines = ["\x1b[95m Devices on system:  \x1b[0m"]
    for number, (board, at) in enumerate(_places(kind)):
        side = "L" if at < kind.local else "R"
        x, y, *_ = place(kind, board, at, layout)[1:-1].split(", ")
        number_of_board = f"{kind.upi << 36 | board:x}"
        lines.append(f"\x1b[94m {number}: {kind.smi} {side} {number_of_board} - ({x}, {y}) \x1b[0m")
    word = LAYOUTS[layout]
    last = f"Configuration: {word}" if word else "Cannot comprehend configuration!"
    return "\n".join([*lines, f"\x1b[93m {last} \x1b[0m", ""])


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{text}\n", encoding="utf-8")


def tree(
    root: Path,
    device: str,
    *,
    firmware: dict[int, str] | None = None,
    serials: bool = True,
    year: int = 2026,
    skip: tuple[int, ...] = (),
    first: int = 0,
    card: str = "",
    serial: str = "",
    buses: int = 0,
) -> Path:
    """Write a machine's files.

    Args:
        root: The folder that stands for `/`.
        device: Which kind.
        firmware: Another version for some boards; `""` is none.
        serials: Whether the firmware gives boards numbers.
        year: Drivers of 2024 have fewer attributes.
        skip: Boards that are left out.
        first: Number of the first node, behind those of a machine that is there already.
        card: Another word for the cards, as of a driver that does not know them.
        serial: One number for every board, as Galaxies have it.
        buses: The first of the bus numbers, which are those of a virtual machine then.
    """
    kind = KINDS[device]
    local = [one for one in chips_of(kind) if one.address and one.board not in skip]
    for number, chip in enumerate(local, first):
        folder = root / "sys/class/tenstorrent" / f"tenstorrent!{number}"
        address = chip.address.replace("0000:", f"{first:04x}:")
        if buses:
            address = f"0000:{buses + number:02x}:00.0"
        pci = root / "sys/bus/pci/devices" / address
        write(pci / "vendor", "0x1e52")
        write(pci / "device", "0x401e" if kind.wormhole else "0xb140")
        write(pci / "iommu_group/type", "DMA-FQ")
        folder.mkdir(parents=True)
        (folder / "device").symlink_to(pci)
        version = (firmware or {}).get(chip.board, FIRMWARE)
        attributes = {
            "tt_card_type": card or kind.card,
            "tt_serial": serial or (chip.serial.upper() if serials else "0" * 16),
            "tt_fw_bundle_ver": version,
            "tt_aiclk": "1000",
        }
        if year > 2024:
            attributes |= {"tt_asic_id": chip.asic.upper(), "tt_heartbeat": f"{4000 + number}"}
            write(pci / "hwmon/hwmon3/temp1_input", "39062")
            write(pci / "hwmon/hwmon3/temp1_max", "90000")
            write(pci / "hwmon/hwmon3/power1_input", "21000000")
            if not kind.wormhole:
                attributes["tt_therm_trip_count"] = "0"
        for name, text in attributes.items():
            write(folder / name, text)
        node = root / "dev/tenstorrent" / str(number)
        write(node, "")
        node.chmod(0o666)
        write(root / "proc/driver/tenstorrent" / str(number) / "pids", "")
    write(root / "sys/module/tenstorrent/version", DRIVER)
    hugepages(root)
    return root


def hugepages(root: Path, count: int = 128, *, free: int | None = None, mount: str = PAGES) -> None:
    """Give a machine pages of 1 GiB and the mount of them; none for no line of a mount."""
    kernel = root / "sys/kernel/mm/hugepages/hugepages-1048576kB"
    write(kernel / "nr_hugepages", str(count))
    write(kernel / "free_hugepages", str(count if free is None else free))
    write(root / "proc/mounts", mount)


def opened(root: Path, node: int, pid: int, *, name: str = "python3", listed: bool = True) -> None:
    """Let a process have a node open; only its own folder shows it where it is not `listed`."""
    write(root / "proc" / str(pid) / "comm", name)
    folder = root / "proc" / str(pid) / "fd"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / str(node + 3)).symlink_to(f"/dev/tenstorrent/{node}")
    if listed:
        write(root / "proc/driver/tenstorrent" / str(node) / "pids", str(pid))


def unreadable_pids(root: Path, node: int) -> None:
    """Let nobody read a node's list: a folder in its place refuses even the superuser."""
    path = root / "proc/driver/tenstorrent" / str(node) / "pids"
    path.unlink(missing_ok=True)
    path.mkdir(parents=True)


def blind(root: Path, pid: int) -> None:
    """Add a process of another user, into whose open files nobody may look."""
    write(root / "proc" / str(pid) / "fd", "")


def snapshot(device: str, year: int = 2026, **changes: dict[str, object]) -> dict[str, Any]:
    """Return what `tt-smi -s` of that year prints; `changes` go into every chip's sections."""
    kind = KINDS[device]
    found: dict[str, Any] = {
        "time": f"{year}-05-04T10:20:30.123456",
        "host_info": {"OS": "Linux", "Driver": f"{'TTKMD' if year == 2024 else 'TT-KMD'} {DRIVER}"},
        "device_info": [_smi_chip(kind, chip, year) for chip in chips_of(kind)],
    }
    if year > 2024:
        found["host_sw_vers"] = {"tt_smi": f"{year - 2022}.0.1", "pyluwen": "0.7.0"}
    if year > 2025:
        found["processes"] = []
    for chip in found["device_info"]:
        for section, values in changes.items():
            chip.setdefault(section, {}).update(values)
    return found


def _smi_chip(kind: Kind, chip: MadeChip, year: int) -> dict[str, Any]:
    side = (" L" if chip.address else " R") if kind.smi.startswith("n") else ""
    # Galaxies of those years had their bundle where others have that of tt-flash.
    elsewhere = kind.galaxy and year < 2026
    serial, asic = int(chip.serial, 16), int(chip.asic, 16)
    registers: dict[str, str | None] = {
        "BOARD_ID_HIGH": hex(serial >> 32),
        "BOARD_ID_LOW": hex(serial & 0xFFFFFFFF),
        "ASIC_ID_HIGH": hex(asic >> 32),
        "ASIC_ID_LOW": hex(asic & 0xFFFFFFFF),
        "ASIC_ID": None,
        "DDR_STATUS": "0x55555555",
        "TIMER_HEARTBEAT": "0x10c1",
        "THERM_TRIP_COUNT": "0x0" if year > 2024 else None,
    }
    prefix = "SMBUS_TX_" if year == 2024 else ""
    telemetry = {
        "voltage": "0.75",
        "current": " 42.0",
        "power": " 31.0",
        "aiclk": " 800",
        "asic_temperature": "39.1",
        "heartbeat": "714",
    }
    limits = {"tdp_limit": "125", "asic_fmax": "1350", "bus_peak_limit": 0} | (
        # The lower one slows a chip down: Wormhole's name for it is Blackhole's for the other.
        {"therm_trip_l1_limit": "83", "thm_limit": "75"}
        if kind.wormhole
        else {"therm_trip_l1_limit": "90", "thm_limit": "110"}
    )
    if year > 2025:
        telemetry |= {"board_power": "182.0", "fan_speed": "65535"}
        limits |= {"board_power_limit": "550"}
    return {
        "smbus_telem": {prefix + name: value for name, value in registers.items()},
        "board_info": {
            "bus_id": chip.address or "N/A",
            "board_type": f"{kind.smi}{side}",
            "board_id": chip.serial.lstrip("0") if year == 2024 else chip.serial,
            "coords": chip.coords,
            "dram_status": True,
            "pcie_width": "16" if chip.address else "N/A",
        },
        "telemetry": telemetry,
        "firmwares": {
            "fw_bundle_version": "N/A" if elsewhere else FIRMWARE,
            "tt_flash_version": FIRMWARE if elsewhere else "N/A",
        },
        "limits": limits,
    }


def printed(found: dict[str, Any], *, before: str = "", behind: str = "") -> str:
    """Return a snapshot as the program prints it."""
    return f"{before}{json.dumps(found, indent=4)}\n{behind}"


def four_unit_galaxy() -> dict[str, Any]:
    """Return a snapshot of a Galaxy of four units: four carriers, thirty-two remote chips."""
    found = snapshot("galaxy", 2025)
    for at, chip in enumerate(found["device_info"]):
        number = f"{0x0B << 36 | at:016x}"
        chip["smbus_telem"] |= {"BOARD_ID_HIGH": None, "BOARD_ID_LOW": None}
        chip["board_info"] |= {"bus_id": "N/A", "board_type": "wh_4u", "board_id": number}
    carriers = snapshot("n150x4", 2025)["device_info"]
    for at, chip in enumerate(carriers):
        number = f"{0x08 << 36 | at:016x}"
        chip["board_info"] |= {"board_type": "nb_cb", "board_id": number}
    found["device_info"] = carriers + found["device_info"]
    return found
