# SPDX-License-Identifier: Apache-2.0
"""Turn words into a command, and every failure into one message with its exit code."""

from __future__ import annotations

import contextlib
import signal
import sys
import traceback
from importlib import import_module
from typing import TYPE_CHECKING

import click

from ttctl.cli.door import split_behind
from ttctl.cli.explain import explain
from ttctl.cli.front_page import PURPOSE
from ttctl.cli.meant import Typed, other_word, refusal_of, unknown_word
from ttctl.cli.registry import ALIASES, COMMANDS, ELSEWHERE, FOR_THE_ENGINE
from ttctl.cli.session import Session, flags_of
from ttctl.errors import InterruptedByUserError, TtctlError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import FrameType

SETTINGS = {"help_option_names": ["-h", "--help"]}
ENDED = {129: "SIGHUP", 143: "SIGTERM"}
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
    words, behind = _own_words(words or ["--help"])
    typed = Typed(
        words=tuple(words), flags=given, values=tuple((values or {}).items()), behind=behind
    )
    session = Session(flags_of(given, values or {}), behind)
    for signum in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, _terminate)
    if session.flags.debug:
        _log_everything()
    try:
        result: object = group().main(
            args=words, prog_name="ttctl", standalone_mode=False, obj=session
        )
    except click.exceptions.Exit as done:
        return done.exit_code
    except SystemExit as ended:
        if ended.code not in ENDED:
            # The library's own: the reader of our pipe has what it wanted, and has gone.
            return 0
        session.console.say(f"error:    Ended by {ENDED[ended.code]}.")
        session.console.say("next:     the same command goes on from here")
        return ended.code
    except (Exception, KeyboardInterrupt) as raised:  # noqa: BLE001 - a traceback is no screen
        error = _as_refusal(raised, typed)
        if session.flags.debug:
            traceback.print_exc()
        with contextlib.suppress(BrokenPipeError):
            session.console.error(error)
        return error.exit_code
    return result if isinstance(result, int) else 0


def _log_everything() -> None:
    import logging  # noqa: PLC0415 - for developers, and slow to load

    logging.basicConfig(level=logging.DEBUG, stream=sys.stderr)


def _own_words(words: list[str]) -> tuple[list[str], tuple[str, ...]]:
    """Return the words with our own verb in front, and what is the engine's."""
    if words[0] == "help":
        words = [*words[1:], "--help"]
    words = [*ALIASES.get(words[0], words[:1]), *words[1:]]
    return split_behind(words) if words[0] in FOR_THE_ENGINE else (words, ())


def _as_refusal(raised: BaseException, typed: Typed) -> TtctlError:
    if isinstance(raised, click.UsageError):
        raised = refusal_of(raised, typed)
    if isinstance(raised, TtctlError):
        raised.next_step = typed.put_right(raised)
        return raised
    if isinstance(raised, KeyboardInterrupt | click.Abort):
        return InterruptedByUserError(
            "Stopped by the user.",
            why="What was finished stays; what was half done has no name yet.",
            next_step="the same command goes on from here",
        )
    last = traceback.extract_tb(raised.__traceback__)[-1]
    return TtctlError(
        "ttctl has a defect.",
        why=f"{type(raised).__name__}: {raised}",
        evidence=f"{last.name} in {last.filename.rpartition('/ttctl/')[2]}, line {last.lineno}",
        next_step="run the same command with --debug and report what it prints",
    )


def _terminate(signum: int, frame: FrameType | None) -> None:  # noqa: ARG001
    raise SystemExit(128 + signum)
