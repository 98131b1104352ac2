# SPDX-License-Identifier: Apache-2.0
"""Is what was meant said as a whole command that can be typed?"""

from __future__ import annotations

import shlex
import signal
from typing import TYPE_CHECKING

import pytest

from ttctl.cli.app import run_command
from ttctl.cli.door import split_flags, split_values
from ttctl.cli.meant import Typed, nearest

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
