# SPDX-License-Identifier: Apache-2.0
"""The folders of systemd's units, and systemctl where it is."""

from __future__ import annotations

import os
import pwd
import shutil
import sys
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from ttctl.adapters.files import nearest_folder, write_atomically
from ttctl.adapters.process import run
from ttctl.errors import BadFileError, PrivilegeError, ToolMissingError, TtctlError, WaitError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ttctl.model.boot import Scope

SYSTEM = Path("/etc/systemd/system")
LINGER = Path("/var/lib/systemd/linger")
SYSTEMCTL_S = 30.0
READABLE = 0o644
XDG = (
    ("XDG_CONFIG_HOME", ".config"),
    ("XDG_STATE_HOME", ".local/state"),
    ("XDG_CACHE_HOME", ".cache"),
)
CARRIED = ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "HF_HOME", "HF_HUB_CACHE")
"""Further variables that lead to the engine and to weights that are here."""


class UnitFolder:
    """The folder in which one scope's units lie that were written by hand."""

    def __init__(
        self,
        scope: Scope,
        environ: Mapping[str, str],
        *,
        home: Path,
        system: Path = SYSTEM,
        linger: Path = LINGER,
    ) -> None:
        """Look at nothing yet; `system` and `linger` are systemd's own folders."""
        own = environ.get("XDG_CONFIG_HOME", "")
        base = Path(own) if own.startswith("/") else home / ".config"
        self._folder = base / "systemd" / "user" if scope == "user" else system
        self._scope, self._linger = scope, linger

    def path(self, name: str) -> Path:
        """Return where a unit lies."""
        return self._folder / name

    def text(self, name: str) -> str | None:
        """Return what it holds, None where there is none."""
        path = self.path(name)
        try:
            return path.read_bytes().decode()
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as exc:
            raise BadFileError(
                f"The unit {str(path)!r} cannot be read.",
                why=getattr(exc, "strerror", None) or str(exc),
                evidence=str(path),
                next_step=f"ls -l {quote(str(path))}",
            ) from exc

    def write(self, name: str, text: str) -> None:
        """Replace what it holds, in one step."""
        path = quote(str(self.path(name)))
        self._check_rights(f"ttctl config boot --system --dry-run | sudo tee {path}")
        write_atomically(self.path(name), text, mode=READABLE)

    def remove(self, name: str) -> None:
        """Remove it, and the links by which it is enabled."""
        path = self.path(name)
        self._check_rights(f"sudo systemctl disable {name} && sudo rm {quote(str(path))}")
        try:
            for link in self._folder.glob(f"*.wants/{name}"):
                if link.is_symlink():
                    link.unlink()
            path.unlink(missing_ok=True)
        except OSError as exc:
            raise TtctlError(
                f"The unit {str(path)!r} could not be removed.",
                why=exc.strerror or "the file system refused",
                evidence=str(exc.filename or path),
                next_step=f"ls -ld {quote(str(path.parent))}",
            ) from exc

    def systemctl(self, words: tuple[str, ...]) -> str:
        """Run systemctl with a limit; return why it failed, nothing where it did not."""
        try:
            done = run(("systemctl", *words), timeout_s=SYSTEMCTL_S)
        except (ToolMissingError, WaitError) as error:
            return " ".join(filter(None, (error.message, error.why)))
        return done.tail(3) or f"exit code {done.returncode}" if done.returncode else ""

    def lingers(self, user: str) -> bool:
        """Return whether the user's units run without a login."""
        try:
            return (self._linger / user).exists()
        except OSError:
            return False

    def _check_rights(self, by_root: str) -> None:
        if self._scope == "user" or os.access(nearest_folder(self._folder), os.W_OK):
            return
        raise PrivilegeError(
            "A unit of the system is root's to write.",
            why=f"This user may not write {str(self._folder)!r}; a user's own unit needs no root.",
            evidence="Nothing was changed.",
            next_step=by_root,
        )


def this_user() -> str:
    """Return the user's name; the number for one without a name, which systemd takes too."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def this_program() -> str:
    """Return the whole path of the ttctl that runs; links stay, as an update moves their ends.

    Raises:
        ToolMissingError: No program of that name is beside this Python, nor where it was called.
    """
    called = shutil.which(sys.argv[0]) if Path(sys.argv[0]).name == "ttctl" else None
    beside = Path(sys.executable).with_name("ttctl")
    if called or beside.is_file():
        return str(Path(called or beside).absolute())
    raise ToolMissingError(
        "The program ttctl is not found.",
        why="A boot unit names it by its whole path.",
        evidence=f"Neither {sys.argv[0]!r} nor {str(beside)!r} is one.",
        next_step="pipx install ttctl",
    )


def surroundings(
    environ: Mapping[str, str], home: Path, *, settings: Path | None
) -> tuple[tuple[str, str], ...]:
    """Return the variables that lead to the same files and the same engine at a boot.

    Args:
        environ: Those that hold now.
        home: The user's home folder.
        settings: The settings file where one was named, None for the usual one.
    """
    found = {"HOME": str(home)}
    for name, usual in XDG:
        own = environ.get(name, "")
        found[name] = own if own.startswith("/") else str(home / usual)
    path = [one for one in environ.get("PATH", "").split(":") if one.startswith("/")]
    found |= {"PATH": ":".join(path)} if path else {}
    found |= {name: environ[name] for name in CARRIED if environ.get(name)}
    found |= {"TTCTL_CONFIG": str(settings)} if settings else {}
    return tuple(found.items())
