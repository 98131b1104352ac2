# SPDX-License-Identifier: Apache-2.0
"""Take everything private out of what leaves this machine, in whichever writing it stands. Pure.

A known secret is found as it is, behind JSON's escapes (also JSON in JSON, with single letters
escaped), percent-encoded, and in base64 at each of its three alignments. What nobody told us of is
found by what stands before it. In doubt too much is hidden.
"""

from __future__ import annotations

import base64
import re
from bisect import bisect_right
from typing import TYPE_CHECKING

from ttctl.rules.redaction import redacted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ttctl.model.report import Private

HIDDEN = "***"
SHORTEST = 4
"""Characters of a secret that is searched for: what is shorter is in every text by chance."""
SHORTEST_CODED = 6
"""The same of its base64."""
SHORTEST_LEARNED = 12
"""Characters of what is taken for a secret by what stands before it, and hidden elsewhere, too."""
LONGEST_LINE = 4096
"""Characters of a line that are kept."""

_ONE_TO_ONE = str.maketrans({" ": "+", "\n": "n", "\r": "r", "\t": "t", "\b": "b", "\f": "f"})
"""What an escape of these leaves when its backslashes are gone; a form writes a blank as +."""
_ESCAPES = re.compile(
    r"(?P<unicode>(?:(?:\\|%(?:25)*5[cC])+u[0-9a-fA-F]{4})+)"
    r"|(?P<percent>(?:(?!%(?:25)*5[cC]u[0-9a-fA-F]{4})%(?:25)*[0-9a-fA-F]{2})+)"
    r"|(?P<back>\\+)"
)
_ENDS_AN_ESCAPE = re.compile(r"(?:\\[nrtbf]|\\u[0-9a-fA-F]{4}|%[0-9a-fA-F]{2})\Z")
_HEX_OF_UNICODE = re.compile(r"u([0-9a-fA-F]{4})")
_HEX_OF_PERCENT = re.compile(r"%(?:25)*([0-9a-fA-F]{2})")

_NAMED = re.compile(
    r"((?<![A-Za-z0-9])[A-Za-z0-9_.-]*"
    r"(?:token|secret|password|passwd|passphrase|pwd|api[_-]?key|access[_-]?key|private[_-]?key"
    r"|credentials?)\\*[\"']?[ \t]*(?:=|:(?!//))[ \t]*|--(?:api-key|token|password|hf-token)[ \t]+)"
    r"(?!\\*[\"']?(?:true|false|none|null|\d{1,6})\b)"
    r"(\\*[\"'][^\"'\\]+|[^\s\"',;&}\]]+)",
    re.IGNORECASE,
)
_BY_THEIR_MARK = re.compile(
    r"(?:hf_[A-Za-z0-9]{16,}|\b(?:gh[opsu]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|sk-[A-Za-z0-9_-]{16,}"
    r"|AKIA[A-Z0-9]{16}|eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]*))"
)
"""Tokens that say by themselves what they are."""
_PRIVATE_KEY = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL
)
_MAY_BE_REDACTED = re.compile(r"@|[?&#;]|basic|bearer|hf_", re.IGNORECASE)
_MAY_BE_NAMED = re.compile(r"token|secret|passw|passphrase|pwd|key|credential", re.IGNORECASE)
"""Most lines have none of these, and need no closer look."""
_QUOTE = re.compile(r"\\*[\"']?")
_HOME = re.compile(r"(/(?:home|Users)/)[^/\s\"'\\:,;]+")


class Scrubber:
    """Cleans texts and values of what is private here."""

    def __init__(self, private: Private) -> None:
        """Work out each writing once."""
        self._whole = sorted(one for one in private.secrets if len(one) >= SHORTEST)
        needles = {one for secret in private.secrets for one in _writings(secret)}
        self._needles = sorted(needles, key=lambda one: (-len(one), one))
        names = [(_Plain(name).decoded.casefold(), instead) for name, instead in private.names]
        self._names = sorted(
            (one for one in names if len(one[0]) > 1), key=lambda one: -len(one[0])
        )

    def text(self, text: str) -> str:
        """Return a text without what is private, its longest lines cut."""
        known = self._without_known(_PRIVATE_KEY.sub(HIDDEN, text))
        return "\n".join(_clean(line[:LONGEST_LINE]) for line in known.split("\n"))

    def value(self, value: object, name: str = "") -> object:
        """Return a JSON value without what is private, keys too; `name` is its own key."""
        if isinstance(value, dict):
            return {self.text(str(key)): self.value(one, str(key)) for key, one in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(one, name) for one in value]
        if isinstance(value, str):
            return HIDDEN if value and _NAMED.fullmatch(f"{name}=x") else self.text(value)
        if value is None or isinstance(value, bool):
            return value
        said = self._without_known(str(value))
        return value if said == str(value) else said

    def _without_known(self, text: str) -> str:
        plain = _Plain(text)
        # As it is, too: what stands before it may look like the beginning of an escape.
        spans = [(at, at + len(one), HIDDEN) for one in self._whole for at in _found(text, one)]
        spans += [
            (plain.start(at), plain.end(at + len(needle)), HIDDEN)
            for needle in self._needles
            for at in _found(plain.decoded, needle)
        ]
        folded = plain.decoded.casefold()
        if len(folded) == len(plain.decoded):
            named = [
                (plain.start(at), plain.end(at + len(name)), instead)
                for name, instead in self._names
                for at in _found(folded, name)
            ]
            spans += [one for one in named if _is_apart(text, one[0], one[1])]
        return _replaced(text, spans)


