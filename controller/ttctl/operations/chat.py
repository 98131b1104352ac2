# SPDX-License-Identifier: Apache-2.0
"""Talk with a running model."""

from __future__ import annotations

from dataclasses import replace
from difflib import get_close_matches
from typing import TYPE_CHECKING

from ttctl.errors import EngineError, TooLongError, UsageError
from ttctl.operations.doors import door_of, doors
from ttctl.operations.silent import silent
from ttctl.rules.find import is_meant
from ttctl.rules.talk import answered, asked

if TYPE_CHECKING:
    from collections.abc import Callable

    from ttctl.model.protocols import World
    from ttctl.model.talk import Completion, Door, Role, Talk


def served(world: World, door: Door) -> tuple[str, ...]:
    """Return the names under which models answer behind a door."""
    return world.gateway.models(door.at, world.keys.key(door.stack), base=door.base)


def switched(world: World, door: Door, word: str) -> tuple[Door, str]:
    """Return the door and the name of the model that is meant by `word`.

    It is a model behind this door, or a stack that runs, or a model of one.

    Raises:
        UsageError: It is none of these.
    """
    here = served(world, door)
    if word in here:
        return door, word
    if door.service:
        whole = door_of(world, door.stack)
        if word in served(world, whole):
            return whole, word
    others = doors(world)
    for other in others:
        if word in {other.stack, other.model}:
            return other, other.model
    known = tuple(dict.fromkeys([*here, *(name for o in others for name in (o.stack, o.model))]))
    near = get_close_matches(word, known, n=1)
    is_model = bool(is_meant(world.catalog.specs(), word))
    raise UsageError(
        f"Nothing that runs is called {word!r}.",
        why="A model can be talked to when a stack that runs serves it.",
        evidence=f"{f'Nearest: {near[0]}. ' if near else ''}Known: {', '.join(known)}.",
        next_step=f"ttctl up {word}" if is_model else "ttctl ps -a",
        mistyped=word,
        meant=near[0] if near and not is_model else "",
    )


def loaded(world: World, door: Door, talk: Talk) -> Talk:
    """Return a conversation that was saved, to go on behind this door.

    Its model answers where it is served here; else the one that is goes on.
    """
    if talk.model == door.model or talk.model in served(world, door):
        return talk
    return replace(talk, model=door.model, context_tokens=0)


def role_named(roles: tuple[Role, ...], name: str) -> Role:
    """Return the role of that name.

    Raises:
        UsageError: There is none.
    """
    for role in roles:
        if role.name == name:
            return role
    known = [role.name for role in roles]
    near = get_close_matches(name, known, n=1)
    raise UsageError(
        f"There is no role {name!r}.",
        why="A role is a text file; your own lie in the folder roles beside config.toml.",
        evidence=f"{f'Nearest: {near[0]}. ' if near else ''}Known: {', '.join(known)}.",
        next_step=f"ttctl chat --role {known[0]}" if known else "ttctl chat",
        mistyped=name,
        meant=near[0] if near else "",
    )


def ask(
    world: World, door: Door, talk: Talk, question: str, *, on_text: Callable[[str], None]
) -> tuple[Talk, Completion]:
    """Ask within a conversation; the answer's pieces go to `on_text` as they come.

    Returns:
        The conversation with this exchange, and the answer. After a refusal the conversation is
        what it was.

    Raises:
        TooLongError: The conversation does not fit into what the model can read.
        UsageError: The question is empty.
    """
    if not question.strip():
        raise UsageError(
            "There is no question.",
            why="It is empty.",
            next_step='ttctl chat "What is Tenstorrent?"',
        )
    try:
        answer = world.gateway.chat(
            door,
            world.keys.key(door.stack),
            model=talk.model,
            messages=asked(talk, question),
            max_tokens=talk.max_tokens,
            temperature=talk.temperature,
            on_text=on_text,
        )
    except TooLongError as exc:
        raise _too_long(door, talk, exc) from exc
    except EngineError as exc:
        raise silent(world, door.stack, exc) from exc.__cause__
    return answered(talk, question, answer), answer


def check_length(talk: Talk, door: Door) -> None:
    """Refuse an answer that is longer than all that the model can hold.

    Raises:
        UsageError: It is.
    """
    if talk.max_tokens < door.max_model_len:
        return
    fitting = max(1, door.max_model_len // 2)
    service = f" --service {door.service}" if door.service else ""
    raise UsageError(
        f"An answer cannot have {talk.max_tokens} tokens.",
        why="The model holds the conversation and the answer together.",
        evidence=f"{door.model} on {door.stack} holds {door.max_model_len} tokens.",
        next_step=f"ttctl chat --stack {door.stack}{service} --max-tokens {fitting}",
        mistyped=str(talk.max_tokens),
        meant=str(fitting),
    )


def _too_long(door: Door, talk: Talk, exc: TooLongError) -> TooLongError:
    exchanges = len(talk.messages) // 2
    limit = (
        f"The limit is {door.max_model_len} tokens for all that is said and the answer, which "
        f"may take {talk.max_tokens}"
    )
    if not exchanges:
        return TooLongError(
            "The question is too long for this model.",
            why=exc.why,
            evidence=f"{limit}.",
            next_step=f"ttctl models show {door.model}",
        )
    so_far = f"; it held {talk.context_tokens} before this question" * bool(talk.context_tokens)
    return TooLongError(
        "The conversation has become too long for this model.",
        why=exc.why,
        evidence=f"{limit}{so_far}. Nothing was lost, and the question can be asked again.",
        next_step=f"/drop {max(1, exchanges // 2)}",
    )
