# SPDX-License-Identifier: Apache-2.0
"""What can stand here? The answer to a shell that completes a line.

It comes from a table that `make docs` writes out of the verbs, and from local names. No verb and
no library is loaded, nothing is asked, and a failure is no answer.

Source: https://github.com/pallets/click/blob/8.5.1/src/click/shell_completion.py, the variables
that a shell's script sets, and the lines that it reads.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from ttctl.cli.unfinished import Item, Line, Node

TABLE = Path(__file__).with_name("completion.json")


def answer(environ: Mapping[str, str], asked: str) -> str:
    """Return the lines that the shell's script reads; `asked` is such as `bash_complete`.

    A line that is being typed is no place for a message: a failure is no suggestion.
    """
    shell = asked.partition("_")[0]
    items: list[Item] = []
    with suppress(Exception):
        words, incomplete = _words(shell, environ)
        items = suggestions(words, incomplete, environ, whole=shell != "bash")
    return "".join(_line(shell, item) + "\n" for item in items)


def suggestions(
    words: list[str], incomplete: str, environ: Mapping[str, str], *, whole: bool = True
) -> list[Item]:
    """Return what the word that begins with `incomplete` can become.

    Args:
        words: The words before it, without `ttctl`.
        incomplete: What there is of it, perhaps nothing.
        environ: Names the folders in which stacks are.
        whole: Whether the shell replaces `--option=value` whole, or what is behind the `=` only.
    """
    table: Node = json.loads(TABLE.read_text(encoding="utf-8"))
    line = Line(words, table)
    head, equals, value = incomplete.partition("=")
    if line.behind:
        return [("file", incomplete, "")] if line.verb == "exec" else []
    if equals and head in line.known:
        front = f"{head}=" if whole else ""
        values = _values(line.known[head], value, line, environ)
        return [(kind, front + word, text) for kind, word, text in values if kind == "plain"]
    if line.pending:
        return list(_values(line.pending, incomplete, line, environ))
    if incomplete.startswith("-"):
        return _begun(line.open_options(), incomplete)
    argument = line.argument()
    found = [*_begun(line.verbs(), incomplete), *_values(argument, incomplete, line, environ)]
    return found or ([] if argument or incomplete else list(line.open_options()))


def _values(node: Node, begun: str, line: Line, environ: Mapping[str, str]) -> Iterator[Item]:
    """Yield the values of an option or an argument that begin with `begun`."""
    kind = node.get("kind", "")
    if kind in {"file", "dir"}:
        yield kind, begun, ""
    elif kind == "choice":
        yield from _begun((("plain", one, "") for one in node["choices"]), begun)
    elif kind == "device":
        yield from _begun((("plain", name, "") for name in line.table["devices"]), begun)
    elif kind == "setting":
        yield from _begun((("plain", row[0], row[4]) for row in _settings()), begun)
    elif kind == "value":
        yield from _values(_setting_node(line.value("setting")), begun, line, environ)
    elif kind:
        for name in _local_names(kind, begun, line, environ):
            yield "plain", name, ""


def _settings() -> tuple[tuple[Any, ...], ...]:
    # Loaded where a setting is asked for, as the names below.
    from ttctl.model.setting_rows import ROWS  # noqa: PLC0415

    return ROWS


def _setting_node(key: str) -> Node:
    """Return what the value of a setting is, as an argument."""
    kind, allowed = next(((row[1], row[2]) for row in _settings() if row[0] == key), ("", ()))
    kind = {"path": "file", "paths": "file", "catalog": "file"}.get(kind, kind)
    choices = ["true", "false"] if kind == "switch" else [str(one) for one in allowed]
    return {"kind": "choice" if kind == "switch" else kind, "choices": choices}


def _local_names(kind: str, begun: str, line: Line, environ: Mapping[str, str]) -> tuple[str, ...]:
    # Loaded where a name is asked for: most words are verbs and options.
    from ttctl.adapters import names, places  # noqa: PLC0415

    found: tuple[str, ...] = ()
    if kind == "model":
        found = names.model_names(places.catalog())
        if not any(name.startswith(begun) for name in found):
            found = tuple(name.rpartition("/")[2] for name in found)
    elif kind == "stack":
        found = names.stack_names(environ)
    elif kind == "service":
        found = names.service_names(environ, line.value("stack"))
    elif kind == "role":
        found = names.role_names(environ)
    return tuple(name for name in found if name.startswith(begun))


def _begun(items: Iterator[Item], begun: str) -> list[Item]:
    return [item for item in items if item[1].startswith(begun)]


def _words(shell: str, environ: Mapping[str, str]) -> tuple[list[str], str]:
    """Return the words before the one that is typed, without `ttctl`, and what there is of it."""
    words = _split(environ["COMP_WORDS"])
    if shell == "fish":
        incomplete = "".join(_split(environ.get("COMP_CWORD", ""))[:1])
        before = words[1:-1] if incomplete and words[-1:] == [incomplete] else words[1:]
        return before, incomplete
    at = int(environ["COMP_CWORD"])
    before, incomplete = words[1:at], "".join(words[at : at + 1])
    if shell == "bash":
        # Bash parts `--option=value` into three words.
        before = [word for word in before if word != "="]
        incomplete = "" if incomplete == "=" else incomplete
    return before, incomplete


def _split(text: str) -> list[str]:
    """Part a line as a shell does; a quote that is still open is no failure."""
    reader = shlex.shlex(text, posix=True)
    reader.whitespace_split = True
    reader.commenters = ""
    words: list[str] = []
    try:
        words.extend(reader)
    except ValueError:
        words.append(reader.token or "")
    return words


def _line(shell: str, item: Item) -> str:
    kind, word, text = item
    if shell == "zsh":
        # The script gives words with a text to `_describe`, which parts them at a colon.
        escaped = word.replace(":", r"\:") if text else word
        return f"{kind}\n{escaped}\n{text or '_'}"
    if shell == "fish" and text:
        # The script parts at each comma.
        return f"{kind},{word}\t{text.replace(',', ';')}"
    return f"{kind},{word}"
