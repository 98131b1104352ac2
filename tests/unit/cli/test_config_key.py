# SPDX-License-Identifier: Apache-2.0
"""Is a new key printed once, alone on stdout, and never anywhere else?"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from tests.unit.fakes import Scene

from ttctl.cli.app import group
from ttctl.cli.meant import Typed
from ttctl.cli.session import Flags, Session
from ttctl.errors import UsageError
from ttctl.model.spec import Request
from ttctl.operations.up import up

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[..., tuple[str, str]]


@pytest.fixture
def scene() -> Scene:
    scene = Scene()
    up(scene.world, Request(model="llama"))
    return scene


@pytest.fixture
def run(scene: Scene, capsys: pytest.CaptureFixture[str]) -> Run:
    def typed(*words: str, **flags: Any) -> tuple[str, str]:  # noqa: ANN401
        session = Session(Flags(**flags))
        vars(session)["world"] = scene.world
        group().main(args=["config", "key", *words], standalone_mode=False, obj=session)
        return capsys.readouterr()

    return typed


def test_a_new_key_stands_alone_on_stdout_and_what_is_to_be_known_of_it_on_stderr(
    run: Run, scene: Scene
) -> None:
    out, err = run("new", "ci")
    assert scene.key_ring.hash_of(out.strip()) == scene.key_ring.rows["llama"][-1].sha256
    assert out.strip() not in err
    assert "The key 'ci' of 'llama' is made; it is shown this once." in err


def test_a_named_key_that_is_exchanged_is_printed_too(run: Run) -> None:
    first, _ = run("new", "ci")
    out, err = run("rotate", "ci", "--keep", "15m")
    assert out.strip() != first.strip()
    assert out.startswith("canary-of-key-")
    assert "the one before it goes on until 2027-01-15T08:15:00Z" in err


def test_the_stacks_own_key_is_not_printed_but_its_file_is(run: Run, scene: Scene) -> None:
    out, err = run("rotate", "--keep", "0")
    key = scene.store.made_keys["llama"]
    assert key not in out + err
    assert f"in {scene.store.key_file('llama')}; the one before it is refused from now on" in out


def test_a_list_has_names_and_times_and_no_key_and_no_hash(run: Run, scene: Scene) -> None:
    key, _ = run("new", "ci")
    out, _ = run("ls", "llama")
    rows = [line.split() for line in out.splitlines()]
    assert rows[1:] == [
        ["default", "-", "-", "valid"],
        ["ci", "2027-01-15T08:00:00Z", "-", "valid"],
    ]
    assert key.strip() not in out
    assert not [one for one in scene.key_ring.rows["llama"] if one.sha256 in out]


def test_a_program_gets_the_key_in_its_answer_and_in_no_event(run: Run) -> None:
    out, err = run("new", "ci", as_json=True)
    answer = json.loads(out)
    assert answer["data"]["gateway"] == "told"
    assert answer["data"]["key"].startswith("canary-of-key-")
    assert answer["data"]["key"] not in err


@pytest.mark.parametrize("words", [("new", "other"), ("rotate", "ci"), ("revoke", "ci")])
def test_a_dry_run_says_what_would_be_and_has_no_key(run: Run, words: tuple[str, ...]) -> None:
    run("new", "ci")
    out, _ = run(*words, "--dry-run")
    assert "would be" in out
    assert "canary" not in out


def test_a_gateway_that_does_not_run_is_told_of(run: Run, scene: Scene) -> None:
    scene.engine.set_state("gateway", state="exited")
    _, err = run("new", "ci")
    assert "reads it at its start" in err


def test_a_time_that_is_none_is_refused_before_anything_is_looked_at(
    run: Run, scene: Scene
) -> None:
    scene.taken()
    with pytest.raises(UsageError, match="no time to keep"):
        run("rotate", "--keep", "forever")
    assert scene.taken() == []


def test_a_name_that_is_nearly_right_is_not_put_into_a_command_that_revokes() -> None:
    error = UsageError("no", mistyped="labtop", meant="laptop", next_step="ttctl config key ls")
    for verb, next_step in (
        ("revoke", "ttctl config key ls"),
        ("rotate", "ttctl config key rotate laptop"),
    ):
        assert Typed(words=("config", "key", verb, "labtop")).put_right(error) == next_step
