# SPDX-License-Identifier: Apache-2.0
"""Are this machine's own addresses named without asking any other machine?"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from ttctl.adapters import interfaces

if TYPE_CHECKING:
    from pathlib import Path

ADDRESSES = {"lo": "127.0.0.1", "eth0": "10.0.0.7", "br0": "10.0.0.8", "docker0": "172.17.0.1"}
ROUTES = """\
Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT
{way_out} 00000000 010200C0 0003 0 0 0 00000000 0 0 0
docker0 000011AC 00000000 0001 0 0 0 0000FFFF 0 0 0
"""


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with two bridges, whose routes a test writes."""
    for name in ADDRESSES:
        (tmp_path / "net" / name).mkdir(parents=True)
    for name in ("br0", "docker0"):
        (tmp_path / "net" / name / "bridge").mkdir()
    monkeypatch.setattr(interfaces, "NET", tmp_path / "net")
    monkeypatch.setattr(interfaces, "ROUTES", tmp_path / "route")
    monkeypatch.setattr(interfaces, "_of", ADDRESSES.__getitem__)
    monkeypatch.setattr(socket, "if_nameindex", lambda: list(enumerate(ADDRESSES, 1)))
    return tmp_path


@pytest.mark.parametrize(
    ("way_out", "told"),
    [
        ("eth0", ("10.0.0.7",)),
        ("br0", ("10.0.0.8", "10.0.0.7")),
        ("gone0", ("10.0.0.7",)),
    ],
)
def test_bridges_are_left_out_save_the_one_that_leads_out(
    machine: Path, way_out: str, told: tuple[str, ...]
) -> None:
    (machine / "route").write_text(ROUTES.format(way_out=way_out))
    assert interfaces.addresses() == told


@pytest.mark.usefixtures("machine")
def test_a_machine_that_tells_no_routes_names_its_addresses_all_the_same() -> None:
    assert interfaces.addresses() == ("10.0.0.7",)


def test_nothing_is_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    class Unconnected(socket.socket):
        def connect(self, address: object, /) -> None:
            raise AssertionError(address)

    monkeypatch.setattr(socket, "socket", Unconnected)
    assert all(not one.startswith("127.") for one in interfaces.addresses())
