# SPDX-License-Identifier: Apache-2.0
"""Does an acceptance run say anything about a machine or a person that it must not? Pure."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import TYPE_CHECKING

from ttctl.model.device import DEVICE_NAMES
from ttctl.rules.redaction import redacted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ttctl.model.acceptance import Ran

SHORTEST_PRIVATE = 4
"""Characters from which on a private word is looked for; `root` is in many words."""

_OWN_WORDS = frozenset(
    {"root", "user", "tenstorrent", "localhost", "ubuntu", "debian", "vllm", "media", "forge"}
    | set(DEVICE_NAMES)
)
"""Names that machines and users share with the texts of a catalog."""
_PRIVATE = (
    (re.compile(r"(?<![\w.:/-])/(?:[\w.-]+/)*[\w.-]+"), "a path"),
    (re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])"), "an address"),
    (re.compile(r"\b[0-9a-fA-F]{2}(?::[0-9a-fA-F]{2}){5}\b"), "a network card's address"),
    (re.compile(r"\b[0-9a-fA-F]{4}:[0-9a-fA-F]{2}:[0-9a-fA-F]{2}\.[0-7]\b"), "a PCI address"),
    (re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"), "a person's address"),
)
_VERSIONED = frozenset({"driver", "firmware"})
"""Fields whose versions have four numbers, as an address has."""
_KERNEL = re.compile(r"\d+(?:\.\d+)*(?:-\d+)*")


def plain_kernel(release: str) -> str:
    """Return the numbers that a kernel's release begins with; what follows, somebody may own."""
    found = _KERNEL.match(release)
    return found[0] if found else ""


def leaks(ran: Ran, private: Iterable[str]) -> tuple[str, ...]:
    """Return what a run says that it must not, as `field: what`; nothing where it may be shared.

    Args:
        ran: The run.
        private: Words that must not be in it: names of host and user, keys, serial numbers.
    """
    words = {
        one for one in private if len(one) >= SHORTEST_PRIVATE and one.lower() not in _OWN_WORDS
    }
    return tuple(
        dict.fromkeys(
            f"{field}: {what}"
            for field, text in _texts("", asdict(ran))
            for what in _private_in(field, text, words)
        )
    )


def _private_in(field: str, text: str, words: set[str]) -> Iterable[str]:
    name = field.rpartition(".")[2].partition("[")[0]
    if redacted(text) != text:
        yield "a password or a token"
    for pattern, what in _PRIVATE:
        if pattern.search(text) and not (what == "an address" and name in _VERSIONED):
            yield what
    for word in words:
        if re.search(rf"(?<![A-Za-z0-9]){re.escape(word)}(?![A-Za-z0-9])", text, re.IGNORECASE):
            yield "a word of this machine"


def _texts(path: str, value: object) -> Iterable[tuple[str, str]]:
    match value:
        case str():
            yield path, value
        case dict():
            for name, inner in value.items():
                yield from _texts(f"{path}.{name}".lstrip("."), inner)
        case list() | tuple():
            for number, inner in enumerate(value):
                yield from _texts(f"{path}[{number}]", inner)
        case _:
            pass
