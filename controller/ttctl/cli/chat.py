# SPDX-License-Identifier: Apache-2.0
"""`ttctl chat`."""

from __future__ import annotations

import sys
from dataclasses import replace

import typer

from ttctl.cli import talk_options as options
from ttctl.cli.chosen import stack_word
from ttctl.cli.piped import is_piped, piped
from ttctl.cli.session import Session, session_of
from ttctl.cli.talk import Conversation
from ttctl.cli.talk_commands import show_loaded
from ttctl.errors import InterruptedByUserError, UsageError
from ttctl.model.talk import Door, Talk
from ttctl.operations import chat as operations
from ttctl.operations.doors import check_talks, find_door
from ttctl.rules.talk import STOPPED

app = typer.Typer(add_completion=False, rich_markup_mode=None)

HELP = "ttctl chat --help"


@app.command()
def chat(
    ctx: typer.Context,
    *,
    question: options.Question = None,
    stack: options.Stack = None,
    service: options.Service = None,
    model: options.Model = None,
    system: options.System = "",
    role: options.RoleName = None,
    load: options.Load = None,
    max_tokens: options.MaxTokens = None,
    temperature: options.Temperature = None,
) -> None:
    """Ask a running model, once or in a conversation; the answer streams."""
    session = session_of(ctx)
    question = _with_piped(question)
    door = _talking_door(session, stack, service)
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


def _talking_door(session: Session, stack: str | None, service: str | None) -> Door:
    door = find_door(session.world, stack_word(session, stack), service=service)
    check_talks(session.world, door)
    return door


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
        return None if sys.stdin and sys.stdin.isatty() else piped(next_step=HELP)
    if question == "-":
        return piped(next_step=HELP)
    if not is_piped():
        return question
    context = piped(next_step=HELP).strip()
    return f"{question}\n\n{context}" if context else question
