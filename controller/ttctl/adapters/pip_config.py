# SPDX-License-Identifier: Apache-2.0
"""What does pip read on this host? By configparser, as pip does: it has no public API for it."""

from __future__ import annotations

import configparser
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from ttctl.errors import BadFileError
from ttctl.model.site import Sourced

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_SECTIONS = ("global", "download", "install")
"""In the order in which they win: a command's own section beats the global one."""

_TRUE = frozenset({"y", "yes", "t", "true", "on", "1"})

_HREF = re.compile(r"""href\s*=\s*["']?([^"'#?>\s]+)""", re.IGNORECASE)

_SAMPLED_PAGES = 3


def read_pip(
    environ: Mapping[str, str], *, root: Path, home: Path, prefix: Path
) -> dict[str, Sourced]:
    """Return pip's settings by option name (`index-url`), each as pip would take it.

    Source: https://pip.pypa.io/en/stable/topics/configuration/ - global, user, site,
    PIP_CONFIG_FILE, then PIP_* variables; an empty value leaves the weaker one in force.

    Args:
        root: Where the host's file system starts.
        prefix: The Python environment whose own pip.conf counts.

    Raises:
        BadFileError: A file is not in pip's format.
    """
    sections: dict[str, dict[str, Sourced]] = {name: {} for name in _SECTIONS}
    for file in _files(environ, root=root, home=home, prefix=prefix):
        for section, option, value in _read(file):
            if section in sections:
                sections[section][option] = Sourced(value=value, source=str(file))
    found: dict[str, Sourced] = {}
    for values in (*sections.values(), _variables(environ)):
        found.update((name, one) for name, one in values.items() if one.value.strip())
    return found


def items(found: Mapping[str, Sourced], option: str) -> tuple[Sourced, ...]:
    """Return the parts of an option that holds several, parted by white space."""
    one = found.get(option)
    if one is None:
        return ()
    return tuple(Sourced(value=part, source=one.source) for part in one.value.split())


def is_true(one: Sourced | None) -> bool:
    """Return whether a switch is on, in pip's spellings."""
    return one is not None and one.value.strip().lower() in _TRUE


def is_remote(location: str) -> bool:
    """Return whether a location is reached over the network."""
    return location.lower().startswith(("http://", "https://"))


def link_folders(links: Iterable[Sourced], home: Path) -> tuple[Sourced, ...]:
    """Return where wheels lie for find-links: host folders that exist, and addresses as they are.

    What does not exist is left out, as pip does.
    """
    found = []
    for link in links:
        folder = _folder(link.value, home)
        if folder is not None:
            found.append(Sourced(value=str(folder), source=link.source))
        elif is_remote(link.value):
            found.append(link)
    return tuple(dict.fromkeys(found))


def index_folders(indexes: Iterable[Sourced], home: Path) -> tuple[Sourced, ...]:
    """Return where wheels lie for those indexes that are folders of this host.

    An index is one folder per project with an `index.html` whose links are relative to it. Two
    layouts are in use: the files lie beside the page (`NAME/NAME-1.0.whl`), then the index itself
    is the wheelhouse and its wheels lie one level down; or all pages lead to one shared folder
    (`../../files/NAME-1.0.whl`), then that folder is the wheelhouse.
    """
    found = []
    for index in indexes:
        folder = _folder(index.value, home)
        if folder is not None:
            found.append(Sourced(value=str(_shared_files(folder) or folder), source=index.source))
    return tuple(dict.fromkeys(found))


def _files(environ: Mapping[str, str], *, root: Path, home: Path, prefix: Path) -> Iterator[Path]:
    """Yield the files that pip reads, weakest first."""
    named = environ.get("PIP_CONFIG_FILE", "")
    if named == os.devnull:
        return
    shared = [Path(part) for part in environ.get("XDG_CONFIG_DIRS", "").split(os.pathsep) if part]
    for folder in shared or [root / "etc/xdg"]:
        yield folder / "pip/pip.conf"
    yield root / "etc/pip.conf"
    extra = Path(named) if named else None
    if extra is None or not extra.exists():
        yield home / ".pip/pip.conf"
        yield home / (environ.get("XDG_CONFIG_HOME") or ".config") / "pip/pip.conf"
    yield prefix / "pip.conf"
    if extra is not None:
        yield extra


def _read(file: Path) -> Iterator[tuple[str, str, str]]:
    parser = configparser.RawConfigParser()
    try:
        # A file that is missing or closed to this user counts as absent, as for pip.
        parser.read(file, encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError) as error:
        # The parser's own message quotes the line, which may hold a password.
        raise BadFileError(
            f"The pip configuration {str(file)!r} cannot be read.",
            why="pip could not read it either.",
            evidence=f"Expected sections with `name = value` lines; {_place(error)}.",
            next_step="pip config debug",
        ) from None
    for section in parser.sections():
        for option, value in parser.items(section):
            yield section, _normal(option), value


def _place(error: configparser.Error | UnicodeDecodeError) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "found bytes that are not UTF-8"
    line = getattr(error, "lineno", None)
    if isinstance(error, configparser.ParsingError) and line is None:
        line = error.errors[0][0]
    return f"line {line} is something else" if line else "found something else"


def _variables(environ: Mapping[str, str]) -> dict[str, Sourced]:
    return {
        _normal(name.removeprefix("PIP_")): Sourced(value=value, source=name)
        for name, value in environ.items()
        if name.startswith("PIP_") and name != "PIP_CONFIG_FILE"
    }


def _normal(option: str) -> str:
    return option.lower().replace("_", "-").removeprefix("--")


def _folder(location: str, home: Path) -> Path | None:
    """Return the host folder that a path or a `file:` address names, if it is there."""
    if location.lower().startswith("file:"):
        location = unquote(urlsplit(location).path)
    elif "://" in location:
        return None
    elif location.startswith("~/"):
        location = str(home / location[2:])
    folder = Path(location)
    return folder.absolute() if folder.is_dir() else None


def _shared_files(index: Path) -> Path | None:
    """Return the one folder outside of `index` that its pages lead to, None where there is none.

    A few pages tell: an index is written by one program, and reading a thousand would be slow.
    """
    folders: set[Path] = set()
    pages = 0
    for project in sorted(entry.name for entry in os.scandir(index) if entry.is_dir()):
        page = index / project / "index.html"
        targets = _linked_folders(page)
        folders |= targets
        pages += bool(targets)
        if pages == _SAMPLED_PAGES:
            break
    outside = {folder for folder in folders if not folder.is_relative_to(index.resolve())}
    return next(iter(folders)) if len(folders) == 1 and outside else None


def _linked_folders(page: Path) -> set[Path]:
    try:
        text = page.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return set()
    links = [unquote(link) for link in _HREF.findall(text) if "://" not in link]
    folders = {(page.parent / link).resolve().parent for link in links}
    return {folder for folder in folders if folder.is_dir()}