def secrets_in(text: str) -> frozenset[str]:
    """Return what looks like a secret in a text, so that it is found in other writings, too."""
    found = set(_BY_THEIR_MARK.findall(text))
    for line in text.splitlines():
        if _MAY_BE_NAMED.search(line):
            said = (one[2].lstrip("\\\"'") for one in _NAMED.finditer(line[:LONGEST_LINE]))
            found |= {one for one in said if len(one) >= SHORTEST_LEARNED}
    return frozenset(found)


class _Plain:
    """A text with its escapes resolved, and where each letter of that stood."""

    def __init__(self, text: str) -> None:
        """Resolve every escape once."""
        flat = text.translate(_ONE_TO_ONE)
        pieces: list[str] = []
        self._at, self._from, self._to = [0], [0], [0]
        """Where an escape's letters begin in the result; from where to where it was written."""
        size = last = 0
        for found in _ESCAPES.finditer(flat):
            between, letters = flat[last : found.start()], _letters(found)
            pieces += (between, letters)
            size += len(between)
            self._at.append(size)
            self._from.append(found.start())
            self._to.append(found.end())
            size += len(letters)
            self._at.append(size)
            self._from.append(found.end())
            self._to.append(found.end())
            last = found.end()
        pieces.append(flat[last:])
        self.decoded = "".join(pieces)

    def start(self, at: int) -> int:
        """Return where the letter at `at` begins, with the backslashes before it."""
        index = bisect_right(self._at, at) - 1
        if self._from[index] == self._to[index]:
            start = self._from[index] + at - self._at[index]
            before = index - 1
            empty = before >= 0 and at == self._at[index] == self._at[before]
            return self._from[before] if empty else start
        return self._from[index]

    def end(self, at: int) -> int:
        """Return where the letter before `at` ends."""
        index = bisect_right(self._at, at - 1) - 1
        if self._from[index] == self._to[index]:
            return self._from[index] + at - self._at[index]
        return self._to[index]


def _letters(found: re.Match[str]) -> str:
    """Return what an escape stands for; a backslash is nothing, however many there are."""
    if found["back"]:
        return ""
    if found["unicode"]:
        units = b"".join(
            int(one, 16).to_bytes(2, "big") for one in _HEX_OF_UNICODE.findall(found["unicode"])
        )
        said = units.decode("utf-16-be", errors="replace")
    else:
        pairs = "".join(_HEX_OF_PERCENT.findall(found["percent"]))
        said = bytes.fromhex(pairs).decode(errors="replace")
    return said.translate(_ONE_TO_ONE).replace("\\", "")


def _writings(secret: str) -> Iterator[str]:
    """Yield a secret as it is found in a text whose escapes are resolved; its long lines too."""
    for one in {secret, *(line.strip() for line in secret.splitlines())}:
        needle = _Plain(one).decoded
        if len(one) < SHORTEST or len(needle) < SHORTEST:
            continue
        yield needle
        raw = one.encode(errors="surrogatepass")
        for skipped in range(3):
            coded = base64.b64encode(b"\0" * skipped + raw).decode()
            # Letters at both ends hold bits of what stands around the secret.
            first = (0, 2, 3)[skipped]
            whole = (skipped + len(raw)) * 8 // 6
            core = coded[first:whole]
            if len(core) >= SHORTEST_CODED:
                yield core
                yield core.replace("+", "-").replace("/", "_")


def _found(text: str, needle: str) -> Iterator[int]:
    at = text.find(needle)
    while at >= 0:
        yield at
        at = text.find(needle, at + 1)


def _is_apart(text: str, start: int, end: int) -> bool:
    """Return whether a name stands for itself, and is no part of a longer word."""
    if text[end : end + 1].isalnum():
        return False
    starts = text[start].isalnum() and text[max(0, start - 1) : start].isalnum()
    return not starts or bool(_ENDS_AN_ESCAPE.search(text[max(0, start - 6) : start]))


def _replaced(text: str, spans: Sequence[tuple[int, int, str]]) -> str:
    """Return a text with spans replaced; those that overlap become one, a secret if one is."""
    joined: list[tuple[int, int, str]] = []
    for start, end, instead in sorted(spans):
        if joined and start < joined[-1][1]:
            begun, ended, word = joined[-1]
            word = HIDDEN if HIDDEN in {word, instead} else word
            joined[-1] = (begun, max(end, ended), word)
        else:
            joined.append((start, end, instead))
    pieces, last = [], 0
    for start, end, instead in joined:
        pieces += [text[last:start], instead]
        last = end
    return "".join([*pieces, text[last:]])


def _clean(line: str) -> str:
    """Return one line without what nobody told us of."""
    if _MAY_BE_REDACTED.search(line):
        line = redacted(line)
    if _MAY_BE_NAMED.search(line):
        line = _NAMED.sub(_hidden, line)
    return _HOME.sub(r"\1USER", _BY_THEIR_MARK.sub(HIDDEN, line))


def _hidden(found: re.Match[str]) -> str:
    quote = _QUOTE.match(found[2])
    return f"{found[1]}{quote[0] if quote else ''}{HIDDEN}"
