# SPDX-License-Identifier: Apache-2.0
"""What is locked and here comes up without a word to anybody beyond this machine."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.e2e.driver import START_S
from tests.faults.own_engine import until
from tests.faults.refused import WHOLE, running

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.driver import Stack
    from tests.faults.conftest import Figure
    from tests.faults.own_engine import OwnEngine

pytestmark = pytest.mark.docker

CALLS = "trace=connect,sendto,sendmsg,sendmmsg"
FAMILY = re.compile(r"sa_family=(AF_\w+)([^}]*)")
LOOPBACK = re.compile(r'inet_addr\("127\.|inet_pton\(AF_INET6, "::1"')
OF_A_NAME_SERVER = re.compile(r"port=htons\(53\)")
LOCAL = {"AF_UNIX", "AF_LOCAL", "AF_NETLINK", "AF_UNSPEC"}
"""Netlink is the kernel; an unspecified family ends a connection."""
ASK = "printf 'GET /health HTTP/1.0\\r\\n\\r\\n' >&3 && cat <&3"


@pytest.fixture
def locked(stack: Stack) -> Stack:
    """Return a stack that was up once, of which nothing runs; its mirrors are made-up names."""
    stack.up()
    stack.down()
    names = {
        "TTCTL_HUB_ENDPOINT": "https://hub.example.invalid",
        "TTCTL_REGISTRY": "registry.example.invalid",
        "TTCTL_GIT_MIRROR": "https://git.example.invalid/",
        "TTCTL_PIP_INDEX_URL": "https://index.example.invalid/simple",
        "TTCTL_APT_SOURCES": "deb http://mirror.example.invalid/debian bookworm main",
    }
    return replace(stack, ttctl=replace(stack.ttctl, environ={**stack.ttctl.environ, **names}))


def beyond(notes: str) -> tuple[set[str], int]:
    """Return whom the calls in strace's notes try to reach, and how many calls there are."""
    found = FAMILY.findall(notes)
    return {
        f"{family}{rest}"
        for family, rest in found
        if family not in LOCAL and (not LOOPBACK.search(rest) or OF_A_NAME_SERVER.search(rest))
    }, len(found)


def traced(stack: Stack, notes: Path, *words: str) -> str:
    """Run a verb of a stack, with every child, under strace(1); return what it noted."""
    tracer = ["strace", "-f", "-qq", "--seccomp-bpf", "-e", CALLS, "-o", str(notes)]
    done = subprocess.run(
        [*tracer, str(stack.ttctl.program), *words], env=dict(stack.ttctl.environ), cwd="/",
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=START_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return notes.read_text(encoding="utf-8", errors="replace")


def test_an_up_of_what_is_locked_and_here_opens_no_connection_beyond_this_machine(
    locked: Stack, tmp_path: Path, figure: Figure
) -> None:
    before = (locked.folder / "ttctl.lock").read_bytes()
    outside, calls = beyond(traced(locked, tmp_path / "up.txt", "up", *locked.words))
    assert locked.serves()
    assert outside == set()
    assert calls > 10
    assert (locked.folder / "ttctl.lock").read_bytes() == before
    figure("R16", "connections of an `up`, of them beyond this machine", f"{calls}, {len(outside)}")
    for words in (("up", *locked.words), ("status", locked.name), ("down", locked.name)):
        outside, _ = beyond(traced(locked, tmp_path / "verb.txt", *words))
        assert outside == set(), words


def test_an_encrypted_stack_and_what_asks_it_stay_on_this_machine_too(
    locked: Stack, tmp_path: Path, figure: Figure
) -> None:
    words = (*locked.words, "--tls", "generated")
    locked.up(*words[-2:])
    locked.down()
    calls = 0
    for verb in (("up", *words), ("status", locked.name), ("chat", "--stack", locked.name, "Hi")):
        outside, seen = beyond(traced(locked, tmp_path / "tls.txt", *verb))
        assert outside == set(), verb
        calls += seen
    figure("R16", "connections of up, status and chat with TLS, of them beyond", f"{calls}, 0")


def test_the_notes_show_whoever_asks_for_a_name_or_goes_out(tmp_path: Path) -> None:
    program = (
        "import socket\n"
        "for kind, to in ((socket.SOCK_STREAM, ('192.0.2.1', 9)), (socket.SOCK_DGRAM, "
        "('127.0.0.1', 53))):\n"
        "    one = socket.socket(type=kind)\n"
        "    one.setblocking(False)\n"
        "    try:\n"
        "        one.connect(to)\n"
        "    except OSError:\n"
        "        pass\n"
    )
    notes = tmp_path / "notes.txt"
    subprocess.run(
        ["strace", "-f", "-qq", "-e", CALLS, "-o", str(notes), "python3", "-c", program],
        check=True, timeout=60,
    )  # fmt: skip
    outside, _ = beyond(notes.read_text())
    assert len(outside) == 2
    assert any("192.0.2.1" in one for one in outside)


def test_without_any_network_at_all_it_comes_up_and_is_ready(
    locked: Stack, engine: OwnEngine, figure: Figure
) -> None:
    assert shutil.which("unshare")
    done = subprocess.run(
        ["unshare", "--net", str(locked.ttctl.program), "up", *locked.words, "--no-wait"],
        env=dict(locked.ttctl.environ), cwd="/", stdin=subprocess.DEVNULL, capture_output=True,
        text=True, timeout=START_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert running(locked) == WHOLE
    container = locked.inspect()["gateway"]["Id"]

    def answered() -> str:
        ask = f"exec 3<>/dev/tcp/127.0.0.1/8080 && {ASK}"
        words = ["docker", "exec", container, "bash", "-c", ask]
        return subprocess.run(
            words, env=engine.environ, capture_output=True, text=True, timeout=60, check=False
        ).stdout

    until(lambda: " 200 " in answered().partition("\r\n")[0], answered)
    status = ("status", locked.name, "--json")
    # A health check is asked every five seconds.
    until(lambda: locked.ttctl.run(*status).data["state"] == "ready")
    figure("R16", "an `up` without a network", "ready")
