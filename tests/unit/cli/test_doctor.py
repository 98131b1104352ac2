# SPDX-License-Identifier: Apache-2.0
"""Can the screen of doctor be read, does it exit as promised, and is nothing mended unasked?"""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import typer
from tests.unit.fakes import Scene, at, container

from ttctl.cli import doctor as module
from ttctl.cli.palette import Palette
from ttctl.cli.session import Flags, Session
from ttctl.errors import UsageError
from ttctl.model.health import CardVitals, Check, Destination, Diagnosis
from ttctl.model.site import Site

if TYPE_CHECKING:
    from pathlib import Path

PLAIN = Palette(0)
COLOURS = Palette(3)


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return Scene()


def run(scene: Scene, *words: str, **flags: bool) -> int:
    """Run the command in a session of its own and return its exit code."""
    session = Session(Flags(**flags))
    vars(session)["world"] = scene.world
    command = typer.main.get_command(module.app)
    code: Any = command.main(list(words), "ttctl doctor", standalone_mode=False, obj=session)
    return code or 0


def unwell(scene: Scene) -> Scene:
    """Give the machine a warning, and a failure that is mended by --fix."""
    scene.vitals.the_engine = replace(scene.vitals.the_engine, live_restore=False)
    folders = scene.vitals.the_folders
    state = replace(folders.state, mode=0o755, exposed=("stacks/llama",))
    scene.vitals.the_folders = replace(folders, state=state)
    return scene


def test_a_machine_that_is_well_exits_with_nothing_to_do(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(scene) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert "fix:" not in out
    assert re.search(
        r"^\d+ ok, 0 warnings, 0 failed, 2 skipped\nnext:     ttctl up llama$", out, re.MULTILINE
    )


def test_a_warning_is_fine_until_strict(scene: Scene) -> None:
    scene.vitals.the_engine = replace(scene.vitals.the_engine, live_restore=False)
    assert run(scene) == 0
    assert run(scene, "--strict") == 1


def test_a_failure_exits_with_one_and_has_evidence_and_fix(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(unwell(scene)) == 1
    out = capsys.readouterr().out
    assert (
        "  failed   state            other users can get into the state folder\n"
        "           found: mode 0755, expected 0700; open: stacks/llama.\n"
        "           fix:   chmod 0700 /state\n"
    ) in out
    assert out.endswith("1 warning, 1 failed, 2 skipped\nnext:     ttctl doctor --fix\n")
    assert scene.taken() == []


def test_no_line_but_a_command_is_longer_than_eighty_columns(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    scene.vitals.the_cards = CardVitals(pci=tuple(f"0000:{n:02x}:00.0" for n in range(32)))
    scene.host.holders[8000] = "a process with a name that takes a lot of room on every screen"
    run(unwell(scene))
    for line in capsys.readouterr().out.splitlines():
        assert len(line) <= 80 or line.lstrip().startswith(("fix:", "next:")), line


def test_the_answer_for_programs_is_one_envelope(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(unwell(scene), as_json=True) == 1
    answer = json.loads(capsys.readouterr().out)
    assert answer["schema"] == "ttctl.doctor/1"
    data = answer["data"]
    assert (data["warnings"], data["failed"]) == (1, 1)
    assert data["ok"] + data["warnings"] + data["failed"] + data["skipped"] == len(data["checks"])
    failed = [check for check in data["checks"] if check["verdict"] == "failed"]
    assert [(one["name"], one["fix"], one["harmless"]) for one in failed] == [
        ("state", "chmod 0700 /state", True)
    ]


def test_a_fix_that_was_agreed_to_is_done_and_the_new_verdict_shown(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(unwell(scene), "--fix", yes=True) == 0
    assert scene.taken() == ["make-private"]
    out = capsys.readouterr().out
    assert "  ok       state            private, writable, locks work\n" in out
    assert "0 failed" in out


def test_every_harmless_fix_is_done(scene: Scene) -> None:
    husk = container("gateway", state="created", container_id="a" * 64)
    scene.engine.states[husk.name] = husk
    folders = unwell(scene).vitals.the_folders
    cache = replace(folders.cache, strays=("/cache/.ttctl-a",))
    scene.vitals.the_folders = replace(folders, cache=cache)
    assert run(scene, "--fix", yes=True) == 0
    assert scene.taken() == ["make-private", "sweep", f"remove-containers {'a' * 64}"]


def test_where_nobody_can_be_asked_nothing_is_mended(scene: Scene) -> None:
    with pytest.raises(UsageError, match="consent") as caught:
        run(unwell(scene), "--fix")
    assert caught.value.next_step == "ttctl doctor --fix --yes"
    assert "chmod 0700 /state" in caught.value.why
    assert scene.taken() == []


def test_what_is_not_harmless_is_left_to_a_person(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    scene.vitals.the_engine = replace(scene.vitals.the_engine, live_restore=False)
    assert run(scene, "--fix", yes=True) == 0
    assert scene.taken() == []
    assert capsys.readouterr().err == "nothing here is mended by --fix\n"


def test_colours_change_no_word() -> None:
    checks = (
        Check(name="a", group="Engine", verdict="ok", summary="well"),
        Check(name="b", group="Space", verdict="failed", summary="x" * 90, evidence="e", fix="f g"),
    )
    found = Diagnosis(checks=checks, ok=1, warnings=0, failed=1, skipped=0, next_step="f g")
    painted = module.screen(found, COLOURS)
    assert "\x1b[" in painted
    assert re.sub(r"\x1b\[[0-9;]*m", "", painted) == module.screen(found, PLAIN)


def test_every_command_of_ours_that_a_fix_names_can_be_typed(scene: Scene) -> None:
    """Read the fixes of a machine on which much is wrong as the commands would."""
    from tests.unit.test_house import check, ttctl_commands  # noqa: PLC0415 - it reads a checkout

    scene.host.holders[8000] = "pid 12 (nginx)"
    scene.host.found = replace(scene.host.found, machine="aarch64", memory_bytes=5 << 30)
    scene.site = Site(ca_bundle=at("/etc/ca.pem"))
    silent = Destination(
        name="hub", url="http://h.example.org", source="x", use="weights", setting="hub_endpoint"
    )
    scene.host.silent.add(silent.url)
    scene.vitals.the_place = replace(
        scene.vitals.the_place, ca_error="no file", destinations=(silent,), refusal="no address"
    )
    scene.vitals.the_cards = CardVitals(pci=("0000:01:00.0",))
    _, found = module.operations.doctor(unwell(scene).world)
    fixes = [one.fix for one in found.checks if one.verdict in {"warning", "failed"}]
    typed = [words for fix in fixes for words in ttctl_commands(fix)]
    assert len(typed) >= 5
    for words in typed:
        check(words)
    for fix in fixes:
        assert shlex.split(fix.partition("   #")[0]), fix
