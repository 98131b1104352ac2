# SPDX-License-Identifier: Apache-2.0
"""Reads small files of sysfs and procfs, which may vanish or refuse at any moment."""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING

from ttctl.rules.device_match import VENDOR

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PCI = "sys/bus/pci/devices"
CLASS = "sys/class/tenstorrent"
NODES = "dev/tenstorrent"
MOST_BYTES = 4 << 20
"""Of a file: /proc/cpuinfo of hundreds of cores is well below."""
PAGE = 4096
"""Bytes that an attribute of sysfs has at most."""
MOST_DIGITS = 20
MOST_LETTERS = 80
"""Of a word that a driver tells."""


def text_of(path: Path, most: int = MOST_BYTES) -> str:
    """Return a small file's text without its line end, empty where it cannot be read.

    A driver's attribute exists and still refuses to be read while a chip is being reset.

    Args:
        path: The file.
        most: Bytes that are read at most.
    """
    try:
        return bytes_of(path, most).decode("utf-8", errors="replace").strip()
    except (OSError, ValueError):
        return ""


def bytes_of(path: Path, most: int = MOST_BYTES) -> bytes:
    """Return what a file has, its first `most` bytes; what is no file is never waited for.

    Raises:
        OSError: It cannot be read, or is no file: a pipe, a device.
    """
    number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(number, "rb") as file:
        if not stat.S_ISREG(os.fstat(number).st_mode):
            raise OSError(errno.EINVAL, "no file", str(path))
        return file.read(most)


def number_in(text: str) -> int | None:
    """Return a number of plain digits, None where it is none or is longer than any count."""
    plain = text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS
    return int(text) if plain else None


def word_of(path: Path) -> str:
    """Return a small file's text as one line; bytes that are no text are shown as `?`."""
    text = "".join(
        one if one.isprintable() and one != "\ufffd" else "?" for one in text_of(path, PAGE)
    )
    return text if len(text) <= MOST_LETTERS else f"{text[:MOST_LETTERS]}..."


def device_of(path: str | Path) -> tuple[int, int] | None:
    """Return major and minor number of a device file, links followed; None for what is none."""
    try:
        found = os.stat(path)  # noqa: PTH116 - a string, too: some are asked by the thousand
    except OSError:
        return None
    if not stat.S_ISCHR(found.st_mode):
        return None
    return os.major(found.st_rdev), os.minor(found.st_rdev)


def names_in(folder: Path) -> list[str]:
    """Return what is in a folder, nothing where it cannot be read."""
    try:
        return sorted(path.name for path in folder.iterdir())
    except OSError:
        return []


def rooted(root: Path, path: str) -> Path:
    """Return where a path of the host lies under `root`."""
    return root / path.removeprefix("/")


def pci_devices(root: Path) -> dict[str, str]:
    """Return the vendor's PCI devices: address to device id in hex."""
    found = {}
    for address in names_in(root / PCI):
        if text_of(root / PCI / address / "vendor", PAGE).removeprefix("0x") == VENDOR:
            found[address] = text_of(root / PCI / address / "device", PAGE).removeprefix("0x")
    return found


def chip_folders(root: Path) -> Iterator[tuple[str, Path]]:
    """Yield (number, folder) of every chip that the driver shows, in the order of the numbers.

    Source: https://github.com/tenstorrent/tt-kmd/blob/4af71921ac021e24859ae15d8438997a44dbbf58/docs/sysfs-attributes.md
    """
    numbers = [name.partition("!")[2] for name in names_in(root / CLASS)]
    for number in sorted((one for one in numbers if number_in(one) is not None), key=int):
        yield number, root / CLASS / f"tenstorrent!{number}"


def address_of(folder: Path) -> str:
    """Return the PCI address of a chip's folder."""
    try:
        return (folder / "device").resolve().name
    except (OSError, RuntimeError):
        # A link to itself.
        return ""
