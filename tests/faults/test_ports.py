# SPDX-License-Identifier: Apache-2.0
"""R10. A port that somebody has, or takes between the look and the start: named, and no husk."""

from __future__ import annotations

import os
import socket
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from tests.e2e.driver import finish, until
from tests.e2e.left_behind import left_behind
from tests.faults.stage import through

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.driver import Stack
    from tests.faults.conftest import Figure

pytestmark = pytest.mark.docker

HELD_UP = """#!/bin/bash
case " $* " in *" compose "*" up "*)
  touch "{at_it}"
  until [ -e "{go_on}" ]; do sleep 0.02; done
esac
exec {docker} "$@"
"""
"""A docker that waits before it starts a stack, so that a test can take the port."""


def taken(port: int) -> socket.socket:
    held = socket.create_server(("127.0.0.1", port))
    held.listen()
    return held


def test_a_port_that_is_taken_is_told_with_its_holder_before_anything_is_made(
    stack: Stack, figure: Figure
) -> None:
    with closing(taken(stack.port)):
        began = time.monotonic()
        ran = stack.up(exits=2)
        took = time.monotonic() - began
    assert f"Port {stack.port} on 127.0.0.1 is taken" in ran.err
    assert f"pid {os.getpid()}" in ran.err
    assert left_behind(stack).containers == {}
    assert left_behind(stack).networks == {}
    figure("R10", "port taken before `up`", f"holder named, 0 husks, {took:.1f} s in all")
    stack.up()
    assert stack.serves()


def test_a_port_that_is_taken_between_the_look_and_the_start_leaves_no_husk(
    stack: Stack, tmp_path: Path, figure: Figure
) -> None:
    at_it, go_on = tmp_path / "at-it", tmp_path / "go-on"
    child = through(stack, tmp_path, HELD_UP, at_it=at_it, go_on=go_on).start_up()
    until(at_it.exists)
    with closing(taken(stack.port)):
        go_on.touch()
        ran = finish(child)
        assert ran.code == 2, ran.err
        assert "Traceback" not in ran.err
        assert f"Port {stack.port} on 127.0.0.1 is taken" in ran.err
        assert f"pid {os.getpid()}" in ran.err
        husks = [name for name, one in left_behind(stack).containers.items() if one[1] == "created"]
    figure("R10", "port taken between the look and the start", f"{len(husks)} husks")
    assert husks == []
    stack.up()
    assert stack.serves()
