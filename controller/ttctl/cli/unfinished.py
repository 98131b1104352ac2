# SPDX-License-Identifier: Apache-2.0
"""What do the words of an unfinished line say, and what can follow them? Loads nothing slow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ttctl.cli.door import GLOBAL, OWN, VALUED
from ttctl.cli.registry import ALIASES

Item = tuple[str, str, str]
"""(`plain`, `file` or `dir`; the word; what it is for)."""
Node = dict[str, Any]
"""A verb in the table: its `help`, `options`, `arguments` and `verbs`."""


class Line:
    """What the words before the cursor say."""

    def __init__(self, words: list[str], table: Node) -> None:
        """Read the words; what is not known is passed over."""
        self.table = table
        self.node: Node = table
        self.verb = ""
        self.behind = False
        self.pending: Node = {}
        """The option that the next word is the value of."""
        self.given: dict[str, str] = {}
        """An option's first name to its last value."""
        self.places: list[str] = []
        """The words that are neither options nor verbs."""
        for word in words:
            self._read(word)

    @property
    def known(self) -> dict[str, Node]:
        """Every spelling of an option that can stand here, to the option."""
        found: dict[str, Node] = {}
        for option in (*self.node.get("options", ()), *_global_options(self.verb)):
            for name in option["names"]:
                found.setdefault(name, option)
        return found

    def value(self, kind: str) -> str:
        """Return the word of that kind that was typed, or nothing."""
        for option in self.node.get("options", ()):
            if option["kind"] == kind and self.given.get(option["names"][0]):
                return self.given[option["names"][0]]
        arguments = self.node.get("arguments", ())
        typed = zip(arguments, self.places, strict=False)
        return next((word for argument, word in typed if argument["kind"] == kind), "")

    def argument(self) -> Node:
        """Return the argument that comes next; nothing where all are there."""
        arguments = self.node.get("arguments", ())
        if len(self.places) < len(arguments):
            found: Node = arguments[len(self.places)]
            return found
        return arguments[-1] if arguments and arguments[-1]["many"] else {}

    def verbs(self) -> Iterator[Item]:
        """Yield the verbs that can come next, and at the front the words that mean one."""
        if self.places:
            return
        for name, node in self.node.get("verbs", {}).items():
            yield "plain", name, node["help"]
        if not self.verb:
            for name, means in ALIASES.items():
                yield "plain", name, f"The same as {' '.join(means)}."

    def open_options(self) -> Iterator[Item]:
        """Yield the options that were not given yet, long ones only where there is one."""
        shown: dict[str, Node] = {}
        for option in self.known.values():
            if option["many"] or option["names"][0] not in self.given:
                shown.setdefault(option["names"][0], option)
        for option in shown.values():
            names = [name for name in option["names"] if name[:2] == "--"] or option["names"]
            for name in names:
                yield "plain", name, option["help"]

    def _read(self, word: str) -> None:
        name, equals, value = word.partition("=")
        if self.behind or word == "--":
            self.behind = True
        elif self.pending:
            self.given[self.pending["names"][0]] = word
            self.pending = {}
        elif name in self.known:
            option = self.known[name]
            self.given[option["names"][0]] = value
            self.pending = option if option["kind"] and not equals else {}
        elif word[:1] != "-":
            self._read_place(word)

    def _read_place(self, word: str) -> None:
        for name in (word,) if self.verb else ALIASES.get(word, (word,)):
            if name in self.node.get("verbs", {}) and not self.places:
                self.node = self.node["verbs"][name]
                self.verb = self.verb or name
            else:
                self.places.append(word)


def _global_options(verb: str) -> Iterator[Node]:
    for long, short, _, text in GLOBAL:
        names = [long, short] if short and short not in OWN.get(verb, ()) else [long]
        yield {"names": names, "kind": "", "help": text, "many": False}
    for long, _, _, text in VALUED:
        yield {"names": [long], "kind": "file", "help": text, "many": False}
    yield {"names": ["--help", "-h"], "kind": "", "help": "Show the help.", "many": False}
    if not verb:
        names = ["--version", "-V"]
        yield {"names": names, "kind": "", "help": "Print the version.", "many": False}
