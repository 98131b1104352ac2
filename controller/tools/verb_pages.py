# SPDX-License-Identifier: Apache-2.0
"""The verbs as pages: Markdown for docs/verbs, roff for docs/man."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ttctl import __version__, errors
from ttctl.cli.door import GLOBAL, VALUED
from ttctl.cli.front_page import PURPOSE
from ttctl.cli.registry import ALIASES, GROUPS
from ttctl.model.setting_rows import ROWS, variable_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tools.verb_tree import Row, Verb

FILES = (
    ("~/.local/state/ttctl/stacks/NAME", "A stack: its rendered folder, its lock, its key."),
    ("~/.cache/ttctl", "What was downloaded; can be removed at any time."),
    ("~/.config/ttctl/config.toml", "The user's settings."),
    ("ttctl.toml", "The project's settings, in the working folder or above it."),
)
ENVIRONMENT = (
    ("XDG_STATE_HOME, XDG_CACHE_HOME, XDG_CONFIG_HOME", "Other places for these folders."),
    ("TTCTL_UP_PORT and the like", "Settings; the page of config lists them."),
    ("NO_COLOR, FORCE_COLOR, CLICOLOR, CLICOLOR_FORCE", "Whether there are colours."),
    ("DOCKER_HOST, DOCKER_CONTEXT, DOCKER_CONFIG", "Which engine is meant, as for docker."),
)


def exit_codes() -> tuple[tuple[str, str], ...]:
    """Return each exit code with what it means, by the docstrings of the errors."""
    said = {"0": "It is done."}
    for kind in vars(errors).values():
        if isinstance(kind, type) and issubclass(kind, errors.TtctlError):
            meaning = (kind.__doc__ or "").partition("\n")[0]
            said.setdefault(str(kind.exit_code), meaning)
    said["1"] = "It failed, for a reason that has no number of its own."
    return tuple(sorted(said.items(), key=lambda one: int(one[0])))


def global_rows() -> tuple[tuple[str, str], ...]:
    """Return what stands before or after every verb."""
    flags = [(f"{short}, {long}" if short else long, text) for long, short, _, text in GLOBAL]
    valued = [(f"{long} {value}", text) for long, value, _, text in VALUED]
    return (*flags, *valued)


def setting_rows() -> tuple[tuple[str, str], ...]:
    """Return each setting with what it is and which variable sets it."""
    return tuple((row[0], f"{row[4]} `{variable_of(row[0])}`") for row in ROWS)


def markdown(verbs: tuple[Verb, ...]) -> dict[str, str]:
    """Return each page of docs/verbs by its name."""
    pages = {f"{verb.name}.md": "\n".join(_verb_markdown(verb)) + "\n" for verb in verbs}
    return {"README.md": "\n".join(_index_markdown(verbs)) + "\n", **pages}


def _index_markdown(verbs: tuple[Verb, ...]) -> Iterator[str]:
    by_name = {verb.name: verb for verb in verbs}
    yield from ("# The verbs", "", PURPOSE, "")
    yield "Written by `make docs` from what `--help` is made of; `man ttctl` shows the same."
    for title, names in GROUPS.items():
        rows = [(f"[{name}]({name}.md)", by_name[name].summary) for name in names]
        yield from ("", f"## {title}", *_table("verb", rows))
    yield from ("", "## Before or after any verb", *_table("flag", _code(global_rows())))
    yield from ("", "## Also understood")
    same = [(word, f"`ttctl {' '.join(means)}`") for word, means in ALIASES.items()]
    yield from _table("word", _code(same))
    yield from ("", "## Exit codes", *_table("code", exit_codes()))
    yield from ("", "## Files", *_table("path", _code(FILES)))
    yield from ("", "## Environment", *_table("variable", _code(ENVIRONMENT)))


def _verb_markdown(verb: Verb) -> Iterator[str]:
    yield f"# ttctl {verb.path}"
    yield from _body_markdown(verb, level=2)
    if verb.path == "config":
        yield from ("", "## Settings", *_table("setting", _code(setting_rows())))
    yield from ("", "## Exit codes", *_table("code", exit_codes()))
    yield from ("", "## Files", *_table("path", _code(FILES)))
    links = [f"[{name}]({name}.md)" for name in _related(verb)]
    yield from ("", f"See also: {', '.join([*links, '[all verbs](README.md)'])}.")


def _body_markdown(verb: Verb, *, level: int) -> Iterator[str]:
    head = "#" * level
    yield from ("", verb.summary)
    for paragraph in _paragraphs(verb):
        yield from ("", paragraph)
    yield from ("", "```", verb.usage, "```")
    if verb.arguments:
        yield from ("", f"{head} Arguments", *_table("argument", _code(_rows(verb.arguments))))
    if verb.options:
        yield from ("", f"{head} Options", *_table("option", _code(_rows(verb.options))))
    if verb.examples:
        yield from ("", f"{head} Examples", "", "```sh", *verb.examples, "```")
    for inner in verb.verbs:
        yield from ("", f"## ttctl {inner.path}")
        yield from _body_markdown(inner, level=3)


def _table(head: str, rows: list[tuple[str, str]] | tuple[tuple[str, str], ...]) -> Iterator[str]:
    yield from ("", f"| {head} | |", "|---|---|")
    for name, text in rows:
        cells = [cell.replace("|", r"\|") for cell in (name, text)]
        yield f"| {cells[0]} | {cells[1]} |"


def _code(rows: tuple[tuple[str, str], ...] | list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(f"`{name}`", text) for name, text in rows]


def manual(verbs: tuple[Verb, ...]) -> dict[str, str]:
    """Return each page of docs/man by its name."""
    pages = {f"ttctl-{verb.name}.1": "\n".join(_verb_roff(verb)) + "\n" for verb in verbs}
    return {"ttctl.1": "\n".join(_index_roff(verbs)) + "\n", **pages}


def _index_roff(verbs: tuple[Verb, ...]) -> Iterator[str]:
    by_name = {verb.name: verb for verb in verbs}
    yield from _head("ttctl", PURPOSE)
    yield from (".SH SYNOPSIS", r"\fBttctl\fR \fIVERB\fR [\fIARGUMENTS\fR]")
    yield from (".SH DESCRIPTION", _roff(PURPOSE))
    yield from (".PP", _roff("Each verb has a page of its own: `man ttctl-up`."))
    for title, names in GROUPS.items():
        yield f".SS {_roff(title)}"
        yield from _list([(f"ttctl-{name}(1)", by_name[name].summary) for name in names])
    yield from (".SH OPTIONS", _roff("They stand before or after any verb."))
    yield from _list(global_rows())
    yield from _list([("-V, --version", "Print the version.")])
    yield from (".SH ALSO UNDERSTOOD",)
    yield from _list([(word, f"ttctl {' '.join(means)}") for word, means in ALIASES.items()])
    yield from _ends()
    yield from (".SH ENVIRONMENT", *_list(ENVIRONMENT))
    yield from (".SH SEE ALSO", _roff(", ".join(f"ttctl-{verb.name}(1)" for verb in verbs)))


def _verb_roff(verb: Verb) -> Iterator[str]:
    yield from _head(f"ttctl-{verb.name}", verb.summary)
    yield ".SH SYNOPSIS"
    for number, one in enumerate((verb, *verb.verbs)):
        yield from ([".br"] if number else [])
        name = f"ttctl {one.path}"
        yield rf"\fB{_roff(name)}\fR{_roff(one.usage.removeprefix(name))}"
    yield ".SH DESCRIPTION"
    yield from _body_roff(verb, heading=".SH")
    if verb.verbs:
        yield ".SH VERBS"
    for inner in verb.verbs:
        yield f".SS {_roff('ttctl ' + inner.path)}"
        yield from _body_roff(inner, heading="")
    if verb.path == "config":
        yield from (".SH SETTINGS", *_list(setting_rows()))
    yield from _ends()
    pages = ["ttctl", *(f"ttctl-{name}" for name in _related(verb))]
    yield from (".SH SEE ALSO", _roff(", ".join(f"{page}(1)" for page in pages)))


def _body_roff(verb: Verb, *, heading: str) -> Iterator[str]:
    yield _roff(verb.summary)
    for paragraph in _paragraphs(verb):
        yield from (".PP", _roff(paragraph))
    rows = {"ARGUMENTS": _rows(verb.arguments), "OPTIONS": _rows(verb.options)}
    for title, several in rows.items():
        if several and heading:
            yield f"{heading} {title}"
        yield from _list(several)
    if verb.examples:
        yield from ([f"{heading} EXAMPLES"] if heading else [".PP", "Examples:", ".PP"])
        yield from (".nf", *(_roff(one) for one in verb.examples), ".fi")


def _ends() -> Iterator[str]:
    yield from (".SH EXIT STATUS", *_list(exit_codes()))
    yield from (".SH FILES", *_list(FILES))


def _head(name: str, summary: str) -> Iterator[str]:
    yield r".\" Written by `make docs` from what --help is made of."
    yield f'.TH {_roff(name.upper())} 1 "" "ttctl {__version__}" "ttctl"'
    yield from (".SH NAME", rf"{_roff(name)} \- {_roff(summary.rstrip('.'))}")


def _list(rows: tuple[tuple[str, str], ...] | list[tuple[str, str]]) -> Iterator[str]:
    for name, text in rows:
        yield from (".TP", rf"\fB{_roff(name)}\fR", _roff(text))


def _roff(text: str) -> str:
    """Return text as troff reads it: no escape, no request; what is in backticks is bold."""
    safe = text.replace("\\", r"\e").replace("-", r"\-").replace("~", r"\(ti").replace("^", r"\(ha")
    safe = re.sub(r"`([^`]+)`", r"\\fB\1\\fR", safe)
    return rf"\&{safe}" if safe[:1] in {".", "'"} else safe


def _rows(several: tuple[Row, ...]) -> list[tuple[str, str]]:
    return [(row.head, row.text) for row in several]


def _paragraphs(verb: Verb) -> Iterator[str]:
    yield from verb.paragraphs
    if verb.aliases:
        yield f"The same: {', '.join(f'`ttctl {word}`' for word in verb.aliases)}."


def _related(verb: Verb) -> tuple[str, ...]:
    """Return the verbs of the same group."""
    groups = [names for names in GROUPS.values() if verb.name in names]
    return tuple(name for names in groups for name in names if name != verb.name)
