# SPDX-License-Identifier: Apache-2.0
"""Is the live screen drawn in place, and the terminal given back however it ends?"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import jsonschema
import pytest
from tests.standins.terminal import Terminal
from tests.standins.ttctl_beside import ROOT
from tests.unit.test_schemas import TEXTS

from ttctl.cli.live_screen import ENTER, LEAVE

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.cli.conftest import Typed

PROGRAM = (sys.executable, "-m", "tests.standins.ttctl_live")
LIVE = ("status", "--live", "--interval", "0.5")
LIMIT_S = 60


def at_terminal(environ: dict[str, str], *words: str, **more: str) -> Terminal:
    return Terminal([*PROGRAM, *LIVE, *words], cwd=ROOT, environ={**environ, **more})


def piped(environ: dict[str, str], *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, *words],
        cwd=ROOT,
        env={**environ, **more},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT_S,
    )


def test_a_screen_is_drawn_resized_and_ended_and_the_terminal_given_back(
    environ: dict[str, str],
) -> None:
    with at_terminal(environ, NO_COLOR="1") as terminal:
        terminal.resize(100, 30)
        before = terminal.mode()
        terminal.see(ENTER)
        terminal.see("healthy")
        assert terminal.mode() != before
        # The first frame has no rate, a later one has.
        terminal.see("1.0/4.0 GiB")
        mark = len(terminal.all)
        terminal.resize(50, 30)
        terminal.see("\x1b[1;1H")
        terminal.see("TOK/S")
        narrow = terminal.all[mark:]
        terminal.type("q")
        terminal.see(LEAVE)
        assert terminal.ends() == 0
        assert terminal.mode() == before
    assert "REQS" in terminal.all[:mark]
    assert "REQS" not in narrow.partition("\x1b[1;1H")[2]
    # In place: no line goes up or down by itself, and nothing is drawn in colour.
    assert "\n" not in terminal.all.partition(ENTER)[2].partition(LEAVE)[0]
    assert "\x1b[38" not in terminal.all


def test_a_frame_that_is_like_the_last_one_writes_no_line_again(environ: dict[str, str]) -> None:
    with at_terminal(environ, "--count", "4", NO_COLOR="1") as terminal:
        assert terminal.see(LEAVE)
        assert terminal.ends() == 0
    assert terminal.all.count("no stack yet") <= 1
    assert terminal.all.count("llama  ") <= 3


@pytest.mark.parametrize(
    ("number", "code"),
    [
        pytest.param(signal.SIGINT, 130, id="interrupted"),
        pytest.param(signal.SIGTERM, 143, id="terminated"),
        pytest.param(signal.SIGHUP, 129, id="hung up"),
    ],
)
def test_a_signal_gives_the_terminal_back(
    environ: dict[str, str], number: signal.Signals, code: int
) -> None:
    with at_terminal(environ) as terminal:
        before = terminal.mode()
        terminal.see("healthy")
        if number == signal.SIGINT:
            terminal.type("\x03")
        else:
            terminal.child.send_signal(number)
        terminal.see(LEAVE)
        assert terminal.ends() == code
        assert terminal.mode() == before


def test_a_defect_gives_the_terminal_back_and_is_told_behind_it(environ: dict[str, str]) -> None:
    with at_terminal(environ, LIVE_BREAKS="9") as terminal:
        before = terminal.mode()
        terminal.see(LEAVE)
        terminal.see("ttctl has a defect.")
        assert terminal.ends() == 1
        assert terminal.mode() == before


def test_a_suspended_screen_gives_the_terminal_back_and_takes_it_again(
    environ: dict[str, str],
) -> None:
    with at_terminal(environ) as terminal:
        before = terminal.mode()
        terminal.see("healthy")
        terminal.type("\x1a")
        terminal.see(LEAVE)
        # Nobody watches this session's jobs, so the kernel lets it go on at once.
        terminal.see(ENTER)
        terminal.see("healthy")
        terminal.press("q", until=LEAVE)
        assert terminal.ends() == 0
        assert terminal.mode() == before


def test_an_engine_that_hangs_is_told_of_and_q_still_ends(environ: dict[str, str]) -> None:
    with at_terminal(environ, LIVE_HANGS="1", NO_COLOR="1") as terminal:
        terminal.see("unknown")
        terminal.see("engine")
        terminal.press("q", until=LEAVE)
        assert terminal.ends() == 0


def test_a_terminal_that_cannot_move_gets_blocks(environ: dict[str, str]) -> None:
    with at_terminal(environ, "--count", "2", TERM="dumb") as terminal:
        terminal.see("vllm")
        terminal.see("ttctl status")
        terminal.see("vllm")
        assert terminal.ends() == 0
    assert "\x1b" not in terminal.all


def test_a_pipe_gets_one_block_a_look_without_escape_codes(environ: dict[str, str]) -> None:
    done = piped(environ, *LIVE, "--count", "2", COLUMNS="80")
    assert (done.returncode, done.stderr) == (0, "")
    assert "\x1b" not in done.stdout
    first, second = done.stdout.split("\n\nttctl status")
    for block in (first, second):
        assert "llama  ready  demo-llama on cpu  http://127.0.0.1:8000/v1" in block
        assert max(map(len, block.splitlines())) <= 80
        assert all(line == line.rstrip() for line in block.splitlines())
    assert "TOK/S" in second


def test_a_program_gets_one_envelope_a_line_with_rates_from_the_second_on(
    environ: dict[str, str],
) -> None:
    done = piped(environ, "--json", *LIVE, "--count", "2")
    assert (done.returncode, done.stderr) == (0, "")
    first, second = map(json.loads, done.stdout.splitlines())
    assert {first["schema"], second["schema"]} == {"ttctl.status-live/1"}
    rates = [
        {one["service"]: one["tokens_per_s"] for one in frame["data"]["stacks"][0]["services"]}
        for frame in (first, second)
    ]
    assert rates[0] == {"gateway": None, "vllm": None}
    assert rates[1]["vllm"] > 0


def test_the_schema_of_a_line_allows_what_is_printed(environ: dict[str, str]) -> None:
    done = piped(environ, "--json", *LIVE, "--count", "1")
    schema = json.loads(TEXTS["status-live-1.json"])
    jsonschema.validate(json.loads(done.stdout), schema)
    missing = json.loads(done.stdout)
    del missing["data"]["stacks"][0]["services"][0]["tokens_per_s"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(missing, schema)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        pytest.param("status --count 3", "says nothing without --live", id="a count alone"),
        pytest.param("status --interval 3", "says nothing without --live", id="an interval alone"),
        pytest.param("status --live --interval 0.4", "0.4", id="too often"),
        pytest.param("status --live --interval nan", "nan", id="no number"),
        pytest.param("status --live --interval inf", "inf", id="for ever"),
        pytest.param("status --live --count 0", "0", id="no look"),
    ],
)
def test_a_wrong_option_is_refused_before_anything_is_asked(
    typed: Typed, line: str, told: str
) -> None:
    code, out, err = typed(line)
    assert (code, out) == (2, "")
    assert told in err


def test_without_an_engine_the_rest_is_shown(typed: Typed, tmp_path: Path) -> None:
    code, out, _ = typed("status --live --count 1")
    assert code == 0
    assert "boards  none" in out
    assert "unknown  engine:" in out
    assert str(tmp_path) in out or "no stack yet" in out
