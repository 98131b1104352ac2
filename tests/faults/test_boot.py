# SPDX-License-Identifier: Apache-2.0
"""Does what was up come back after a reboot, by the unit that `ttctl config boot` writes?

On a machine that really boots systemd, with this one's files; the container engine is one of the
test's own, whose containers ended as they do when a machine goes down.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.faults.own_engine import until
from tests.faults.stage import stack_on
from tests.faults.systemd_machine import machine

if TYPE_CHECKING:
    from pathlib import Path

    from tests.faults.conftest import Figure
    from tests.faults.own_engine import OwnEngine

pytestmark = pytest.mark.docker
UNIT = "ttctl-boot-root.service"


def test_what_was_up_comes_back_after_a_reboot_and_what_was_ended_does_not(
    broken: OwnEngine, tmp_path: Path, figure: Figure
) -> None:
    kept, ended = (stack_on(broken, tmp_path / "home", name=name) for name in ("kept", "ended"))
    for one in (kept, ended):
        one.up()
    ended.down()
    with machine(tmp_path, tmp_path / "home", broken.folder) as computer:
        computer.boot()
        computer.run(
            str(kept.ttctl.program), "config", "boot", "--enable", environ=kept.ttctl.environ
        )
        assert computer.run("systemctl", "is-enabled", UNIT) == "enabled"
        computer.switch_off()
        broken.stop()
        computer.boot()
        # The unit begins before there is an engine, and waits for it.
        until(lambda: computer.property_of(UNIT, "ActiveState") == "activating", computer.console)
        broken.start()
        until(lambda: computer.property_of(UNIT, "ActiveState") != "activating", computer.console)
        assert computer.property_of(UNIT, "ActiveState") == "active", computer.console()
        assert computer.property_of(UNIT, "ExecMainStatus") == "0"
        assert kept.serves()
        assert ended.inspect() == {}
        figure("R5", "stacks back after a reboot, through the unit under systemd", "1 of 1")
