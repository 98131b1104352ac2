# SPDX-License-Identifier: Apache-2.0
"""Does every word lead to a command or a near one, and every failure to its exit code?"""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import pytest
import typer
from click.testing import CliRunner

from ttctl import __version__, errors
from ttctl.cli.app import run_command
from ttctl.cli.door import split_flags
from ttctl.cli.main import main
from ttctl.cli.registry import COMMANDS

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]
TABLE = {
    "TtctlError": 1,
    "UsageError": 2,
    "NoDeviceError": 3,
    "ToolMissingError": 4,
    "EngineError": 5,
    "TooLongError": 5,
    "BuildError": 5,
    "PrivilegeError": 6,
    "NothingFitsError": 7,
    "OfflineError": 8,
    "BadFileError": 9,
    "LockedError": 75,
    "HeldError": 75,
    "DirtyError": 1,
    "StaleFilesError": 1,
    "SeveralDevicesError": 2,
    "WaitError": 124,
    "HungUpError": 129,
    "InterruptedByUserError": 130,
    "TerminatedError": 143,
}
"""The exit codes that are promised."""


@pytest.fixture(autouse=True)
def _boom(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setitem(COMMANDS, "boom", ("tests.unit.cli.boom", "Fail."))
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def run(capsys: pytest.CaptureFixture[str], *words: str, **flags: bool) -> tuple[int, str, str]:
    """Return the exit code and what was printed to stdout and stderr."""
    code = run_command(list(words), frozenset(flags))
    out, err = capsys.readouterr()
    return code, out, err


@pytest.mark.parametrize("name", TABLE)
def test_every_kind_of_refusal_has_the_exit_code_that_is_promised(
    capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert run(capsys, "boom", name)[0] == TABLE[name]


def test_every_kind_of_refusal_is_in_the_table_and_has_a_word_of_its_own() -> None:
    kinds = [
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.TtctlError)
    ]
    assert {kind.__name__: kind.exit_code for kind in kinds} == TABLE
    assert len({kind.code for kind in kinds}) == len(kinds)


def test_a_refusal_is_four_parts_on_stderr_and_nothing_on_stdout(
    capsys: pytest.CaptureFixture[str],
) -> None:
    _, out, err = run(capsys, "boom", "BadFileError")
    assert out == ""
    assert err == (
        "error:    What happened.\n"
        "why:      Why.\n"
        "evidence: one\n"
        "          two\n"
        "next:     ttctl ps\n"
    )


def test_under_json_a_refusal_is_one_object_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, err = run(capsys, "boom", "BadFileError", as_json=True)
    assert err == ""
    assert json.loads(out) == {
        "schema": "ttctl.error/1",
        "error": {
            "what": "What happened.",
            "why": "Why.",
            "evidence": "one\ntwo",
            "next_step": "ttctl ps",
            "exit_code": 9,
            "code": "bad-file",
        },
    }


@pytest.mark.parametrize(
    ("kind", "code", "message"),
    [
        pytest.param("odd", 1, "ttctl has a defect.", id="anything"),
        pytest.param("memory", 1, "ttctl has a defect.", id="memory"),
        pytest.param("recursion", 1, "ttctl has a defect.", id="recursion"),
        pytest.param("interrupt", 130, "Stopped by the user.", id="Ctrl-C"),
        pytest.param("abort", 130, "Stopped by the user.", id="Ctrl-D at a question"),
        pytest.param("system", 143, "Ended by SIGTERM.", id="SIGTERM"),
        pytest.param("exit", 7, "", id="a code of its own"),
        pytest.param("nothing", 0, "", id="nothing"),
    ],
)
def test_no_failure_is_a_traceback(
    capsys: pytest.CaptureFixture[str], kind: str, code: int, message: str
) -> None:
    found, _, err = run(capsys, "boom", kind)
    assert found == code
    assert message in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("kind", "code", "word"),
    [
        pytest.param("system", 143, "terminated", id="SIGTERM"),
        pytest.param("hangup", 129, "hung-up", id="SIGHUP"),
        pytest.param("interrupt", 130, "interrupted", id="Ctrl-C"),
    ],
)
def test_a_program_learns_of_a_signal_by_an_object_and_what_to_type_again(
    capsys: pytest.CaptureFixture[str], kind: str, code: int, word: str
) -> None:
    found, out, err = run(capsys, "boom", kind, as_json=True)
    error = json.loads(out)["error"]
    assert (found, error["exit_code"], error["code"]) == (code, code, word)
    assert error["next_step"] == f"ttctl --json boom {kind}"
    assert err == ""


