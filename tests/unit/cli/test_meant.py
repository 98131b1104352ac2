# SPDX-License-Identifier: Apache-2.0
"""Is what was meant said as a whole command that can be typed?"""

from __future__ import annotations

import re
import shlex
import signal
from typing import TYPE_CHECKING

import pytest

from ttctl.cli.app import run_command
from ttctl.cli.door import split_flags, split_values
from ttctl.cli.meant import Typed, nearest
from ttctl.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    before = {one: signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGHUP)}
    yield
    for one, handler in before.items():
        signal.signal(one, handler)


@pytest.mark.parametrize(
    ("line", "what", "next_step"),
    [
        pytest.param("dwon llama -v", "verb 'dwon'", "ttctl down llama -v", id="a verb"),
        pytest.param("lsit", "verb 'lsit'", "ttctl list", id="an alias"),
        pytest.param("config sitee", "verb 'config sitee'", "ttctl config site", id="a sub-verb"),
        pytest.param(
            "models shwo llama", "verb 'models shwo'", "ttctl models show llama", id="and its words"
        ),
        pytest.param(
            "up llama --devcie cpu", "option '--devcie'", "ttctl up llama --device cpu", id="option"
        ),
        pytest.param(
            "up llama --devcie=cpu", "option '--devcie'", "ttctl up llama --device=cpu", id="="
        ),
        pytest.param("ps --jsno", "option '--jsno'", "ttctl ps --json", id="a global flag"),
        pytest.param(
            "--config /dev/null dwon x",
            "verb 'dwon'",
            "ttctl --config /dev/null down x",
            id="a file",
        ),
        pytest.param(
            "--debug --quiet dwon 'a b'",
            "verb 'dwon'",
            "ttctl --quiet --debug down 'a b'",
            id="flags and quotes stay",
        ),
        pytest.param(
            "up lama --device cpu -- --max-num-seqs 8",
            "model 'lama'",
            "ttctl up llama --device cpu -- --max-num-seqs 8",
            id="a model, and what is behind --",
        ),
        pytest.param(
            "models show tinylama", "model 'tinylama'", "ttctl models show tinyllama", id="an alias"
        ),
        pytest.param(
            "models ls --device n510",
            "device type 'n510'",
            "ttctl models ls --device n150",
            id="a device",
        ),
        pytest.param("run x", "verb 'run'", "ttctl up x", id="another tool's word"),
        pytest.param("images", "verb 'images'", "ttctl models ls --cached", id="of two words"),
        pytest.param("version", "verb 'version'", "ttctl --version", id="an option here"),
        pytest.param("ps -a --format json", "option '--format'", "ttctl --json ps -a", id="format"),
        pytest.param("ps -o=json", "option '-o'", "ttctl --json ps", id="kubectl's format"),
        pytest.param(
            "plan M --stack rva", "option '--stack'", "ttctl plan M --name rva", id="a stack's name"
        ),
        pytest.param(
            "up M --stack=rva", "option '--stack'", "ttctl up M --name=rva", id="and its value"
        ),
        pytest.param(
            "chat --name rva hi", "option '--name'", "ttctl chat --stack rva hi", id="the reverse"
        ),
        pytest.param("zzzz", "verb 'zzzz'", "ttctl --help", id="near to no verb"),
        pytest.param("up x --zzzz", "option '--zzzz'", "ttctl up --help", id="near to no option"),
        pytest.param("models zzzz", "verb 'models zzzz'", "ttctl models --help", id="nor sub-verb"),
        pytest.param("up zzzz", "model 'zzzz'", "ttctl models ls", id="near to no model"),
    ],
)
def test_a_word_that_is_off_ends_with_2_and_the_whole_command_put_right(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    *,
    line: str,
    what: str,
    next_step: str,
) -> None:
    for name in ("XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    words, values = split_values(shlex.split(line))
    code = run_command(*split_flags(words), values)
    err = capsys.readouterr().err
    assert code == 2
    assert f"There is no {what}" in err
    assert f"next:     {next_step}\n" in err


@pytest.mark.parametrize(
    ("line", "next_step"),
    [
        pytest.param("chat hi -s", "ttctl chat --help", id="an option without its value"),
        pytest.param("models ls --device", "ttctl models ls --help", id="of a sub-verb"),
        pytest.param("chat two words -m x", "ttctl chat 'two words' -m x", id="no quotes"),
        pytest.param("completion", "ttctl completion bash", id="a choice that is missing"),
        pytest.param("plan llama --block-size 7", "ttctl plan llama --block-size 16", id="limit"),
        pytest.param(
            "plan llama -- --block-size 7", "ttctl plan llama -- --block-size 16", id="--"
        ),
        pytest.param(
            "lock llama --max-model-len=-5", "ttctl lock llama --max-model-len=16", id="too small"
        ),
        pytest.param(
            "plan demo-llama --device n300", "ttctl plan demo-llama --device cpu", id="a device"
        ),
        pytest.param("plan llama -- --seeed 1", "ttctl plan llama -- --seed 1", id="a flag"),
        pytest.param("plan llama -- --port 1", "ttctl plan --help", id="a flag that is refused"),
        pytest.param("models pull", "ttctl models pull llama", id="no model"),
    ],
)
def test_the_command_that_was_typed_is_put_right(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    *,
    line: str,
    next_step: str,
) -> None:
    for name in ("XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    words, _ = split_values(shlex.split(line))
    assert run_command(*split_flags(words)) in {2, 7}
    found = capsys.readouterr().err
    assert f"next:     {next_step}\n" in found
    heads = re.findall(r"^(\w+):", found, re.MULTILINE)
    assert heads in (["error", "why", "next"], ["error", "why", "evidence", "next"])


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        pytest.param(("wait", "--timeout", "3"), "ttctl wait lk --timeout 3", id="an argument"),
        pytest.param(
            ("exec", "vllm", "--", "id"), "ttctl exec --stack lk vllm -- id", id="an option"
        ),
        pytest.param(("chat", "hi"), "ttctl chat --stack lk hi", id="before the question"),
        pytest.param(("connect", "env"), "ttctl connect env lk", id="the last argument"),
    ],
)
def test_the_stack_that_is_missing_is_put_where_the_verb_has_it(
    words: tuple[str, ...], expected: str
) -> None:
    error = UsageError("Which stack is meant?", added="lk", next_step="ttctl status lk")
    assert Typed(words=words).put_right(error) == expected


