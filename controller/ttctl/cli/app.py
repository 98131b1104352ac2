# SPDX-License-Identifier: Apache-2.0
"""Turn words into a command, and every failure into one message with its exit code."""

from __future__ import annotations

import contextlib
import errno
import signal
import sys
import traceback
from importlib import import_module
from typing import TYPE_CHECKING

import click

from ttctl.cli.click_refusals import refusal_of
from ttctl.cli.door import split_behind
from ttctl.cli.explain import explain
from ttctl.cli.front_page import PURPOSE
from ttctl.cli.meant import Typed, other_word, unknown_word
from ttctl.cli.registry import ALIASES, COMMANDS, ELSEWHERE, FOR_THE_ENGINE
from ttctl.cli.session import Session, flags_of
from ttctl.errors import (
    BadFileError,
    HeldError,
    HungUpError,
    InterruptedByUserError,
    LockedError,
    TerminatedError,
    TtctlError,
    UsageError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import FrameType

SETTINGS = {"help_option_names": ["-h", "--help"]}
HALF_DONE = "What was finished stays; what was half done has no name yet."
GOES_ON = "Containers that were started go on running."
LONGER_S = "600"
"""Seconds to wait for another command's lock that are worth a try: longer than most builds."""
ENDED: dict[object, tuple[str, type[TtctlError]]] = {
    129: ("Ended by SIGHUP", HungUpError),
    143: ("Ended by SIGTERM", TerminatedError),
}
"""Exit codes of a command that a signal ended: 128 and the signal's number."""


class LazyGroup(click.Group):
    """The verbs; a command's module is imported when the verb is typed, not before."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return every verb in the order of use."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Load one verb."""
        return load(cmd_name) if cmd_name in COMMANDS else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb, or say which one is nearest."""
        if args and args[0] in ELSEWHERE:
            raise other_word(args[0])
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            raise unknown_word("verb", args[0], COMMANDS, also=ALIASES, next_step="ttctl --help")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        """Run the verb; Ctrl-C costs a line on a terminal only, where `^C` stands on the last."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as stopped:
            if sys.stderr.isatty():
                click.echo(err=True)
            raise click.Abort from stopped


def load(verb: str) -> click.Command:
    """Import a verb's module and return its command."""
    module = import_module(COMMANDS[verb][0])
    # Typer is loaded by the verb's module; the front page and the door do without.
    command: click.Command = sys.modules["typer"].main.get_command(module.app)
    command.name = verb
    explain(command, verb)
    return command


def group() -> click.Group:
    """Return all of ttctl as one command."""
    return LazyGroup("ttctl", help=PURPOSE, context_settings=SETTINGS)


def run_command(
    words: list[str], given: frozenset[str], values: Mapping[str, str] | None = None
) -> int:
    """Run one command and return its exit code; `given` and `values` are by fields of `Flags`."""
    asks_for_help = bool({"help", "--help", "-h"}.intersection(words))
    words, behind = _own_words(words) if words else ([], ())
    typed = Typed(
        words=tuple(words), flags=given, values=tuple((values or {}).items()), behind=behind
    )
    session = Session(flags_of(given, values or {}), behind)
    code = _run(session, typed, asks_for_help=asks_for_help)
    # `config` says itself what is wrong in the files that it shows and changes.
    refused = code in {BadFileError.exit_code, UsageError.exit_code}
    if not asks_for_help and words[:1] != ["config"] and not refused:
        session.note_wrong_settings()
    return code


def _run(session: Session, typed: Typed, *, asks_for_help: bool) -> int:
    for signum in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, _terminate)
    if session.flags.debug:
        from ttctl.cli.hiding import log_everything  # noqa: PLC0415 - slow to load

        log_everything(session)
    try:
        result = _done(session, typed.words, asks_for_help=asks_for_help)
    except click.exceptions.Exit as done:
        return done.exit_code
    except SystemExit as ended:
        if ended.code not in ENDED:
            # The library's own: the reader of our pipe has what it wanted, and has gone.
            return 0
        with contextlib.suppress(OSError):
            session.console.error(_ended(*ENDED[ended.code], typed))
        return ENDED[ended.code][1].exit_code
    except (Exception, KeyboardInterrupt) as raised:  # noqa: BLE001 - a traceback is no screen
        error = _as_refusal(raised, typed, session)
        if session.flags.debug:
            print(_hidden(session, traceback.format_exc()), file=sys.stderr)  # noqa: T201
        with contextlib.suppress(OSError):
            session.console.error(error)
        return error.exit_code
    return result if isinstance(result, int) else 0


def _done(session: Session, words: tuple[str, ...], *, asks_for_help: bool) -> object:
    if not asks_for_help:
        session.check_config_flag(words)
    return group().main(
        args=[*words] or ["--help"], prog_name="ttctl", standalone_mode=False, obj=session
    )


def _hidden(session: Session, text: str) -> str:
    from ttctl.cli.hiding import Hiding  # noqa: PLC0415 - slow to load

    return Hiding(session).hide(text)


def _own_words(words: list[str]) -> tuple[list[str], tuple[str, ...]]:
    """Return the words with our own verb in front, and what is the engine's."""
    if words[0] == "help":
        words = [*words[1:], "--help"]
    words = [*ALIASES.get(words[0], words[:1]), *words[1:]]
    return split_behind(words) if words[0] in FOR_THE_ENGINE else (words, ())


def _as_refusal(raised: BaseException, typed: Typed, session: Session) -> TtctlError:
    if isinstance(raised, click.UsageError):
        raised = refusal_of(raised, typed)
    if isinstance(raised, LockedError) and not isinstance(raised, HeldError):
        raised.next_step = typed.with_option("--lock-timeout", LONGER_S)
    if isinstance(raised, TtctlError):
        raised.next_step = typed.put_right(raised)
        return raised
    if isinstance(raised, OSError) and raised.errno == errno.ENOSPC:
        return _not_written(raised)
    if isinstance(raised, KeyboardInterrupt | click.Abort):
        return _ended("Stopped by the user", InterruptedByUserError, typed)
    last = traceback.extract_tb(raised.__traceback__)[-1]
    return TtctlError(
        "ttctl has a defect.",
        # Nobody wrote it for a reader: whatever the code had in hand may be in it.
        why=_hidden(session, f"{type(raised).__name__}: {raised}"),
        evidence=f"{last.name} in {last.filename.rpartition('/ttctl/')[2]}, line {last.lineno}",
        next_step=f"{typed.with_option('--debug')}   # and report what it prints",
    )


def _ended(by: str, kind: type[TtctlError], typed: Typed) -> TtctlError:
    return kind(f"{by}.", why=HALF_DONE, evidence=GOES_ON, next_step=typed.command())


def _not_written(raised: OSError) -> TtctlError:
    return TtctlError(
        "The answer could not be written.",
        why=raised.strerror or "",
        evidence="Standard output refused it; what the command did stays done.",
        next_step="df -h   # where the output goes to",
    )


def _terminate(signum: int, frame: FrameType | None) -> None:  # noqa: ARG001
    raise SystemExit(128 + signum)