def test_who_meets_a_lock_is_told_the_same_command_with_more_patience(
    capsys: pytest.CaptureFixture[str],
) -> None:
    _, _, err = run(capsys, "boom", "LockedError")
    assert "next:     ttctl boom LockedError --lock-timeout 600\n" in err


def test_an_answer_that_cannot_be_written_is_no_defect(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, _, err = run(capsys, "boom", "full")
    assert code == 1
    assert "error:    The answer could not be written.\nwhy:      No space left on device\n" in err


def test_a_defect_says_what_and_where(capsys: pytest.CaptureFixture[str]) -> None:
    _, _, err = run(capsys, "boom", "odd")
    assert "OddError: a" in err
    assert "boom in " in err
    assert "--debug" in err


@pytest.mark.parametrize("flags", [{}, {"debug": True}, {"as_json": True}], ids=str)
def test_no_defect_says_a_secret_that_it_had_in_hand(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    flags: dict[str, bool],
) -> None:
    key = tmp_path / "ttctl" / "stacks" / "llama" / "secrets" / "api-key"
    key.parent.mkdir(parents=True)
    key.write_text("canary" * 10)
    for name, value in {
        "XDG_STATE_HOME": str(tmp_path),
        "HF_TOKEN": "canary-plain",
        "MY_PASSWORD": "canary-of-a-variable",
        "HTTPS_PROXY": "http://me:canary%2Fproxy@127.0.0.1:9",
        "HARMLESS": f"canary/proxy {'canary' * 10} seen",
    }.items():
        monkeypatch.setenv(name, value)
    code, out, err = run(capsys, "boom", "all", **flags)
    assert code == 1
    assert "seen" in out + err
    assert "canary" not in out + err


def test_only_debug_shows_how_it_came_about(capsys: pytest.CaptureFixture[str]) -> None:
    assert "Traceback" in run(capsys, "boom", "odd", debug=True)[2]


@pytest.mark.parametrize(
    ("words", "next_step"),
    [
        pytest.param(["dwon", "x"], "ttctl down x", id="letters turned"),
        pytest.param(["statu"], "ttctl status", id="cut"),
        pytest.param(["zzz"], "ttctl --help", id="near to none"),
    ],
)
def test_an_unknown_verb_is_told_with_the_nearest_one(
    capsys: pytest.CaptureFixture[str], words: list[str], next_step: str
) -> None:
    code, _, err = run(capsys, *words)
    assert code == 2
    assert f"There is no verb {words[0]!r}." in err
    assert f"next:     {next_step}\n" in err


@pytest.mark.parametrize(
    ("words", "message", "next_step"),
    [
        pytest.param(["config", "get"], "Missing argument 'KEY'", "ttctl config get", id="missing"),
        pytest.param(["up", "x", "--bogus"], "no option '--bogus'", "ttctl up", id="unknown"),
        pytest.param(["up", "x", "--port", "0"], "to 65535, not '0'", "ttctl up", id="range"),
        pytest.param(
            ["up", "x", "--port", "x"],
            "a whole number from 1 to",
            "ttctl up",
            id="kind",
        ),
        pytest.param(["up", "x", "y"], "unexpected extra argument", "ttctl up", id="too many"),
        pytest.param(["models", "shwo"], "no verb 'models shwo'", "ttctl models", id="subverb"),
        pytest.param(["--bogus"], "no option '--bogus'", "ttctl --help", id="before"),
        pytest.param(["boom", "x", "--number", "10"], "not '10'", "ttctl boom", id="a verb's"),
    ],
)
def test_words_that_are_off_end_with_2_and_the_way_to_the_help(
    capsys: pytest.CaptureFixture[str], words: list[str], message: str, next_step: str
) -> None:
    code, out, err = run(capsys, *words)
    assert code == 2
    assert out == ""
    assert message in err
    assert f"next:     {next_step}" in err


@pytest.mark.parametrize("verb", [name for name in COMMANDS if name != "boom"])
def test_every_verb_has_a_help_that_says_what_the_list_says(
    capsys: pytest.CaptureFixture[str], verb: str
) -> None:
    code, out, _ = run(capsys, verb, "--help")
    assert code == 0
    summary = " ".join(out.split())
    assert COMMANDS[verb][1] in summary or COMMANDS[verb][1].rstrip(".") in summary


def leaves(command: click.Command, path: tuple[str, ...]) -> Iterator[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            yield from leaves(inner, (*path, name))
    else:
        yield " ".join(path), command


def every_leaf() -> dict[str, click.Command]:
    found: dict[str, click.Command] = {}
    for verb, (module, _) in COMMANDS.items():
        if verb != "boom":
            app: Any = importlib.import_module(module).app
            found |= dict(leaves(typer.main.get_command(app), (verb,)))
    return found


@pytest.mark.parametrize("leaf", every_leaf())
def test_every_option_of_every_verb_is_explained(leaf: str) -> None:
    for parameter in every_leaf()[leaf].params:
        if isinstance(parameter, click.Option) and parameter.name != "help":
            assert parameter.help, f"{leaf}: {parameter.opts}"


def test_without_a_word_the_verbs_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys)
    assert code == 0
    assert all(f"  {verb} " in out for verb in COMMANDS)


@pytest.mark.parametrize(
    ("arguments", "words", "flags"),
    [
        pytest.param(["--json", "ps"], ["ps"], {"as_json": True}, id="before"),
        pytest.param(["ps", "--json"], ["ps"], {"as_json": True}, id="behind"),
        pytest.param(["-v", "up", "x"], ["up", "x"], {"verbose": True}, id="short, before"),
        pytest.param(["up", "x", "-v"], ["up", "x"], {"verbose": True}, id="short, behind"),
        pytest.param(["models", "ls", "-q"], ["models", "ls"], {"quiet": True}, id="a sub-verb"),
        pytest.param(["down", "-v"], ["down", "-v"], {}, id="down -v is its own"),
        pytest.param(["exec", "vllm", "ls", "-v"], ["exec", "vllm", "ls", "-v"], {}, id="exec"),
        pytest.param(["ps", "-q"], ["ps", "-q"], {}, id="ps -q is its own"),
        pytest.param(["-q", "ps", "-q"], ["ps", "-q"], {"quiet": True}, id="both"),
        pytest.param(
            ["exec", "vllm", "--", "ls", "--json", "-v"],
            ["exec", "vllm", "--", "ls", "--json", "-v"],
            {},
            id="behind --",
        ),
        pytest.param(
            ["--debug", "exec", "--quiet", "x", "--", "--debug"],
            ["exec", "x", "--", "--debug"],
            {"debug": True, "quiet": True},
            id="before and behind --",
        ),
        pytest.param(["--verbose=1"], ["--verbose=1"], {}, id="no value"),
        pytest.param([], [], {}, id="nothing"),
    ],
)
def test_global_flags_stand_before_or_after_the_verb(
    arguments: list[str], words: list[str], flags: dict[str, bool]
) -> None:
    assert split_flags(arguments) == (words, frozenset(flags))


@pytest.mark.parametrize("arguments", [["--version"], ["-V"], ["--json", "--version"]], ids=str)
def test_the_version_is_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["ttctl", *arguments])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"ttctl {__version__}\n"