def test_a_word_that_was_not_typed_is_not_put_right() -> None:
    error = UsageError("48 is off.", mistyped="48", meant="64", next_step="ttctl config show")
    assert Typed(words=("up", "llama")).put_right(error) == "ttctl config show"


def test_the_first_word_like_the_wrong_one_is_replaced_and_values_behind_an_equals_too() -> None:
    typed = Typed(words=("up", "lama", "--name", "lama"))
    assert typed.corrected("lama", "llama") == "ttctl up llama --name lama"
    typed = Typed(words=("chat", "--stack=lama", "hi"))
    assert typed.corrected("lama", "llama") == "ttctl chat --stack=llama hi"


def test_words_that_only_share_their_dashes_are_not_near() -> None:
    assert nearest("--bogus", ["--verbose", "--json"]) == ""
    assert nearest("--verbos", ["--verbose", "--json"]) == "--verbose"


def test_a_choice_that_is_off_gets_the_nearest_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["completion", "zhs"], frozenset()) == 2
    assert "next:     ttctl completion zsh\n" in capsys.readouterr().err


def test_a_flag_with_a_value_is_told_to_have_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["ps", "--json=yes"], frozenset()) == 2
    err = capsys.readouterr().err
    assert "error:    --json takes no value.\n" in err
    assert "next:     ttctl ps --json\n" in err


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("up", "x"), "ttctl up x --lock-timeout 600"),
        (("up", "--lock-timeout", "0", "x"), "ttctl up x --lock-timeout 600"),
        (("up", "x", "--lock-timeout", "0"), "ttctl up x --lock-timeout 600"),
    ],
    ids=["added", "another value", "at the end"],
)
def test_an_option_is_added_or_replaced(words: tuple[str, ...], line: str) -> None:
    assert Typed(words=words).with_option("--lock-timeout", "600") == line


@pytest.mark.parametrize(
    "line", ["down rvc -v", "down --all rvc", "models rm rvc --yes", "swap rvc x"]
)
def test_what_destroys_is_never_put_right_with_a_name_that_was_guessed(line: str) -> None:
    error = UsageError("No.", next_step="ttctl ps -a", mistyped="rvc", meant="rvp")
    assert Typed(words=tuple(line.split())).put_right(error) == "ttctl ps -a"
    error = UsageError("No.", next_step="ttctl ps -a", added="rvp")
    assert Typed(words=tuple(line.split())).put_right(error) == "ttctl ps -a"


def test_an_option_of_what_destroys_is_put_right() -> None:
    error = UsageError("No.", mistyped="--volums", meant="--volumes")
    found = Typed(words=("down", "x", "--volums")).put_right(error)
    assert found == "ttctl down x --volumes"
