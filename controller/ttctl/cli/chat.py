# SPDX-License-Identifier: Apache-2.0
"""`ttctl chat`."""

from __future__ import annotations

import os
import stat
import sys
from dataclasses import replace
from typing import Annotated

import typer

from ttctl.cli.session import Session, session_of
from ttctl.cli.talk import Conversation
from ttctl.cli.talk_commands import show_loaded
from ttctl.errors import InterruptedByUserError, UsageError
from ttctl.model.talk import Talk
from ttctl.operations import chat as operations
from ttctl.rules.talk import STOPPED

app = typer.Typer(add_completion=False, rich_markup_mode=None)

LARGEST_INPUT = 4 << 20
"""Bytes of standard input that are read: more than any model takes."""


@app.command()
def chat(
    ctx: typer.Context,
    *,
    question: Annotated[
        str | None,
        typer.Argument(
            help="One question; without it, a conversation. What is piped in goes along."
        ),
    ] = None,
    stack: Annotated[str | None, typer.Option("--stack", help="The stack to ask.")] = None,
    model: Annotated[
        str | None, typer.Option("--model", "-m", help="A model that it serves, or another stack.")
    ] = None,
    system: Annotated[str, typer.Option("--system", "-s", help="A system message.")] = "",
    role: Annotated[
        str | None, typer.Option("--role", "-r", help="A role, such as coding; /role lists them.")
    ] = None,
    load: Annotated[
        str | None, typer.Option("--load", help="Go on with a conversation that was saved.")
    ] = None,
    max_tokens: Annotated[
        int | None, typer.Option("--max-tokens", min=1, help="Longest answer [default: 512].")
    ] = None,
    temperature: Annotated[
        float | None,
        typer.Option(
            "--temperature", min=0, max=2, help="0 gives the likeliest answer [default: 0]."
        ),
    ] = None,
) -> None:
    """Ask a running model, once or in a conversation; the answer streams."""
    session = session_of(ctx)
    question = _with_piped(question)
    door = operations.find_door(session.world, stack)
    talk = begun(session, door.model, own_words=bool(role or system))
    if load:
        talk = operations.loaded(session.world, door, session.world.shelf.talks.load(load))
    if model:
        door, name = operations.switched(session.world, door, model)
        talk = replace(talk, model=name)
    talk = _as_asked(
        session, talk, system=system, role=role, max_tokens=max_tokens, temperature=temperature
    )
    operations.check_length(talk, door)
    conversation = Conversation(session, door, talk)
    if question is None:
        show_loaded(conversation)
        conversation.run()
    else:
        _once(conversation, question)


def begun(session: Session, model: str, *, own_words: bool) -> Talk:
    """Return a new conversation as the settings want it; with `own_words` they add none."""
    role = "" if own_words else session.setting("chat.role")
    system = "" if own_words else session.setting("chat.system")
    talk = Talk(model=model)
    return _as_asked(
        session,
        talk,
        system="" if role else system,
        role=role,
        max_tokens=session.setting("chat.max_tokens"),
        temperature=session.setting("chat.temperature"),
    )


def _once(conversation: Conversation, question: str) -> None:
    answer = conversation.ask(question.strip("\n"))
    if answer.finish == STOPPED:
        raise InterruptedByUserError(
            "The answer was stopped.",
            why="The engine stops computing, too.",
            next_step="ttctl chat",
        )
    conversation.session.show("chat", answer, "")


def _as_asked(
    session: Session,
    talk: Talk,
    *,
    system: str,
    role: str | None,
    max_tokens: int | None,
    temperature: float | None,
) -> Talk:
    if role and system:
        raise UsageError(
            "Either --role or --system.",
            why="A role is a system message.",
            next_step=f"ttctl chat --role {role}",
        )
    if role:
        found = operations.role_named(session.world.shelf.roles(), role)
        talk = replace(talk, system=found.text, role=found.name)
    if system:
        talk = replace(talk, system=system, role="")
    return replace(
        talk,
        max_tokens=talk.max_tokens if max_tokens is None else max_tokens,
        temperature=talk.temperature if temperature is None else temperature,
    )


def _with_piped(question: str | None) -> str | None:
    """Return the question with what is piped in, or that alone, None for a conversation."""
    if question is None:
        return None if sys.stdin and sys.stdin.isatty() else _piped()
    if question == "-":
        return _piped()
    if not _is_piped():
        return question
    context = _piped().strip()
    return f"{question}\n\n{context}" if context else question


def _is_piped() -> bool:
    """Return whether standard input is a file or a pipe: nobody else is waited for."""
    try:
        mode = os.fstat(0).st_mode
    except OSError:
        return False
    return stat.S_ISREG(mode) or stat.S_ISFIFO(mode)


def _piped() -> str:
    raw = sys.stdin.buffer.read(LARGEST_INPUT + 1) if sys.stdin else b""
    if len(raw) > LARGEST_INPUT:
        raise UsageError(
            "What is piped in is too long.",
            why=f"At most {LARGEST_INPUT >> 20} MiB are read: no model takes more.",
            next_step="ttctl chat --help",
        )
    return raw.decode(errors="replace")
