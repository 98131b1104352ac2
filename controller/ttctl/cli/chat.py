# SPDX-License-Identifier: Apache-2.0
"""`ttctl chat`."""

from __future__ import annotations

import contextlib
import sys
from typing import Annotated

import typer

from ttctl.cli.session import Session, session_of
from ttctl.errors import TtctlError
from ttctl.model.protocols import Completion
from ttctl.operations import chat as operations
from ttctl.operations import stacks

with contextlib.suppress(ImportError):
    import readline  # noqa: F401 - gives `input` line editing and this conversation's history

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def chat(
    ctx: typer.Context,
    *,
    question: Annotated[
        str | None, typer.Argument(help="One question; without it, a conversation.")
    ] = None,
    stack: Annotated[str | None, typer.Option("--stack", help="The stack to ask.")] = None,
    system: Annotated[str, typer.Option("--system", help="A system message.")] = "",
    max_tokens: Annotated[int, typer.Option("--max-tokens", min=1, help="Longest answer.")] = 512,
    temperature: Annotated[
        float, typer.Option("--temperature", min=0, max=2, help="0 gives the likeliest answer.")
    ] = 0.0,
) -> None:
    """Ask a running model, once or in a conversation; the answer streams."""
    session = session_of(ctx)
    talk = operations.open_talk(
        session.world,
        stacks.pick_stack(session.world, stack),
        system=system,
        max_tokens=max_tokens,
        temperature=temperature,
    )
    if question is None and not sys.stdin.isatty():
        question = sys.stdin.read()
    if question is not None:
        answer = _ask(session, talk, question)
        session.show("chat", answer, "")
        return
    _converse(session, talk)


def _converse(session: Session, talk: operations.Talk) -> None:
    session.console.say(f"{talk.model}; an empty line or /quit ends, Ctrl-C stops an answer")
    while True:
        try:
            question = input("> ").strip()
        except (EOFError, KeyboardInterrupt):
            return
        if question in {"", "/quit", "/exit"}:
            return
        try:
            answer = _ask(session, talk, question)
        except KeyboardInterrupt:
            session.console.say("\n(stopped)")
        except TtctlError as error:
            session.console.error(error)
        else:
            talk.remember(question, answer.text)
            if session.console.as_json:
                session.line("chat", answer, "")


def _ask(session: Session, talk: operations.Talk, question: str) -> Completion:
    answer = operations.ask(session.world, talk, question, on_text=session.console.piece)
    session.console.piece("\n")
    if not session.console.quiet and not session.console.as_json:
        speed = answer.completion_tokens / answer.seconds if answer.seconds else 0
        session.console.say(
            f"({answer.completion_tokens} tokens, first after {answer.first_token_s:.2f} s, "
            f"{speed:.0f} tokens/s)"
        )
    return answer
