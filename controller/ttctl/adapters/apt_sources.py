# SPDX-License-Identifier: Apache-2.0
"""Which mirror does this host take Debian from? Own parser: python-debian is under the GPL."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ttctl.model.site import Sourced

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BASE_RELEASE = "bookworm"
"""The release of the base image."""

_RELEASE_NAMES = frozenset({"stable", "oldstable", "testing", "unstable", "sid", BASE_RELEASE})

_SUITE = re.compile(r"(?P<release>[a-z]+)(?P<part>|-updates|-security|/updates)")

_ONE_LINE = re.compile(r"deb\s+(?:\[(?P<options>[^\]]*)\]\s+)?(?P<rest>.+)")

_FILE_NAME = re.compile(r"[A-Za-z0-9_.-]+\.(?:list|sources)")
"""apt skips other names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """One entry of a source file, as written."""

    uris: tuple[str, ...]
    suites: tuple[str, ...]
    components: tuple[str, ...]
    signed_by: str
    """A keyring's path, a key itself, or empty."""


def host_apt_sources(root: Path) -> tuple[Sourced, ...]:
    """Return `deb URI SUITE main` lines for the base image, from a Debian host's own sources.

    A mirror that serves the host's release serves the base image's too, so the suite is
    rewritten. Keyring paths are left out: the base image has the distribution's own. On any
    other distribution there is no mirror to learn, and nothing is returned.
    """
    release = _debian_release(root)
    if release is None:
        return ()
    lines: dict[str, str] = {}
    for file in _files(root / "etc/apt"):
        for entry in _entries(file):
            for line in _lines(entry, _RELEASE_NAMES | {release}):
                lines.setdefault(line, str(file))
    return tuple(Sourced(value=line, source=source) for line, source in lines.items())


def _debian_release(root: Path) -> str | None:
    """Return the host's code name (it may be empty), None where the host is not Debian."""
    for path in (root / "etc/os-release", root / "usr/lib/os-release"):
        text = _text(path)
        if text:
            pairs = (line.partition("=") for line in text.splitlines())
            values = {name.strip(): value.strip().strip("\"'") for name, _, value in pairs}
            return values.get("VERSION_CODENAME", "") if values.get("ID") == "debian" else None
    return None


def _files(folder: Path) -> Iterator[Path]:
    yield folder / "sources.list"
    try:
        names = sorted(path.name for path in (folder / "sources.list.d").iterdir())
    except OSError:
        return
    yield from (folder / "sources.list.d" / name for name in names if _FILE_NAME.fullmatch(name))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _entries(file: Path) -> Iterator[_Entry]:
    text = _text(file)
    if file.suffix == ".sources":
        for stanza in re.split(r"\n[ \t]*\n", text.replace("\r", "")):
            yield from _from_stanza(stanza)
    else:
        for line in text.splitlines():
            yield from _from_line(line.partition("#")[0].strip())


def _from_line(line: str) -> Iterator[_Entry]:
    match = _ONE_LINE.fullmatch(line)
    words = match["rest"].split() if match else []
    if match is None or len(words) < 3:  # noqa: PLR2004 - URI, suite, component
        return
    options = dict(
        word.partition("=")[::2] for word in (match["options"] or "").lower().split() if "=" in word
    )
    yield _Entry(
        uris=(words[0],),
        suites=(words[1],),
        components=tuple(words[2:]),
        signed_by=options.get("signed-by", ""),
    )


def _from_stanza(stanza: str) -> Iterator[_Entry]:
    fields: dict[str, list[str]] = {}
    name = ""
    for line in stanza.splitlines():
        if line.startswith("#"):
            continue
        if line[:1] in {" ", "\t"}:
            fields.setdefault(name, []).extend(line.split())
        else:
            name, _, value = line.partition(":")
            name = name.strip().lower()
            fields[name] = value.split()
    enabled = " ".join(fields.get("enabled", ["yes"])).lower() not in {"no", "false", "0", "off"}
    if enabled and "deb" in fields.get("types", []):
        yield _Entry(
            uris=tuple(fields.get("uris", ())),
            suites=tuple(fields.get("suites", ())),
            components=tuple(fields.get("components", ())),
            signed_by=" ".join(fields.get("signed-by", ())),
        )


def _lines(entry: _Entry, releases: frozenset[str]) -> Iterator[str]:
    if "main" not in entry.components:
        return
    for uri in entry.uris:
        if not _is_distribution(uri, entry.signed_by):
            continue
        for suite in entry.suites:
            match = _SUITE.fullmatch(suite)
            if match and match["release"] in releases:
                part = match["part"].replace("/updates", "-security")
                yield f"deb {uri} {BASE_RELEASE}{part} main"


def _is_distribution(uri: str, signed_by: str) -> bool:
    """Return whether a repository is the distribution's own or a mirror of it.

    Others end their path in /debian too and call their component main; what they cannot be is
    signed with the distribution's keyring, the only one that the base image has.
    """
    if not uri.startswith(("http://", "https://")):
        return False
    if signed_by:
        return signed_by.rpartition("/")[2].startswith("debian-archive-")
    return urlsplit(uri).path.rstrip("/").endswith(("/debian", "/debian-security"))
