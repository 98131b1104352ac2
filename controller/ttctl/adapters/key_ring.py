# SPDX-License-Identifier: Apache-2.0
"""The keys of the stacks' gateways: a map of hashes each, which the container mounts."""

from __future__ import annotations

import hashlib
import os
from shlex import quote
from typing import TYPE_CHECKING

from ttctl.adapters.files import make_private, write_atomically
from ttctl.errors import PrivilegeError, TtctlError
from ttctl.model.keys import Ring
from ttctl.rules.keys import map_text, rows_in

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from ttctl.model.keys import KeyRow

KEY_BYTES = 32
"""256 bits, the size that the gateway's hash cannot be searched for."""
MAP = "keys.map"
OWN_FILE = "api-key"
PROGRAM = "/usr/local/bin/keys"
"""In the gateway's image: it makes the running gateway know what the map has now."""
TELL_S = 30
PASSED_ON = ("PATH", "HOME", "USER", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR", "LANG")


class KeyFolders:
    """The keys of each stack, in its own folder."""

    def __init__(self, home: Callable[[str], Path], environ: Mapping[str, str]) -> None:
        """`home` returns a stack's folder; `environ` may name the engine by DOCKER_HOST."""
        self._home = home
        self._environ = {
            name: value
            for name, value in environ.items()
            if name in PASSED_ON or name.startswith("DOCKER_")
        }

    def read(self, stack: str) -> Ring:
        """Return the keys of a stack.

        Raises:
            PrivilegeError: Others of this host can read or change where they lie.
        """
        secrets = self._home(stack) / "secrets"
        _refuse_open(secrets)
        key = read_key(secrets / OWN_FILE)
        return Ring(rows=read_rows(secrets / "gateway"), own_sha256=sha256_of(key) if key else "")

    def write(self, stack: str, rows: tuple[KeyRow, ...]) -> None:
        """Put other rows in the place of all that are there, in one step."""
        write_rows(secrets_in(self._home(stack)) / "gateway", rows)

    def new_key(self) -> tuple[str, str]:
        """Return a new key and its SHA-256; nothing is kept."""
        key = new_key()
        return key, sha256_of(key)

    def set_own(self, stack: str, key: str) -> None:
        """Put another key in the place of the stack's own."""
        write_atomically(secrets_in(self._home(stack)) / OWN_FILE, f"{key}\n", mode=0o600)

    def tell(self, container: str) -> tuple[int, str]:
        """Let a running gateway read its keys again; return the exit code and what it said.

        Raises:
            WaitError: It did not answer.
        """
        # `status` reads keys, too, and starts no program.
        from ttctl.adapters.process import run  # noqa: PLC0415 - see above

        command = ("docker", "exec", container, PROGRAM)
        done = run(command, timeout_s=TELL_S, environ=self._environ)
        return done.returncode, done.tail(3)


def new_key() -> str:
    """Return a key that nobody has."""
    return os.urandom(KEY_BYTES).hex()


def sha256_of(key: str) -> str:
    """Return what is kept of a key."""
    return hashlib.sha256(key.encode()).hexdigest()


def read_key(path: Path) -> str:
    """Return the key, empty where there is none or what is there cannot be one."""
    try:
        return path.read_text(encoding="ascii").strip()
    except (FileNotFoundError, UnicodeDecodeError):
        return ""
    except OSError as exc:
        raise TtctlError(
            "The stack's key cannot be read.",
            why=exc.strerror or "the file system refused",
            evidence=str(path),
            next_step=f"ls -ld {quote(str(path))}",
        ) from exc


def read_rows(folder: Path) -> tuple[KeyRow, ...]:
    """Return the keys of the map in the folder that the gateway mounts; none where it has none."""
    try:
        return rows_in((folder / MAP).read_text(encoding="utf-8"))
    except (FileNotFoundError, UnicodeDecodeError):
        return ()
    except OSError as exc:
        raise TtctlError(
            "The hashes of the stack's keys cannot be read.",
            why=exc.strerror or "the file system refused",
            evidence=str(folder / MAP),
            next_step=f"ls -ld {quote(str(folder / MAP))}",
        ) from exc


def write_rows(folder: Path, rows: tuple[KeyRow, ...]) -> None:
    """Write the map; the container's user reads it, and the folder above is the user's alone."""
    write_atomically(folder / MAP, map_text(rows), mode=0o444)
    folder.chmod(0o755)


def secrets_in(home: Path) -> Path:
    """Make the folder of a stack's secrets where it is missing; what lies in it may be readable.

    Raises:
        PrivilegeError: Others of this host can read or change what lies there.
    """
    secrets = home / "secrets"
    make_private(home)
    make_private(secrets)
    _refuse_open(secrets)
    return secrets


def _refuse_open(secrets: Path) -> None:
    for path in (secrets.parent, secrets, secrets / OWN_FILE):
        _check_private(path)


def _check_private(path: Path) -> None:
    try:
        mode = path.stat().st_mode & 0o777
    except OSError:
        # What is not there is made for the user alone; what cannot be read is told of below.
        return
    if mode & 0o077:
        right = "700" if path.is_dir() else "600"
        raise PrivilegeError(
            "The stack's keys are left alone: others of this host can get at them.",
            why="Whoever reads or replaces what lies there gets through the gateway.",
            evidence=f"{path} has mode {mode:04o}; it must be the user's alone, 0{right}.",
            next_step=f"chmod {right} {quote(str(path))}",
        )
