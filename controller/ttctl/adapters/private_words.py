# SPDX-License-Identifier: Apache-2.0
"""Which words on this machine are private: keys, tokens, passwords, and who and where this is?

What cannot be read is left out: it is in nothing that this user can read, either.
"""

from __future__ import annotations

import base64
import getpass
import json
import re
import socket
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import unquote, unquote_plus

from ttctl.adapters.hub_token import NAMES, token_files
from ttctl.model.report import Private
from ttctl.rules.secret_variables import is_secret

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

MOST_BYTES = 64 << 10
"""Of a file with secrets."""
SHORTEST_WORD = 8
"""Characters of a word in a secrets' folder that is a secret: a key's name is shorter."""
ADMIN = "root"
"""A name that says nothing of whoever uses it."""
NO_HOSTS = frozenset({"", "localhost"})

_LOGIN = re.compile(r"://(?P<user>[^/\s:@'\"]*)(?::(?P<password>[^\s'\"]*))?@")
_ASSIGNED = re.compile(r"^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)=(.*)$", re.MULTILINE)
_NETRC = re.compile(r"\bpassword\s+(\S+)")


class PrivateWords:
    """The private words of one user on one machine."""

    def __init__(
        self, environ: Mapping[str, str], *, home: Path, stacks: Path, token_file: str = ""
    ) -> None:
        """Nothing is read yet.

        Args:
            environ: The variables of the command.
            home: The user's home folder.
            stacks: The folder of the stacks' own folders.
            token_file: The file of the hub's token that a flag or a setting names.
        """
        self._environ = environ
        self._home = home
        self._stacks = stacks
        self._token_file = token_file

    def read(self, addresses: Iterable[str] = ()) -> Private:
        """Return all of them; `addresses` are further texts in which passwords may stand."""
        found = {
            *self._of_variables(),
            *self._of_tokens(),
            *self._of_stacks(),
            *self._of_tools(),
            *(one for text in addresses for one in passwords_in(text)),
        }
        return Private(
            secrets=tuple(sorted(one for one in found if one)), names=tuple(self._names())
        )

    def _of_variables(self) -> Iterator[str]:
        for name, value in sorted(self._environ.items()):
            yield from passwords_in(value)
            if is_secret(name, value):
                yield value

    def _of_tokens(self) -> Iterator[str]:
        for name in NAMES:
            yield self._environ.get(name, "").strip()
        for file in token_files(self._environ, home=self._home, named=self._token_file):
            yield from _words(file, shortest=1)

    def _of_stacks(self) -> Iterator[str]:
        for file in _files(self._stacks, "*/secrets/**/*"):
            yield from _words(file, shortest=SHORTEST_WORD)
        # A rendered folder's own file of variables, and what its builds get as secrets.
        for pattern in ("*/rendered/.env", "*/rendered/**/*.env", "*/rendered/site/*"):
            for file in _files(self._stacks, pattern):
                text = _text(file)
                yield from passwords_in(text)
                for name, value in _ASSIGNED.findall(text):
                    bare = value.strip().strip("'\"")
                    if is_secret(name, bare):
                        yield bare

    def _of_tools(self) -> Iterator[str]:
        yield from _NETRC.findall(_text(self._home / ".netrc"))
        with suppress(ValueError, AttributeError, TypeError):
            known = json.loads(_text(self._home / ".docker" / "config.json") or "{}")
            for one in known.get("auths", {}).values():
                coded = str(one.get("auth", ""))
                yield coded
                yield base64.b64decode(coded).decode(errors="replace").partition(":")[2]

    def _names(self) -> Iterator[tuple[str, str]]:
        homes = {str(self._home), str(self._home.resolve()), self._environ.get("HOME", "")}
        yield from ((one, "~") for one in sorted(homes - {"", "/"}))
        users = {self._environ.get(name, "") for name in ("USER", "LOGNAME", "SUDO_USER")}
        with suppress(OSError, KeyError):
            users.add(getpass.getuser())
        yield from ((one, "USER") for one in sorted(users - {"", ADMIN}))
        host = socket.gethostname()
        hosts = {host, host.partition(".")[0], self._environ.get("HOSTNAME", "")}
        yield from ((one, "HOST") for one in sorted(hosts - NO_HOSTS))


def passwords_in(text: str) -> Iterator[str]:
    """Yield the passwords and tokens of the addresses in a text, decoded ones too."""
    for line in text.splitlines():
        for found in _LOGIN.finditer(line):
            # A token may stand in the user's place; beside a password the user is a name.
            said = found["password"] or found["user"]
            yield from {said, unquote(said), unquote_plus(said)}


def _words(file: Path, *, shortest: int) -> Iterator[str]:
    text = _text(file)
    yield from (word for word in text.split() if len(word) >= shortest)
    if "PRIVATE KEY" in text:
        yield text.strip()


def _files(folder: Path, pattern: str) -> list[Path]:
    with suppress(OSError):
        return sorted(one for one in folder.glob(pattern) if one.is_file())
    return []


def _text(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            return opened.read(MOST_BYTES).decode(errors="replace")
    except OSError:
        return ""