FOLLOWED = """
import atexit, sys, threading
from ttctl.cli.main import program
atexit.register(print, "the interpreter's own end")
threading.Thread(target=threading.Event().wait, args=({seconds},), daemon={daemon}).start()
sys.argv = ["ttctl", {word!r}]
program()
"""


@pytest.mark.parametrize(
    ("daemon", "seconds", "word", "code", "is_cut_short"),
    [
        pytest.param(True, 60, "--version", 0, True, id="a thread that follows"),
        pytest.param(True, 60, "no-such-verb", 2, True, id="a refusal beside it"),
        pytest.param(True, 0, "--version", 0, False, id="one that ended"),
        pytest.param(False, 1, "--version", 0, False, id="one that is waited for"),
    ],
)
def test_the_program_ends_with_its_code_whatever_its_threads_are_at(
    *, daemon: bool, seconds: int, word: str, code: int, is_cut_short: bool
) -> None:
    text = FOLLOWED.format(daemon=daemon, seconds=seconds, word=word)
    done = subprocess.run(
        [sys.executable, "-c", text], capture_output=True, text=True, timeout=50, check=False
    )
    assert done.returncode == code, done.stderr
    assert (f"ttctl {__version__}" in done.stdout) if not code else ("error:" in done.stderr)
    assert ("the interpreter's own end" in done.stdout) != is_cut_short


