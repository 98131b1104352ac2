# SPDX-License-Identifier: Apache-2.0
"""The machine, the checkout, the engine and the key of one acceptance run."""

from __future__ import annotations

import os
import pwd
import socket
from pathlib import Path
from typing import TYPE_CHECKING

from ttctl import __version__
from ttctl.adapters import signing
from ttctl.adapters.acceptance_client import MeasuringClient
from ttctl.adapters.clock import utc_day
from ttctl.adapters.container_seen import seen
from ttctl.adapters.hardware import write_result
from ttctl.adapters.process import run
from ttctl.model.acceptance import Build
from ttctl.model.acceptance_kit import Place
from ttctl.rules.acceptance_text import signed_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ttctl.model.acceptance import Ran
    from ttctl.model.acceptance_kit import Seen
    from ttctl.model.tls import At

GIT_S = 20


class LocalKit:
    """What an acceptance run needs of this machine. Not yet run on a card."""

    def __init__(
        self,
        environ: Mapping[str, str],
        *,
        checkout: Path,
        state: Path,
        results: Path,
        device_root: str,
        key: Path | None = None,
    ) -> None:
        """Look at nothing yet.

        Args:
            environ: Names the engine.
            checkout: The folder that git is asked about.
            state: ttctl's state folder, for a key of its own.
            results: Where results are written.
            device_root: Where cards are looked for.
            key: The key that signs, None for ttctl's own.
        """
        self._environ = environ
        self._checkout = checkout
        self._state = state
        self._results = results
        self._device_root = device_root
        self._key = key

    def place(self) -> Place:
        """Look at the machine and the checkout."""
        return Place(
            kernel=os.uname().release,
            build=_build(self._checkout),
            today=utc_day(),
            device_root=self._device_root,
            private=_private(),
        )

    def ready(self) -> None:
        """Refuse now what would refuse the result at the end.

        Raises:
            TtctlError: The key does not sign, or OpenSSH is not installed.
        """
        signing.sign("", key=self._signs)

    def seen(self, container_id: str) -> Seen:
        """Look at a running container.

        Raises:
            EngineError: The engine does not answer, or not in its shape.
        """
        return seen(self._environ, container_id)

    def client(self, at: At) -> MeasuringClient:
        """Return what asks a gateway on loopback."""
        return MeasuringClient(at)

    def keep(self, ran: Ran) -> Path:
        """Sign a result, write its file and return where.

        Raises:
            TtctlError: It could not be signed or written.
        """
        text = signed_text(ran)
        signed = signing.sign(text, key=self._signs)
        signing.check(text, signed, path=self._results)
        return write_result(self._results, ran, signed)

    @property
    def _signs(self) -> Path:
        return self._key or signing.own_key(self._state / "acceptance")


def _build(checkout: Path) -> Build:
    if not (checkout / ".git").exists():
        return Build(version=__version__, commit="", modified=False)
    git = ["git", "-C", str(checkout)]
    head = run([*git, "rev-parse", "HEAD"], timeout_s=GIT_S)
    changed = run([*git, "status", "--porcelain", "--untracked-files=no"], timeout_s=GIT_S)
    commit = head.tail(1) if head.returncode == 0 else ""
    modified = changed.returncode != 0 or any(changed.lines)
    return Build(version=__version__, commit=commit, modified=modified)


def _private() -> tuple[str, ...]:
    """Return the words by which this machine and its user are known."""
    host = socket.gethostname()
    user = pwd.getpwuid(os.getuid())
    people = (one for one in user.pw_gecos.split(",") if one)
    return (host, host.partition(".")[0], user.pw_name, str(Path.home()), *people)
