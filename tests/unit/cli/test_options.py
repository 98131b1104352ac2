# SPDX-License-Identifier: Apache-2.0
"""Do flags win over settings, and settings over nothing, in every verb that takes a request?"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click
import pytest
import typer

from ttctl.cli import options  # noqa: TC001 - Typer reads annotations at run time
from ttctl.cli.request import takes_request
from ttctl.cli.session import Flags, Session
from ttctl.errors import BadFileError, UsageError
from ttctl.model.spec import Request

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the project's file of a folder in which nothing else is set."""
    for name in [name for name in os.environ if name.startswith(("TTCTL_", "XDG_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "ttctl.toml"


def got(*words: str) -> dict[str, Any]:
    """Return what a verb with the shared options gets."""
    found: dict[str, Any] = {}
    app = typer.Typer(add_completion=False, rich_markup_mode=None)

    @app.command()
    @takes_request
    def verb(
        ctx: typer.Context,
        *,
        request: Request,
        pull: options.Pull = "missing",
        lock_timeout: options.LockTimeout = 10,
    ) -> None:
        assert ctx.obj
        found.update(request=request, pull=pull, lock_timeout=lock_timeout)

    command = typer.main.get_command(app)
    command.main(list(words), prog_name="up", standalone_mode=False, obj=Session(Flags()))
    # Whether a terminal is there depends on who runs the tests.
    if "request" in found:
        found["request"] = replace(found["request"], unattended=False)
    return found


def test_what_is_typed_is_what_is_got(project: Path) -> None:
    project.write_text(
        "[up]\nmodel = 'llama'\nport = 1\npull = 'never'\nlock_timeout = 5\nname = 'mine'\n"
    )
    found = got("small", "--port", "2", "--pull", "always", "--lock-timeout", "3", "--name", "x")
    assert found["request"] == Request(model="small", port=2, name="x")
    assert (found["pull"], found["lock_timeout"]) == ("always", 3.0)


def test_what_is_not_typed_is_what_is_set(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project.write_text(
        "[up]\nmodel = 'llama'\nname = 'mine'\ndevice = 'cpu'\nport = 8001\nmax_model_len = 64\n"
        "max_num_seqs = 2\nblock_size = 32\nimage_uid = 2001\npull = 'never'\nlock_timeout = 5\n"
    )
    monkeypatch.setenv("TTCTL_UP_MAX_NUM_SEQS", "3")
    found = got()
    assert found["request"] == Request(
        model="llama",
        name="mine",
        device="cpu",
        port=8001,
        max_model_len=64,
        max_num_seqs=3,
        block_size=32,
        image_uid=2001,
    )
    assert (found["pull"], found["lock_timeout"]) == ("never", 5.0)


def test_where_nothing_is_set_the_defaults_hold(project: Path) -> None:
    assert not project.exists()
    found = got("llama")
    assert found["request"] == Request(model="llama")
    assert (found["pull"], found["lock_timeout"]) == ("missing", 10)


def test_another_model_does_not_take_the_name_of_the_settings_stack(project: Path) -> None:
    project.write_text("[up]\nmodel = 'llama'\nname = 'mine'\nport = 8001\n")
    assert got("llama")["request"].name == "mine"
    assert got("other")["request"] == Request(model="other", port=8001)
    assert got("other", "--name", "mine")["request"].name == "mine"


def test_no_model_at_all_is_refused_with_both_ways_to_name_one(project: Path) -> None:
    assert not project.exists()
    with pytest.raises(UsageError, match="No model was named") as caught:
        got()
    assert "ttctl config set up.model llama --project" in caught.value.evidence
    assert caught.value.next_step == "ttctl up llama"


def test_a_wrong_setting_is_refused_by_who_needs_it(project: Path) -> None:
    project.write_text("[up]\nprot = 1\n")
    with pytest.raises(BadFileError, match="does not hold"):
        got("llama")


def test_the_help_reads_no_setting(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project.write_text("[up\n")
    got("--help")
    assert "--port" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "model", "task"),
    [
        pytest.param(["small", "--task", "chat"], "small", "chat", id="a model for a task"),
        pytest.param(["--task", "chat"], "chat", None, id="a task in the model's place"),
        pytest.param(["small", "--task", "tts"], "small", "speech", id="a usual word for one"),
        pytest.param(["--task", "speech-to-text"], "audio", None, id="a usual word alone"),
    ],
)
def test_a_task_narrows_a_model_or_stands_in_its_place(
    words: list[str], model: str, task: str | None, project: Path
) -> None:
    project.write_text("[up]\nmodel = 'llama'\n")
    found = got(*words)["request"]
    assert (found.model, found.task) == (model, task)


def test_a_task_that_is_off_gets_the_nearest_one(project: Path) -> None:
    assert not project.exists()
    with pytest.raises(UsageError, match="no task 'caht'") as caught:
        got("small", "--task", "caht")
    assert (caught.value.mistyped, caught.value.meant) == ("caht", "chat")


@pytest.mark.parametrize("typed", ["n150", "N150", " N150 ", "P150x4"])
def test_a_device_type_may_be_typed_as_upstream_writes_it(typed: str, project: Path) -> None:
    assert not project.exists()
    assert got("small", "--device", typed)["request"].device == typed.strip().lower()


def test_a_device_type_in_the_spelling_of_mesh_device_is_taken_and_told(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert not project.exists()
    assert got("small", "--device", "TG")["request"].device == "galaxy"
    assert "--device TG means galaxy." in capsys.readouterr().err


def test_a_device_type_that_is_off_gets_the_nearest_one_whatever_its_case(project: Path) -> None:
    assert not project.exists()
    with pytest.raises(UsageError, match="no device type 'N510'") as caught:
        got("small", "--device", "N510")
    assert (caught.value.mistyped, caught.value.meant) == ("N510", "n150")


def test_what_serves_which_boards_and_which_checkouts_are_part_of_the_request(
    project: Path,
) -> None:
    assert not project.exists()
    words = ["--engine", "vllm", "--impl", "tt_transformers", "--board", "0", "--board", "0123"]
    words += ["--source", "vllm=/src/v=1", "--source", "tt-metal=../m"]
    assert got("llama", *words)["request"] == Request(
        model="llama",
        engine="vllm",
        implementation="tt_transformers",
        boards=("0", "0123"),
        sources=("vllm=/src/v=1", "tt-metal=../m"),
    )


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(["--source", "vllm"], id="no path"),
        pytest.param(["--source", "vllm="], id="an empty path"),
        pytest.param(["--source", "torch=/x"], id="no component"),
        pytest.param(["--source", "vllm=/x", "--source", "vllm=/y"], id="twice"),
    ],
)
def test_a_checkout_is_a_component_and_a_path_and_each_is_named_once(
    words: list[str], project: Path
) -> None:
    assert not project.exists()
    with pytest.raises(UsageError, match="names no checkout") as caught:
        got("llama", *words)
    assert "components: tt-metal, vllm" in caught.value.evidence


def test_an_engine_is_one_of_those_that_there_are(project: Path) -> None:
    assert not project.exists()
    with pytest.raises(click.UsageError, match="'vlm' is not one of 'vllm', 'media', 'forge'"):
        got("llama", "--engine", "vlm")
