# SPDX-License-Identifier: Apache-2.0
"""Does every place of a line get what can stand there, from local files, and fast?"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from ttctl.cli.completing import answer, suggestions
from ttctl.cli.door import GLOBAL
from ttctl.cli.registry import ALIASES, COMMANDS
from ttctl.model.device import DEVICE_NAMES
from ttctl.model.setting_rows import KEYS

if TYPE_CHECKING:
    from pathlib import Path

COMPOSE = """\
name: x
services:
  {first}:
    init: true
  gateway:
    ports:
      - a:
networks:
  back:
"""
SLOW = {
    "asyncio", "click", "dataclasses", "docker", "httpx2", "huggingface_hub", "inspect", "jinja2",
    "pydantic", "rich", "socket", "ssl", "subprocess", "tomllib", "typer", "yaml",
}  # fmt: skip


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """Return an environment with two stacks, and a folder that is none."""
    for stack, first in (("llama", "vllm"), ("second", "engine")):
        rendered = tmp_path / "ttctl" / "stacks" / stack / "rendered"
        rendered.mkdir(parents=True)
        (rendered / "ttctl.lock").write_text("")
        (rendered / "compose.yaml").write_text(COMPOSE.format(first=first))
    (tmp_path / "ttctl" / "stacks" / "begun").mkdir()
    return {"XDG_STATE_HOME": str(tmp_path)}


def words_for(line: str, environ: dict[str, str], *, whole: bool = True) -> list[str]:
    *words, incomplete = line.split(" ")
    return [word for _, word, _ in suggestions(words, incomplete, environ, whole=whole)]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param("mod", ["models"], id="a verb"),
        pytest.param("ser", ["serve"], id="an alias"),
        pytest.param("models sh", ["show"], id="a sub-verb"),
        pytest.param("show tiny", ["tinyllama"], id="behind an alias of two words"),
        pytest.param("--json statu", ["status"], id="behind a global flag"),
        pytest.param("up --json lla", ["llama"], id="behind one that follows the verb"),
        pytest.param("up Tiny", ["TinyLlama/TinyLlama-1.1B-Chat-v1.0"], id="a model"),
        pytest.param("up SmolLM2-3", ["SmolLM2-360M-Instruct"], id="a model's last part"),
        pytest.param("up llama --device n3", ["n300"], id="a device"),
        pytest.param("up llama --device=n3", ["--device=n300"], id="behind an equals"),
        pytest.param("up --name lla", ["llama"], id="a name is a stack's"),
        pytest.param("status ", ["llama", "second"], id="stacks"),
        pytest.param("chat --stack s", ["second"], id="a stack as an option"),
        pytest.param("exec ", ["vllm", "gateway", "engine"], id="services of all stacks"),
        pytest.param("exec --stack second ", ["engine", "gateway"], id="services of one"),
        pytest.param("exec --stack=second e", ["engine"], id="of one, behind an equals"),
        pytest.param("logs llama --service ", ["vllm", "gateway"], id="of the one that is named"),
        pytest.param("logs none --service ", [], id="of one that is not here"),
        pytest.param("completion ", ["bash", "zsh", "fish"], id="choices"),
        pytest.param("connect ai", ["aider"], id="a program"),
        pytest.param("chat --role teach", ["teacher"], id="a role"),
        pytest.param("up llama --port ", [], id="a number"),
        pytest.param("up llama ll", [], id="too many words"),
        pytest.param("zzz ll", [], id="no verb"),
        pytest.param("up llama -- --max", [], id="behind --"),
        pytest.param("--vers", ["--version"], id="at the front"),
        pytest.param("ps --vers", [], id="at the front only"),
        pytest.param("down --vol", ["--volumes"], id="an option"),
        pytest.param("down --volumes --vol", [], id="an option that is given"),
        pytest.param("down -v --vol", [], id="given by its short name"),
        pytest.param("--json ps --js", [], id="a global flag that is given"),
        pytest.param("up llama --device cpu --dev", [], id="given with its value"),
        pytest.param("up llama --device=cpu --dev", [], id="given with an equals"),
        pytest.param("ps --al", ["--all"], id="of this verb"),
        pytest.param("config set up.po", ["up.port"], id="a setting"),
        pytest.param("config set output.color al", ["always"], id="a setting's value"),
        pytest.param("config set up.device t3", ["t3k"], id="a setting that is a device"),
    ],
)
def test_each_place_gets_what_can_stand_there(
    environ: dict[str, str], line: str, expected: list[str]
) -> None:
    assert words_for(line, environ) == expected


def test_an_empty_line_gets_every_verb_and_every_alias(environ: dict[str, str]) -> None:
    assert set(words_for("", environ)) == {*COMMANDS, *ALIASES}


def test_devices_settings_and_global_flags_are_all_there(environ: dict[str, str]) -> None:
    assert words_for("up llama --device ", environ) == list(DEVICE_NAMES)
    assert words_for("config set ", environ) == list(KEYS)
    flags = words_for("ps --", environ)
    assert {long for long, *_ in GLOBAL} <= set(flags)
    assert "--config" in flags


def test_where_no_word_is_left_the_options_are_offered(environ: dict[str, str]) -> None:
    assert "--output" in words_for("render llama ", environ)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param("render llama -o so", [("file", "so", "")], id="a path"),
        pytest.param("exec vllm -- so", [("file", "so", "")], id="behind -- of exec"),
        pytest.param("--config so", [("file", "so", "")], id="the settings' file"),
    ],
)
def test_a_path_is_left_to_the_shell(
    environ: dict[str, str], line: str, expected: list[tuple[str, str, str]]
) -> None:
    *words, incomplete = line.split(" ")
    assert suggestions(words, incomplete, environ) == expected


@pytest.mark.parametrize(
    ("shell", "line", "at", "expected"),
    [
        pytest.param("bash", "ttctl up tiny", "2", "plain,tinyllama\n", id="bash"),
        pytest.param("bash", "ttctl\nup\n--device\n=\nn3", "4", "plain,n300\n", id="bash, ="),
        pytest.param("bash", "ttctl\nup\n--device\n=", "3", "plain,cpu\n", id="bash, = alone"),
        pytest.param("bash", "ttctl up 'tiny", "2", "plain,tinyllama\n", id="an open quote"),
        pytest.param("zsh", "ttctl up tiny", "2", "plain\ntinyllama\n_\n", id="zsh, no text"),
        pytest.param(
            "zsh", "ttctl dev", "1", "plain\ndevices\nList the cards of this machine.\n", id="zsh"
        ),
        pytest.param("fish", "ttctl up tiny", "tiny", "plain,tinyllama\n", id="fish"),
        pytest.param(
            "fish", "ttctl cha", "cha", "plain,chat\tAsk a running model; once", id="fish, a comma"
        ),
        pytest.param("fish", "ttctl up llama --device ", "", "plain,cpu\n", id="fish, nothing yet"),
    ],
)
def test_each_shell_gets_the_lines_that_its_script_reads(
    shell: str, line: str, at: str, expected: str
) -> None:
    found = answer({"COMP_WORDS": line, "COMP_CWORD": at}, f"{shell}_complete")
    assert found.startswith(expected)


@pytest.mark.parametrize(
    "environ_of_shell",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"COMP_WORDS": "ttctl up", "COMP_CWORD": "x"}, id="no number"),
        pytest.param({"COMP_WORDS": "", "COMP_CWORD": "7"}, id="no words"),
    ],
)
def test_a_shell_that_asks_oddly_gets_no_failure(environ_of_shell: dict[str, str]) -> None:
    assert "Traceback" not in answer(environ_of_shell, "bash_complete")


def test_a_state_folder_that_cannot_be_read_gives_nothing(tmp_path: Path) -> None:
    stack = tmp_path / "ttctl" / "stacks" / "llama" / "rendered"
    (stack / "compose.yaml").mkdir(parents=True)
    environ = {"XDG_STATE_HOME": str(tmp_path), "COMP_WORDS": "ttctl exec ", "COMP_CWORD": "2"}
    assert answer(environ, "bash_complete") == ""


@pytest.mark.parametrize(
    "line", ["ttctl ", "ttctl up ", "ttctl up x --device ", "ttctl exec ", "ttctl config set "]
)
def test_an_answer_loads_nothing_that_is_slow_and_opens_no_socket(line: str) -> None:
    environ = {
        **os.environ,
        "_TTCTL_COMPLETE": "bash_complete",
        "COMP_WORDS": line,
        "COMP_CWORD": str(line.count(" ")),
    }
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "ttctl.cli.main"],
        env=environ, capture_output=True, text=True, check=True,
    )  # fmt: skip
    loaded = {
        entry.rpartition("|")[2].strip().partition(".")[0]
        for entry in done.stderr.splitlines()
        if entry.startswith("import time:")
    }
    assert "ttctl" in loaded
    assert loaded.isdisjoint(SLOW)


def test_the_door_answers_and_ends_with_0_whatever_is_asked() -> None:
    environ = {**os.environ, "_TTCTL_COMPLETE": "odd", "COMP_CWORD": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "ttctl.cli.main", "down"],
        env=environ, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
