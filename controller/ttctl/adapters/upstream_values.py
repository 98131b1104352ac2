# SPDX-License-Identifier: Apache-2.0
"""Take a value of an export as it may be spelled; tell what could do harm.

Upstream changes types between releases (`8`, `8.0`, `"8"`), and a field that is not understood is
taken as absent. What would end in a command, a path or a container's environment is checked.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Annotated, NoReturn

from pydantic import BeforeValidator

REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}(/[A-Za-z0-9][A-Za-z0-9._-]{0,95})?")
PIN = re.compile(r"[0-9a-f]{7,40}|v?\d+(\.\d+)+[A-Za-z0-9._-]{0,48}")
"""A commit, or a tag that begins like a version: a branch is no pin."""
IMAGE = re.compile(
    r"[a-z0-9]([a-z0-9.-]{0,252}[a-z0-9])?(:\d{1,5})?(/[a-z0-9]+([._-]+[a-z0-9]+)*){0,8}"
    r"(:[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?(@sha256:[0-9a-f]{64})?"
)
WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,191}")
ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+/-]{0,191}")
"""Release 0.1.0 has ids with a repository's whole name in them."""
ARGUMENT = re.compile(r"(--)?[A-Za-z][A-Za-z0-9_.-]{0,63}")
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
SPECIFIER = re.compile(r"\s*(~=|===?|!=|<=|>=|<|>)\s*[0-9][0-9A-Za-z.*+!-]{0,31}\s*")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""What is no text: controls, halves of characters, and what reverses a line's direction."""
LONGEST = 16384

_HARMFUL_NAMES = re.compile(
    r"(LD|DYLD|BASH_FUNC|GIT|SSL_CERT)_.*|PYTHON.*|(HTTPS?|ALL|NO|FTP)_PROXY|PATH|BASH_ENV|IFS|ENV"
    r"|SHELLOPTS|BASHOPTS|PS4|PROMPT_COMMAND|SHELL|HOME|CDPATH|GLIBC_TUNABLES|GCONV_PATH|LOCPATH"
    r"|NLSPATH|HOSTALIASES|NODE_OPTIONS|PERL5(OPT|LIB)|RUBY(OPT|LIB)|JAVA_TOOL_OPTIONS"
    r"|HF_ENDPOINT|HF_TOKEN|HUGGING_FACE_HUB_TOKEN|VLLM_API_KEY|API_KEY|JWT_SECRET|OPENAI_API_KEY"
    r"|NO_AUTH|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|(UV|PIP)_.*"
)
"""Names that change what a program loads, whom it asks, or whether it asks for a key."""


class HarmError(Exception):
    """A value that could do harm; its text is the reason."""


def harmful_name(name: str) -> bool:
    """Return whether an environment name changes more than the engine's own settings."""
    return not VARIABLE.fullmatch(name) or bool(_HARMFUL_NAMES.fullmatch(name.upper()))


def checked(value: str, pattern: re.Pattern[str], what: str) -> str:
    """Return `value` where it is empty or fits wholly.

    Raises:
        HarmError: It does not.
    """
    if value and (not pattern.fullmatch(value) or ".." in value):
        raise HarmError(f"{what} {shown(value)} is not what it must be")
    return value


def clean(value: str, what: str) -> str:
    """Return `value` where it is text of a sane length.

    Raises:
        HarmError: It holds control characters, or is too long.
    """
    if CONTROL.search(value) or len(value) > LONGEST:
        raise HarmError(f"{what} holds a control character or is too long: {shown(value)}")
    return value


def shown(value: str) -> str:
    """Return a value as evidence shows it: one short line without control characters."""
    return ascii(value[:60])


def prose(value: object) -> str:
    """Return free text on one line, with what is no text left out."""
    return " ".join(CONTROL.sub(" ", text_of(value)).split())[:LONGEST]


def text_of(value: object) -> str:
    """Return a scalar as text; what is absent, or no scalar, is empty."""
    match value:
        case str():
            return value
        case bool() | int() | float():
            return str(value)
        case _:
            return ""


def number_of(value: object) -> float:
    """Return a number of 0 or more, also one that is written as text; 0 for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return 0
    try:
        number = float(value)
    except ValueError:
        return 0
    return number if math.isfinite(number) and 0 <= number < 1 << 48 else 0


def is_odd_number(value: object) -> bool:
    """Return whether something stands in a number's place that is none of 0 or more."""
    if value is None or value == "":
        return False
    if isinstance(value, bool) or number_of(value):
        return isinstance(value, bool)
    try:
        return not isinstance(value, int | float | str) or float(value) != 0
    except ValueError:
        return True


def count_of(value: object) -> int:
    """Return a whole number of 0 or more, 0 for anything else."""
    return int(number_of(value))


def measured(value: object) -> float | None:
    """Return a figure without the noise of a float's last digits, None where there is none."""
    return round(number_of(value), 6) or None


def mapping_of(value: object) -> dict[str, object]:
    """Return a map, also one that is written as JSON text; empty for anything else."""
    if isinstance(value, str):
        try:
            value = json.loads(value, parse_constant=_no_number)
        except (ValueError, RecursionError):
            return {}
    return dict(value) if isinstance(value, Mapping) else {}


def _no_number(text: str) -> NoReturn:
    raise ValueError(text)


def is_odd_map(value: object) -> bool:
    """Return whether something stands in a map's place that is none."""
    if value is None or value in ("", [], False):
        return False
    return not isinstance(value, Mapping) and not (
        isinstance(value, str) and (value.split() == ["{}"] or mapping_of(value))
    )


def list_of(value: object) -> list[object]:
    """Return a list, empty for anything else."""
    return list(value) if isinstance(value, list | tuple) else []


def yes(value: object) -> bool:
    """Return whether a value says yes: `true`, `1`, `"true"`."""
    return value is True or value == 1 or (isinstance(value, str) and value.lower() == "true")


Text = Annotated[str, BeforeValidator(text_of)]
Prose = Annotated[str, BeforeValidator(prose)]
Number = Annotated[float, BeforeValidator(number_of)]
Count = Annotated[int, BeforeValidator(count_of)]
Measured = Annotated[float | None, BeforeValidator(measured)]
Map = Annotated[dict[str, object], BeforeValidator(mapping_of)]
Items = Annotated[list[object], BeforeValidator(list_of)]
Yes = Annotated[bool, BeforeValidator(yes)]