def test_a_reader_that_leaves_is_no_failure() -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "ttctl.cli.main", "models", "ls", "--quiet"],
        stdout=write,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(write)
    assert done.stderr == ""
    assert done.returncode == 0


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize(("words", "code"), [("models ls", 0), ("nosuch", 2)])
def test_a_stream_that_is_closed_changes_no_exit_code(closed: str, words: str, code: int) -> None:
    line = f'exec "$0" -m ttctl.cli.main {words} {closed}'
    done = subprocess.run(
        ["sh", "-c", line, sys.executable], capture_output=True, text=True, check=False
    )
    assert done.returncode == code
    assert "Traceback" not in done.stderr


def test_the_verbs_work_through_clicks_own_runner() -> None:
    app: Any = importlib.import_module("tests.unit.cli.boom").app
    result = CliRunner().invoke(typer.main.get_command(app), ["nothing", "--number", "3"])
    assert result.output == "3\n"


CHANGES_NOTHING = {
    "chat", "completion", "config get", "config key ls", "config path", "config show",
    "config site", "connect", "devices check", "devices info", "devices ls", "diff", "doctor",
    "exec", "history", "image", "logs", "models diff", "models ls", "models search", "models show",
    "models verify", "plan", "ps", "status", "wait",
}  # fmt: skip
"""Leaves that change nothing of ours without being asked; `config edit` shows its own diff."""


def test_every_leaf_that_changes_something_can_be_tried_dry() -> None:
    dry = {
        words: any("--dry-run" in one.opts for one in leaf.params)
        for words, leaf in every_leaf().items()
        if not leaf.hidden
    }
    assert dry.keys() >= CHANGES_NOTHING
    without = {words for words, can in dry.items() if not can}
    assert without - CHANGES_NOTHING == {"config edit"}


def test_all_stacks_and_one_of_them_is_refused_before_anything_is_looked_at(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, _, err = run(capsys, "down", "extra", "--all")
    assert code == 2
    assert "error:    Either the stack 'extra' or all of them.\n" in err
    assert "next:     ttctl down extra " in err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        pytest.param(["--config"], 2, "--config names no file", id="alone"),
        pytest.param(["devices", "--config"], 2, "--config names no file", id="behind a verb"),
        pytest.param(["--config=", "devices"], 2, "--config names no file", id="empty"),
        pytest.param(["--json", "--config", "devices"], 2, "There is no verb", id="took the verb"),
        pytest.param(
            ["--config", "/nonexistent.toml", "devices"], 9, "no settings file", id="gone"
        ),
    ],
)
def test_the_flag_config_is_checked_for_every_verb(
    tmp_path: Path, words: list[str], code: int, said: str
) -> None:
    done = run_beside(tmp_path, words)
    assert done.returncode == code
    assert said in done.stdout + done.stderr
    assert ("--json" in words) is done.stdout.startswith("{")


NEEDS_NONE = ("completion", "bash")


@pytest.mark.parametrize("flag", [[], ["--json"]], ids=["for people", "for programs"])
def test_wrong_settings_are_noted_by_a_verb_that_needs_none(
    tmp_path: Path, flag: list[str]
) -> None:
    done = run_beside(tmp_path, [*NEEDS_NONE, *flag], TTCTL_UP_PROT="1")
    assert done.returncode == 0
    assert "There is no variable 'TTCTL_UP_PROT'. Nearest: TTCTL_UP_PORT." in done.stderr
    assert "unset TTCTL_UP_PROT" in done.stderr
    (tmp_path / "ttctl.toml").write_text("[up\n")
    assert f"{tmp_path}/ttctl.toml, line 1" in run_beside(tmp_path, [*NEEDS_NONE, *flag]).stderr
    assert run_beside(tmp_path, [*NEEDS_NONE, "--help"]).stderr == ""
    assert "ttctl.toml" not in run_beside(tmp_path, [*NEEDS_NONE, "-q"]).stdout


def run_beside(folder: Path, words: list[str], **environ: str) -> subprocess.CompletedProcess[str]:
    """Run ttctl in a folder that is also its home."""
    return subprocess.run(
        [sys.executable, "-m", "ttctl.cli.main", *words],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": str(ROOT), **environ},
        capture_output=True,
        text=True,
        check=False,
    )
