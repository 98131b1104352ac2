# SPDX-License-Identifier: Apache-2.0
"""What a request asks for, and is it well said? Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from ttctl_serving.refusal import RefusedError

ROLES = ("system", "user", "assistant")
LONGEST_BODY = 1 << 20
"""Bytes: more text than a context holds; the gateway lets more through, and it is refused here."""
MOST_MESSAGES, MOST_STOPS, LONGEST_STOP = 1024, 8, 64
MOST_TOKENS = 1 << 20
SEEDS = 1 << 63


class BadAskedError(RefusedError):
    """A request that cannot be answered as it is."""

    def __init__(self, message: str, param: str = "") -> None:
        """Say what is wrong, and with which field."""
        super().__init__(message, param=param or None, code="bad_request")
        self.param = param


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """How the next token is chosen."""

    temperature: float = 0.7
    """0: always the likeliest."""
    top_p: float = 1.0
    """Of the likeliest that make up this much probability."""
    top_k: int = 0
    """Of so many of the likeliest; 0 for all."""
    seed: int | None = None
    """Equal seeds give equal answers of one model on one backend."""

    @property
    def greedy(self) -> bool:
        """Whether no chance is in it."""
        return self.temperature == 0 or self.top_k == 1


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A question with all that it says of the answer."""

    messages: tuple[tuple[str, str], ...]
    """(role, text)."""
    sampling: Sampling = Sampling()
    max_tokens: int = 512
    stop: tuple[str, ...] = ()
    stream: bool = False


FIELDS = (
    "prompt", "messages", "temperature", "top_p", "top_k", "max_tokens", "stop", "seed", "stream",
)  # fmt: skip


def asked_of(fields: object) -> Asked:
    """Return what the JSON of a request asks for.

    Raises:
        BadAskedError: It is no object, or a field is not as it must be.
    """
    if not isinstance(fields, dict):
        message = "The body is no JSON object."
        raise BadAskedError(message)
    unknown = sorted(set(fields) - set(FIELDS))
    if unknown:
        message = f"There is no field {unknown[0][:64]!r}; there are {', '.join(FIELDS)}."
        raise BadAskedError(message, unknown[0][:64])
    plain = Sampling()
    return Asked(
        messages=_messages(fields),
        sampling=Sampling(
            temperature=_number(fields, "temperature", plain.temperature, 0, 2),
            top_p=_number(fields, "top_p", plain.top_p, 0, 1, above=True),
            top_k=_whole(fields, "top_k", plain.top_k, 0, MOST_TOKENS),
            seed=None if fields.get("seed") is None else _whole(fields, "seed", 0, 0, SEEDS - 1),
        ),
        max_tokens=_whole(fields, "max_tokens", Asked.max_tokens, 1, MOST_TOKENS),
        stop=_stops(fields),
        stream=_flag(fields, "stream"),
    )


def _messages(fields: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    prompt, messages = fields.get("prompt"), fields.get("messages")
    if (prompt is None) is (messages is None):
        message = "Say either a prompt or messages."
        raise BadAskedError(message, "messages" if prompt is None else "prompt")
    if prompt is not None:
        return (("user", _text(prompt, "prompt")),)
    if not isinstance(messages, list) or not 1 <= len(messages) <= MOST_MESSAGES:
        message = f"messages is a list of 1 to {MOST_MESSAGES} messages."
        raise BadAskedError(message, "messages")
    return tuple(_message(one, f"messages[{at}]") for at, one in enumerate(messages))


def _message(one: object, where: str) -> tuple[str, str]:
    if not isinstance(one, dict) or set(one) != {"role", "content"}:
        message = f"{where} is an object of role and content."
        raise BadAskedError(message, where)
    if one["role"] not in ROLES:
        message = f"{where}.role is one of {', '.join(ROLES)}."
        raise BadAskedError(message, f"{where}.role")
    return one["role"], _text(one["content"], f"{where}.content")


def _text(value: object, where: str, *, longest: int = LONGEST_BODY) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= longest:
        message = f"{where} is a text that is not empty, of {longest} characters at most."
        raise BadAskedError(message, where)
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        message = f"{where} holds half of a character."
        raise BadAskedError(message, where) from None
    return value


def _number(
    fields: dict[str, Any], name: str, default: float, least: float, most: float,
    *, above: bool = False,
) -> float:  # fmt: skip
    value = fields.get(name)
    if value is None:
        return default
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not least <= value <= most or (above and value == least):
        begin = f"above {least:g} and" if above else f"from {least:g}"
        message = f"{name} is a number {begin} up to {most:g}."
        raise BadAskedError(message, name)
    return float(value)


def _whole(fields: dict[str, Any], name: str, default: int, least: int, most: int) -> int:
    value = fields.get(name)
    if value is None:
        return default
    if isinstance(value, float) and math.isfinite(value) and value.is_integer():
        # JSON knows one kind of number: 8.0 is 8.
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        message = f"{name} is a whole number from {least} to {most}."
        raise BadAskedError(message, name)
    return value


def _stops(fields: dict[str, Any]) -> tuple[str, ...]:
    value = fields.get("stop")
    if value is None:
        return ()
    given = [value] if isinstance(value, str) else value
    if not isinstance(given, list) or len(given) > MOST_STOPS:
        message = f"stop is a text or a list of {MOST_STOPS} texts at most."
        raise BadAskedError(message, "stop")
    return tuple(_text(one, "stop", longest=LONGEST_STOP) for one in given)


def _flag(fields: dict[str, Any], name: str) -> bool:
    value = fields.get(name)
    if value is not None and not isinstance(value, bool):
        message = f"{name} is true or false."
        raise BadAskedError(message, name)
    return bool(value)
