# SPDX-License-Identifier: Apache-2.0
"""Is an upgrade shown before it is agreed to, and a history laid out for people?"""

from __future__ import annotations

import sys
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import click
import pytest
from tests.unit.cli.test_up_consent import Terminal
from tests.unit.fakes import NEWER, Scene
from tests.unit.operations.test_rollback import SMALL, serving

from ttctl.cli import diff, history, rollback, upgrade
from ttctl.cli.generation_text import difference_text, exchanged_text
from ttctl.cli.palette import Palette
from ttctl.cli.session import Flags, Session
from ttctl.errors import DirtyError, UsageError
from ttctl.model.catalog import FieldMoved
from ttctl.model.generation import Difference, Exchanged, FileMoved
from ttctl.operations.up import up

if TYPE_CHECKING:
    import typer

PLAIN = Palette(0)
NOTHING = Difference(stack="llama")
DONE = Exchanged(
    stack="llama",
    changed=True,
    generation=3,
    why="upgrade",
    difference=NOTHING,
    url="http://127.0.0.1:8000",
    seconds=81.25,
)


@pytest.fixture
def scene() -> Scene:
    made = Scene()
    up(made.world, SMALL)
    made.taken()
    return made


def context(scene: Scene, **flags: bool) -> typer.Context:
    """Return what a command is called with, on a scene's machine."""
    session = Session(Flags(**flags))
    vars(session)["world"] = scene.world
    vars(session)["settings"] = SimpleNamespace(
        project_file=None,
        find=lambda _: SimpleNamespace(value=None),
        find_quickly=lambda _: SimpleNamespace(value=None),
    )
    made: Any = click.Context(click.Command("ttctl"), obj=session)
    return made  # type: ignore[no-any-return]


def test_the_generations_are_a_table_in_which_the_one_that_serves_has_a_mark(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    up(scene.world, replace(SMALL, max_model_len=1024))
    history.history(context(scene), stack=None)
    head, newest, oldest = capsys.readouterr().out.splitlines()
    assert head.split() == ["NUMBER", "READY", "MODEL", "DEVICE", "ENGINE", "MADE", "OF", "WHY"]
    assert newest.split()[:7] == [
        "*", "2", "2026-01-31", "12:00:00", "Small-1B", "cpu", "vllm",
    ]  # fmt: skip
    assert "weights 111111111111, vllm-cpu:" in newest
    assert oldest.split()[0] == "1"


def test_a_stack_without_any_says_when_one_is_made(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    scene.generations.states.clear()
    history.history(context(scene), stack="llama")
    assert capsys.readouterr().out.startswith("No generation is kept yet")


def test_nobody_to_ask_changes_nothing_and_names_the_consent(scene: Scene) -> None:
    scene.weights.revision = NEWER
    with pytest.raises(UsageError) as caught:
        upgrade.upgrade(context(scene), stack=None)
    assert caught.value.next_step == "ttctl upgrade llama --yes"
    assert scene.taken() == []


@pytest.mark.parametrize(("words", "agreed"), [("y\n", True), ("n\n", False)])
def test_a_person_sees_the_difference_and_is_asked(
    scene: Scene,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: str,
    *,
    agreed: bool,
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(words))
    scene.weights.revision = NEWER
    upgrade.upgrade(context(scene), stack=None)
    seen = capsys.readouterr()
    assert f"weights.revision: {'1' * 40} -> {'2' * 40}" in seen.err
    assert "Upgrade llama to this? [y/N]" in seen.err
    assert len(serving(scene)) == (2 if agreed else 1)
    assert ("is up as generation 2 (upgrade" in seen.out) is agreed
    assert ("Nothing was changed." in seen.out) is not agreed


def test_consent_can_be_given_before(scene: Scene) -> None:
    scene.weights.revision = NEWER
    upgrade.upgrade(context(scene, yes=True), stack=None)
    assert serving(scene)[0] == (2, "upgrade", True)


def test_where_nothing_would_be_another_nobody_is_asked(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    upgrade.upgrade(context(scene), stack=None)
    assert capsys.readouterr().out == "llama: nothing was changed\n"
    diff.diff(context(scene), stack=None)
    assert capsys.readouterr().out == "llama: nothing, it is as it would be resolved now\n"
    assert scene.taken() == []


def test_a_dry_run_and_diff_show_the_same_and_do_nothing(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    scene.weights.revision = NEWER
    upgrade.upgrade(context(scene), stack=None, dry_run=True)
    shown = capsys.readouterr().out
    diff.diff(context(scene), stack=None)
    assert capsys.readouterr().out == shown
    assert "  .env: changed" in shown
    assert scene.taken() == []


def test_boards_that_need_a_reset_name_the_upgrade_with_its_consent(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dirty(*_: object, **__: object) -> None:
        raise DirtyError("They need a reset.", next_step="ttctl up llama --reset")

    monkeypatch.setattr(upgrade.operations, "upgrade", dirty)
    scene.weights.revision = NEWER
    with pytest.raises(DirtyError) as caught:
        upgrade.upgrade(context(scene, yes=True), stack=None)
    assert caught.value.next_step == "ttctl upgrade llama --reset"


def test_a_rollback_tells_what_it_leads_to_and_what_it_changes(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    up(scene.world, replace(SMALL, max_model_len=1024))
    scene.taken()
    rollback.rollback(context(scene), stack=None, dry_run=True)
    out = capsys.readouterr().out
    assert out.startswith("llama: back to generation 1, ready 2026-01-31T12:00:00Z\n")
    assert "max_model_len: 1024 -> 4096" in out
    assert scene.taken() == []
    rollback.rollback(context(scene), stack=None, to=1)
    seen = capsys.readouterr()
    assert "max_model_len: 1024 -> 4096" in seen.err
    assert seen.out.startswith("llama is up as generation 3 (rollback to 1, ")


def test_a_long_file_is_cut_and_a_new_one_is_named_only() -> None:
    found = Difference(
        stack="llama",
        values=(FieldMoved(name="port", before="", after="1"),),
        files=(
            FileMoved(path="a", move="changed", lines=tuple(f"+{n}" for n in range(23))),
            FileMoved(path="b", move="added", lines=("+x",)),
        ),
    )
    lines = difference_text(found, PLAIN).splitlines()
    assert lines[:3] == ["llama:", "  port: none -> 1", "  a: changed"]
    assert lines[-2:] == ["    and 3 lines more, which --json has", "  b: added"]


def test_what_serves_now_is_told_with_the_way_back() -> None:
    assert exchanged_text(DONE).splitlines() == [
        "llama is up as generation 3 (upgrade, 81.2 s)",
        "",
        "base URL   http://127.0.0.1:8000/v1",
        "back       ttctl rollback llama",
    ]
    assert exchanged_text(replace(DONE, changed=False)) == "llama: nothing was changed"
    assert exchanged_text(replace(DONE, generation=0)).startswith("llama is up (upgrade")
