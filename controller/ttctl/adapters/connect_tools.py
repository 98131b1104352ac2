# SPDX-License-Identifier: Apache-2.0
"""Settings of other programs, rendered from data files, read back, and written for the user.

Each tool of controller/talk/connect/tools.toml names the page of its makers that describes its
settings.
"""

from __future__ import annotations

import ast
import shlex
from functools import cached_property
from typing import TYPE_CHECKING

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError
from pydantic import BaseModel, ConfigDict

from ttctl.adapters.files import write_atomically
from ttctl.adapters.toml import parse_toml
from ttctl.errors import BadFileError, TtctlError
from ttctl.model.connect import Form, Tool

if TYPE_CHECKING:
    from pathlib import Path


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid")

    title: str
    use: str
    file: str
    form: Form
    template: str
    source: str


class _File(BaseModel):
    tools: dict[str, _Entry]


class ConnectTools:
    """The tools of one folder of templates."""

    def __init__(self, folder: Path) -> None:
        """`folder` holds tools.toml and the templates."""
        self._folder = folder

    def known(self) -> tuple[Tool, ...]:
        """Return the tools in the file's order."""
        return tuple(
            Tool(name=name, **entry.model_dump(exclude={"template"}))
            for name, entry in self._entries.items()
        )

    def render(self, tool: Tool, values: dict[str, object]) -> str:
        """Return a tool's settings.

        Raises:
            BadFileError: They do not read back as what they are.
        """
        name = self._entries[tool.name].template
        try:
            text = self._environment.get_template(name).render(**values)
        except TemplateError as exc:
            raise _bad(tool.name, str(exc)) from exc
        try:
            _read_back(text, tool.form)
        except (yaml.YAMLError, ValueError, SyntaxError) as exc:
            raise _bad(tool.name, str(exc)) from exc
        return text

    def read(self, path: Path) -> str | None:
        """Return what a file holds, None where there is none.

        Raises:
            TtctlError: It is there and cannot be read.
        """
        try:
            return path.read_bytes().decode(errors="replace")
        except FileNotFoundError:
            # A link that leads nowhere is somebody's, too.
            return "" if path.is_symlink() else None
        except OSError as exc:
            raise TtctlError(
                f"{str(path)!r} cannot be read.",
                why=exc.strerror or str(exc),
                evidence="Nothing was changed.",
                next_step=f"ls -ld {shlex.quote(str(path))}",
            ) from exc

    def write(self, path: Path, text: str) -> None:
        """Write a file for the user alone: it holds the key."""
        write_atomically(path, text, mode=0o600)

    @cached_property
    def _entries(self) -> dict[str, _Entry]:
        return parse_toml(self._folder / "tools.toml", _File).tools

    @cached_property
    def _environment(self) -> Environment:
        environment = Environment(
            loader=FileSystemLoader(self._folder),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            autoescape=False,  # noqa: S701 - no HTML; each value passes a filter of its own
        )
        environment.filters |= {"sh": shlex.quote, "fish": _fish, "python": repr}
        return environment


def _read_back(text: str, form: Form) -> None:
    if form == "yaml":
        if not isinstance(yaml.safe_load(text), dict | list):
            raise ValueError("It is no mapping and no list.")
    elif form == "python":
        ast.parse(text)
    elif form == "sh":
        shlex.split(text, comments=True)


def _fish(value: object) -> str:
    r"""Quote for fish, where \\ and \' are the only escapes within single quotes.

    Source: https://fishshell.com/docs/current/language.html#quotes
    """
    escaped = str(value).replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _bad(name: str, why: str) -> BadFileError:
    return BadFileError(
        f"The settings of {name!r} cannot be written.",
        why="The template does not give what it should.",
        evidence=why,
        next_step="pip install --force-reinstall ttctl",
    )
