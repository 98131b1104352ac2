# SPDX-License-Identifier: Apache-2.0
"""Which services were asked for beside a stack's own engine? Pure.

Each word is `chat`, `api`, `sd` or a model, and `SERVICE=MODEL` where another model is meant than
the usual one.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from ttctl.errors import UsageError
from ttctl.model.spec import Request
from ttctl.rules.gateway_routes import RESERVED
from ttctl.rules.stack import API_SERVICE, GATEWAY_SERVICE, stack_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

CHAT_SERVICE = "chat"
"""The page; it computes nothing, so it needs no board."""
NONE = "none"
"""The word that takes back what a lock remembers."""
ENGINES = {"vllm": "vllm", API_SERVICE: "direct", "sd": "sd"}
"""By the names that services have for people."""
USUAL = {"sd": "sd"}
"""By service, the model where none is named; of the others it is the stack's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """An engine that is wanted beside the stack's own."""

    service: str
    """Name of its container, and of its prefix behind the gateway."""
    model: str
    engine: str


def words_in(given: Iterable[str]) -> tuple[str, ...]:
    """Return the words of `--with`, which commas may part; none for `none`.

    Raises:
        UsageError: `none` stands beside others.
    """
    parts = (part.strip() for one in given for part in one.split(","))
    words = tuple(dict.fromkeys(part for part in parts if part))
    if NONE in words and len(words) > 1:
        raise UsageError(
            f"--with {NONE} stands for no service at all.",
            why="Other services were named beside it.",
            evidence=f"--with {','.join(words)}",
            next_step="ttctl up --help",
        )
    return () if words == (NONE,) else words


def wants_page(words: Sequence[str]) -> bool:
    """Return whether the chat page is among the services."""
    return CHAT_SERVICE in words


def wishes_of(words: Sequence[str], *, model: str, own: str) -> tuple[Wish, ...]:
    """Return the engines that are wanted beside a stack's own.

    Args:
        words: As `words_in` gives them.
        model: What the stack's own engine serves, as it was asked for.
        own: Name of the own engine's container.

    Raises:
        UsageError: A service is named twice, or as one that the stack has anyway.
    """
    wishes = tuple(_wish(word, model, own) for word in words if word != CHAT_SERVICE)
    had = [own, GATEWAY_SERVICE]
    for wish in wishes:
        if wish.service in {*had, *RESERVED, CHAT_SERVICE}:
            raise UsageError(
                f"The service {wish.service!r} cannot be had twice.",
                why=f"The stack serves {model!r} as {own!r}; each service has a name of its own.",
                evidence=f"--with {','.join(words)}",
                next_step=f"ttctl up {wish.model} --name OTHER   # a stack of its own",
            )
        had.append(wish.service)
    return wishes


def _wish(word: str, model: str, own: str) -> Wish:
    service, named, other = word.partition("=")
    if service in ENGINES:
        meant = other if named and other else USUAL.get(service, model)
        return Wish(service=service, model=meant, engine=ENGINES[service])
    name = stack_name(Request(model=service))
    if named and service == CHAT_SERVICE:
        raise UsageError(
            f"The service {CHAT_SERVICE!r} takes no model.",
            why="It is a page, which offers what the engines of the stack serve.",
            evidence=f"--with {word}",
            next_step=f"ttctl up {model} --with {CHAT_SERVICE}",
            mistyped=word,
            meant=CHAT_SERVICE,
        )
    if named:
        meant = next(iter(get_close_matches(service, ENGINES, n=1)), "")
        raise UsageError(
            f"There is no service {service!r}.",
            why="--with takes a service, SERVICE=MODEL, or a model that vLLM serves besides.",
            evidence=f"Services: {', '.join((CHAT_SERVICE, *ENGINES))}.",
            next_step=f"ttctl up {model} --with {meant or API_SERVICE}" + f"={other}" * bool(other),
            mistyped=service,
            meant=meant,
        )
    return Wish(service=name if name != own else f"{name}-2", model=service, engine="vllm")


def unknown_word(word: str, refused: UsageError) -> UsageError:
    """Return the refusal of a word of `--with` that no model is called: it may mean a service."""
    services = (CHAT_SERVICE, *ENGINES)
    service = next(iter(get_close_matches(word, services, n=1)), "")
    return UsageError(
        f"There is no service and no model {word!r}.",
        why="--with takes a service, SERVICE=MODEL, or a model that vLLM serves besides.",
        evidence=f"Services: {', '.join(services)}. Models: {refused.evidence}",
        next_step=refused.next_step,
        mistyped=word,
        meant=service or refused.meant,
    )
