# SPDX-License-Identifier: Apache-2.0
"""Is a boot unit written, read back, enabled and taken away, and each failure told?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.rules.test_boot_unit import TEXT, WISH

from ttctl.errors import BadFileError
from ttctl.operations.boot_unit import remove_unit, write_unit

NAME = "ttctl-boot.service"


class FakeUnits:
    """Units in memory, and a systemctl that a test tells what to say."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self.asked: list[str] = []
        self.says: dict[str, str] = {}
        self.spoils = False
        self.lingering = False

    def path(self, name: str) -> Path:
        return Path("/units") / name

    def text(self, name: str) -> str | None:
        return self.texts.get(name)

    def write(self, name: str, text: str) -> None:
        self.texts[name] = text.replace("up --boot", "up") if self.spoils else text

    def remove(self, name: str) -> None:
        del self.texts[name]

    def systemctl(self, words: tuple[str, ...]) -> str:
        self.asked.append(" ".join(words))
        return self.says.get(words[-1], "")

    def lingers(self, user: str) -> bool:
        return self.lingering and user == "ann"


@pytest.fixture
def units() -> FakeUnits:
    return FakeUnits()


def test_it_is_written_and_what_to_type_is_said_and_nothing_is_run(units: FakeUnits) -> None:
    made = write_unit(units, WISH, left_out=("TTCTL_UP_PORT",))
    assert units.texts == {NAME: TEXT}
    assert (made.path, made.changed, made.enabled) == (f"/units/{NAME}", True, False)
    assert made.left_out == ("TTCTL_UP_PORT",)
    assert made.commands == (
        "systemctl --user daemon-reload",
        f"systemctl --user enable --now {NAME}",
        "sudo loginctl enable-linger ann",
    )
    assert units.asked == []


def test_a_second_time_nothing_changes(units: FakeUnits) -> None:
    write_unit(units, WISH)
    assert not write_unit(units, WISH).changed


def test_a_user_that_lingers_is_not_told_to(units: FakeUnits) -> None:
    units.lingering = True
    assert not any("linger" in one for one in write_unit(units, WISH).commands)


def test_a_unit_of_the_system_is_told_with_sudo_but_not_to_root(units: FakeUnits) -> None:
    made = write_unit(units, replace(WISH, scope="system"))
    assert made.commands == (
        "sudo systemctl daemon-reload",
        "sudo systemctl enable --now ttctl-boot-ann.service",
    )
    root = write_unit(units, replace(WISH, scope="system", user="root"))
    assert root.commands[0] == "systemctl daemon-reload"


def test_a_dry_run_writes_and_asks_nothing(units: FakeUnits) -> None:
    made = write_unit(units, WISH, enable=True, dry_run=True)
    assert (made.text, made.changed, made.enabled) == (TEXT, True, False)
    assert (units.texts, units.asked) == ({}, [])
    write_unit(units, WISH)
    assert remove_unit(units, WISH, dry_run=True).changed
    assert units.texts == {NAME: TEXT}


def test_systemctl_is_asked_where_it_is_said_and_starts_nothing(units: FakeUnits) -> None:
    made = write_unit(units, WISH, enable=True)
    assert units.asked == ["--user daemon-reload", f"--user enable {NAME}"]
    assert (made.enabled, made.failures) == (True, ())
    assert made.commands == ("sudo loginctl enable-linger ann",)


def test_each_failure_of_systemctl_is_told_and_the_unit_stays(units: FakeUnits) -> None:
    units.says = {"daemon-reload": "No bus.", NAME: "No such unit."}
    made = write_unit(units, WISH, enable=True)
    assert (made.enabled, units.texts) == (False, {NAME: TEXT})
    assert made.failures == (
        "systemctl --user daemon-reload: No bus.",
        f"systemctl --user enable {NAME}: No such unit.",
    )
    assert made.commands[0] == "systemctl --user daemon-reload"


def test_a_file_that_does_not_read_as_it_was_meant_is_told(units: FakeUnits) -> None:
    units.spoils = True
    with pytest.raises(BadFileError, match="does not say what is meant"):
        write_unit(units, WISH, enable=True)
    assert units.asked == []


def test_a_unit_that_somebody_else_made_is_neither_replaced_nor_removed(
    units: FakeUnits,
) -> None:
    units.texts = {NAME: "[Service]\n"}
    with pytest.raises(BadFileError, match="is not a unit of ttctl's"):
        write_unit(units, WISH)
    with pytest.raises(BadFileError) as caught:
        remove_unit(units, WISH)
    assert caught.value.next_step == f"mv /units/{NAME} /units/{NAME}.old"
    assert units.texts == {NAME: "[Service]\n"}


def test_it_is_taken_away_and_a_second_time_there_is_none(units: FakeUnits) -> None:
    write_unit(units, WISH)
    gone = remove_unit(units, WISH)
    assert (gone.changed, gone.removed, units.texts) == (True, True, {})
    assert gone.commands == ("systemctl --user daemon-reload",)
    again = remove_unit(units, WISH)
    assert (again.changed, again.commands) == (False, ())
