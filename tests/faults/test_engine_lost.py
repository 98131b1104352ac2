# SPDX-License-Identifier: Apache-2.0
"""The container engine goes away, during an `up` and under a stack that serves, and comes back."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from ipaddress import ip_network
from typing import TYPE_CHECKING

import pytest
from tests.e2e.driver import START_S, finish, read_until, tree
from tests.faults.own_engine import runs, until
from tests.faults.refused import WHOLE, parts, running
from tests.faults.stage import stack_on

from ttctl.adapters.failures import known_failures
from ttctl.rules.fatal import found_in

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.e2e.driver import Stack
    from tests.faults.conftest import Figure, Rounds
    from tests.faults.own_engine import OwnEngine

pytestmark = pytest.mark.docker

KEPT = "kept"
"""A volume of somebody's; nothing here may lose it."""
ENDS: dict[str, Callable[[OwnEngine], None]] = {
    "stop": lambda engine: engine.stop(),
    "kill": lambda engine: engine.kill(),
    "restart": lambda engine: engine.restart(),
}
MOMENTS = {
    "while networks are made": r"Network \S+ +Creating",
    "when containers are made": r"Container \S+ +Created",
    "when one is started": r"Container \S+ +Started",
    "when all are healthy": r"^  \+ Start vllm, gateway",
}
FIRST = {"stop": 0, "kill": 1, "restart": 3}
"""At which moment each begins: every second one comes first, then those between.

Docker 20.10 that is restarted while it makes a network may keep that one's bridge and its rule for
outgoing packets, which ruin an inner network that gets the same addresses. Whether it does is a
matter of luck, so the fast part puts such remains there by itself, and begins a restart later.
"""
BOTH = pytest.mark.parametrize(
    "broken", [{"live_restore": False}, {"live_restore": True}], indirect=True,
    ids=["containers end with it", "containers outlive it"],
)  # fmt: skip


@pytest.fixture
def stack(broken: OwnEngine, tmp_path: Path) -> Stack:
    """Return a stack on the engine that goes away, which has a volume on it, too."""
    broken.docker("volume", "create", KEPT)
    return stack_on(broken, tmp_path)


def check_volume(engine: OwnEngine) -> None:
    assert engine.docker("volume", "ls", "--quiet").split() == [KEPT]


def taken_away(engine: OwnEngine, stack: Stack) -> None:
    """Remove the stack; where the engine has a file system mounted twice, do what is said.

    Docker 20.10 that is stopped while it starts a container forgets that it has mounted that. On a
    machine whose root is mounted privately, it lays a mount of its own over all of its data.
    """

    def removed() -> bool:
        try:
            stack.remove()
        except AssertionError as refused:
            last = str(refused).splitlines()[-1]
            told = found_in(last, known_failures())
            if told is None or told.failure.name != "still-mounted":
                return False
            (command,) = re.findall(r"`sudo (umount \S+)`", told.cause)
            if subprocess.run(command.split(), check=False, timeout=60).returncode:
                engine.stop()
                subprocess.run(command.split(), check=True, timeout=60)
                engine.start()
            return False
        return True

    until(removed)


def up_again(engine: OwnEngine, stack: Stack, figure: Figure) -> None:
    """Bring the stack up at once; where a killed engine left its port taken, do what is said.

    Docker 20.10 that is killed while it starts a container may leave a docker-proxy, or keep the
    port when it is started again. Both are root's: `up` cannot end them, and names what does.
    """
    ran = stack.ttctl.run("up", *stack.words, exits=None, limit_s=START_S)
    if ran.code:
        told = parts(ran.err)
        assert f"Port {stack.port}" in told["error"], ran.err
        assert not engine.docker("ps", "--quiet", "--filter", f"publish={stack.port}")
        if left := re.search(r"`sudo kill (\d+)` frees the port", told["evidence"]):
            pid = int(left[1])
            os.kill(pid, signal.SIGTERM)
            until(lambda: not runs(pid))
        else:
            assert "`sudo systemctl restart docker`" in told["evidence"]
            engine.restart()
        figure("R4", "a port that the killed engine left", "freed as told")
        stack.up()


def back(engine: OwnEngine, stack: Stack, before: dict[str, bytes], figure: Figure) -> None:
    """Start the engine where it is not there; one `up` has to be enough."""
    if not engine.answers():
        engine.start()
    up_again(engine, stack, figure)
    assert stack.serves()
    assert running(stack) == WHOLE
    assert "nothing was changed" in stack.up().out
    after = tree(stack.folder)
    assert {name: after[name] for name in before} == before
    check_volume(engine)


