# SPDX-License-Identifier: Apache-2.0
"""Is the holder of a port named?"""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from ttctl.adapters.host import LocalHost
from ttctl.adapters.ports import named_holder

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid"
LISTENS, ESTABLISHED = "0A", "01"
PORT = 8000


def row(address: str, *, state: str = LISTENS, uid: int = 4242, inode: int = 77) -> str:
    return f"   0: {address}:1F40 00000000:0000 {state} 0:0 00:00000000 00000000 {uid} 0 {inode} 1"


def proc(
    root: Path,
    *rows: str,
    rows6: tuple[str, ...] = (),
    owner: tuple[int, str] | None = None,
    cmdline: str = "",
) -> Path:
    """Write a tree of /proc; `owner` is the process (pid, name) that has socket 77 open."""
    (root / "net").mkdir()
    (root / "net/tcp").write_text("\n".join([HEAD, *rows, ""]), encoding="utf-8")
    (root / "net/tcp6").write_text("\n".join([HEAD, *rows6, ""]), encoding="utf-8")
    for pid in (7, 300):
        (root / str(pid) / "fd").mkdir(parents=True)
        (root / str(pid) / "fd/0").symlink_to("/dev/null")
        (root / str(pid) / "comm").write_text("other\n", encoding="utf-8")
    (root / "300/cmdline").write_text(cmdline, encoding="utf-8")
    if owner:
        pid, name = owner
        (root / f"{pid}/fd/5").symlink_to("socket:[77]")
        (root / f"{pid}/comm").write_text(f"{name}\n", encoding="utf-8")
    return root


def test_a_holder_that_may_be_seen_is_named_with_its_number(tmp_path: Path) -> None:
    tree = proc(tmp_path, row("0100007F"), owner=(7, "nginx"))
    assert named_holder("127.0.0.1", PORT, proc=tree) == "pid 7 (nginx)"


def test_a_published_port_of_a_container_is_told_as_such(tmp_path: Path) -> None:
    tree = proc(tmp_path, row("00000000"), owner=(7, "docker-proxy"))
    found = named_holder("127.0.0.1", PORT, proc=tree)
    assert found == "pid 7 (docker-proxy), the published port of a container"


def test_a_published_port_is_known_by_its_arguments_without_rights(tmp_path: Path) -> None:
    words = ["/usr/bin/docker-proxy", "-proto", "tcp", "-host-port", "8000", "-container-ip", "x"]
    tree = proc(tmp_path, row("00000000", uid=0), cmdline="\0".join(words))
    found = named_holder("127.0.0.1", PORT, proc=tree)
    assert found == "pid 300 (docker-proxy), the published port of a container"


def test_a_published_port_whose_engine_has_ended_is_told_so(tmp_path: Path) -> None:
    tree = proc(tmp_path, row("00000000"), owner=(7, "docker-proxy"))
    (tree / "1").mkdir(exist_ok=True)
    for first, parent, kind in (
        ("systemd", "1", "whose container engine has ended"),
        ("dockerd", "1", "the published port of a container"),
        ("systemd", "12", "the published port of a container"),
    ):
        (tree / "1/comm").write_text(f"{first}\n", encoding="utf-8")
        (tree / "7/stat").write_text(f"7 (docker) proxy) S {parent} 7 7", encoding="utf-8")
        found = named_holder("127.0.0.1", PORT, proc=tree)
        assert found == f"pid 7 (docker-proxy), {kind}"


def test_another_published_port_is_not_taken_for_this_one(tmp_path: Path) -> None:
    tree = proc(tmp_path, row("00000000"), cmdline="docker-proxy\0-host-port\0009000\0")
    assert named_holder("127.0.0.1", PORT, proc=tree) == "another user's process (uid 4242)"


def test_a_process_of_ones_own_that_is_not_seen_is_nobody_elses(tmp_path: Path) -> None:
    tree = proc(tmp_path, row("00000000", uid=os.getuid()))
    assert named_holder("127.0.0.1", PORT, proc=tree) == "a process that cannot be seen here"


@pytest.mark.parametrize(
    ("rows", "rows6", "address", "held"),
    [
        pytest.param((row("0100007F"),), (), "127.0.0.1", True, id="the same address"),
        pytest.param((row("0100007F"),), (), "0.0.0.0", True, id="all addresses are wanted"),  # noqa: S104
        pytest.param((row("00000000"),), (), "192.0.2.1", True, id="all addresses are held"),
        pytest.param((row("0100007F"),), (), "192.0.2.1", False, id="another address"),
        pytest.param((), (row("0" * 32),), "127.0.0.1", True, id="all, in version 6"),
        pytest.param((), (row("000000000000000000000000" + "01000000"),), "::1", True, id="::1"),
        pytest.param(
            (), (row("0000000000000000FFFF0000" + "0100007F"),), "127.0.0.1", True, id="mapped"
        ),
        pytest.param((), (), "127.0.0.1", False, id="nobody"),
    ],
)
def test_addresses_clash_as_the_kernel_sees_it(
    tmp_path: Path, rows: tuple[str, ...], rows6: tuple[str, ...], address: str, *, held: bool
) -> None:
    tree = proc(tmp_path, *rows, rows6=rows6)
    assert (named_holder(address, PORT, proc=tree) is not None) is held


def test_a_listener_is_named_before_its_connections(tmp_path: Path) -> None:
    rows = (row("0100007F", state=ESTABLISHED, inode=0), row("0100007F"))
    tree = proc(tmp_path, *rows, owner=(300, "server"))
    assert named_holder("127.0.0.1", PORT, proc=tree) == "pid 300 (server)"


def test_on_this_machine_a_listening_port_is_held_by_this_process_and_then_free() -> None:
    host = LocalHost()
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        name = Path("/proc/self/comm").read_text(encoding="utf-8").strip()
        assert host.port_holder("127.0.0.1", port) == f"pid {os.getpid()} ({name})"
    assert host.port_holder("127.0.0.1", port) is None


def test_an_address_that_this_machine_does_not_have_is_held_by_nobody() -> None:
    assert LocalHost().port_holder("192.0.2.1", PORT) is None