def leaves_behind(engine: OwnEngine, stack: Stack) -> tuple[str, ...]:
    """Put there what an engine leaves that is restarted while it makes the networks of a stack.

    Bridges that have an address, and are not up yet: what has a route the engine does not give.

    Returns:
        The addresses, which the next networks get.
    """
    names = [f"ttctl-{stack.name}_{one}" for one in ("front", "back")]
    words = ("network", "inspect", "--format", "{{range .IPAM.Config}}{{.Subnet}}{{end}}")
    subnets = engine.docker(*words, *names).split()
    stack.remove()
    # It gives one address after the other, and begins anew with itself.
    engine.restart()
    for number, subnet in enumerate(subnets):
        bridge = f"br-{number:012x}"
        address = str(next(ip_network(subnet).hosts()))
        rule = f"-t nat -I POSTROUTING -s {subnet} ! -o {bridge} -j MASQUERADE"
        engine.on_its_network("ip", "link", "add", bridge, "type", "bridge")
        engine.on_its_network("ip", "address", "add", f"{address}/16", "dev", bridge)
        engine.on_its_network("iptables", *rule.split())
    return tuple(subnets)


def test_what_an_engine_left_of_networks_costs_no_second_up(
    broken: OwnEngine, stack: Stack, figure: Figure
) -> None:
    stack.up()
    subnets = leaves_behind(broken, stack)
    begun = time.monotonic()
    ran = stack.up()
    figure("R4", "an `up` over what was left of two networks", f"{time.monotonic() - begun:.1f} s")
    assert f"Remove the networks of {stack.name}" in ran.err
    assert stack.serves()
    assert running(stack) == WHOLE
    names = broken.docker("network", "ls", "--filter", "type=custom", "--format", "{{.Name}}")
    assert {*names.split()} == {f"ttctl-{stack.name}_{one}" for one in ("front", "back")}
    now = broken.docker("network", "inspect", "--format", "{{.IPAM.Config}}", *names.split())
    assert not [one for one in subnets if one in now]
    assert "nothing was changed" in stack.up().out


@BOTH
def test_status_says_that_it_is_unknown_and_never_that_the_stack_is_down(
    broken: OwnEngine, stack: Stack, figure: Figure, rounds: Rounds
) -> None:
    stack.up()
    before = tree(stack.folder)
    ends = ["stop", "kill"] if broken.live_restore else ["kill", "stop"]
    for end in ends[: rounds(fast=1, whole=2)]:
        ENDS[end](broken)
        begun = time.monotonic()
        for words in (("status", stack.name), ("ps",), ("up", *stack.words), ("down", stack.name)):
            told = parts(stack.ttctl.run(*words, exits=5).err)
            assert told["error"] == "No container engine answers."
            assert broken.host in told["evidence"]
        kept = " with live-restore" if broken.live_restore else ""
        took = f"{time.monotonic() - begun:.1f} s"
        figure("R4", f"four verbs after a {end}{kept}, told in", took)
        assert tree(stack.folder) == before
        broken.start()
        status = stack.ttctl.run("status", stack.name, "--json").data
        if broken.live_restore:
            assert status["state"] == "ready"
        else:
            # What ended is not what was never there.
            assert {one["service"] for one in status["containers"]} == {"vllm", "gateway"}
        back(broken, stack, before, figure)


@pytest.mark.parametrize("end", ENDS)
def test_an_engine_that_goes_during_an_up_is_told_and_one_up_goes_on(
    broken: OwnEngine, stack: Stack, figure: Figure, rounds: Rounds, end: str
) -> None:
    """Take it away at one step after the other."""
    stack.up()
    before = tree(stack.folder)
    moments, first = list(MOMENTS), FIRST[end]
    order = [*moments[first::2], *moments[1 - first :: 2]]
    for moment in order[: rounds(fast=1, whole=len(moments))]:
        taken_away(broken, stack)
        child = stack.start_up("--force-recreate")
        said = read_until(child, MOMENTS[moment])
        ENDS[end](broken)
        begun = time.monotonic()
        done = finish(child)
        took = time.monotonic() - begun
        text = "".join(said) + done.err
        assert "Traceback" not in text
        assert done.code in {0, 5}, text
        # A restart may be over before it is noticed; what stays away is not.
        assert done.code == 5 or end == "restart", text
        if done.code:
            told = " ".join(parts(done.err).values())
            # Docker 20.10 may leave networks that carry nothing, when it is restarted just then.
            assert "engine" in told.lower() or (end == "restart" and "network" in told), text
            figure("R4", f"{end} {moment}: told after", f"{took:.1f} s")
        back(broken, stack, before, figure)
