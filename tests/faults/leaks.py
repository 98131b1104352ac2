# SPDX-License-Identifier: Apache-2.0
"""Search every place that a run leaves something in, for words that must be in none.

A word is found as it is, percent-encoded, and in base64 at each alignment; what lies packed is
looked into. What was looked at is counted, so that finding nothing means something.
"""

from __future__ import annotations

import gzip
import io
import json
import subprocess
import tarfile
import threading
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self

from tests.standins.traces import forms

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.faults.own_engine import OwnEngine

EVERY_S = 0.02
"""Fifty looks at the processes a second."""


@dataclass
class Search:
    """What was looked at, and where a word was found."""

    words: dict[str, str]
    """Which secret, and the word that stands for it."""
    engine: OwnEngine
    found: set[tuple[str, str, str]] = field(default_factory=set)
    """(kind of place, place, secret)."""
    looked: Counter[str] = field(default_factory=Counter)
    """How many bytes of each kind of place."""

    def look(self, kind: str, where: str, data: bytes) -> None:
        """Look at bytes, and into them where they are packed."""
        self.looked[kind] += len(data)
        for name, word in self.words.items():
            if any(form in data for form in forms(word)):
                self.found.add((kind, where, name))
        if data.startswith(b"\x1f\x8b"):
            with suppress(OSError, EOFError):
                self.look(kind, f"{where} (unpacked)", gzip.decompress(data))
        elif data[257:262] == b"ustar":
            self._archive(kind, where, data)

    def _archive(self, kind: str, where: str, data: bytes) -> None:
        with suppress(tarfile.ReadError), tarfile.open(fileobj=io.BytesIO(data)) as archive:
            for member in archive:
                file = archive.extractfile(member) if member.isfile() else None
                if file is not None:
                    self.look(kind, f"{where}: {member.name}", file.read())

    def tree(self, kind: str, folder: Path, *, but: Iterable[Path] = ()) -> None:
        """Look at every file below a folder, and at the files' names."""
        but = set(but)
        for path in sorted(folder.rglob("*")):
            self.look(kind, f"name of {path}", str(path.relative_to(folder)).encode())
            if path.is_file() and not path.is_symlink() and path not in but:
                with suppress(OSError):
                    self.look(kind, str(path), path.read_bytes())

    def containers(self) -> None:
        """Look at every container: what the engine knows, what it says, what runs in it."""
        for name, known in self.engine.containers().items():
            self.look("container inspect", name, json.dumps(known).encode())
            self.look("container log", name, self._said("logs", name))
            if known["State"]["Running"]:  # type: ignore[index]
                inside = "cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline"
                self.look("container processes", name, self._said("exec", name, "sh", "-c", inside))

    def networks(self) -> None:
        for one in self.engine.docker("network", "ls", "--quiet").split():
            self.look("network inspect", one, self._said("network", "inspect", one))

    def image(self, reference: str) -> None:
        """Look at an image as the engine would hand it on: settings, history, each layer."""
        self.look("image inspect", reference, self._said("image", "inspect", reference))
        history = self._said("history", "--no-trunc", "--format={{json .}}", reference)
        self.look("image history", reference, history)
        words = ["docker", "save", reference]
        with subprocess.Popen(words, stdout=subprocess.PIPE, env=self.engine.environ) as saved:
            assert saved.stdout is not None
            with tarfile.open(fileobj=saved.stdout, mode="r|") as archive:
                for member in archive:
                    file = archive.extractfile(member)
                    if file is not None:
                        self.look("image saved", f"{reference}: {member.name}", file.read())
        assert saved.returncode == 0

    def _said(self, *words: str) -> bytes:
        """Return what docker prints, on both of its ends."""
        return subprocess.run(
            ["docker", *words], env=self.engine.environ, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, check=False,
        ).stdout  # fmt: skip


class Watch(threading.Thread):
    """Looks at the processes that begin while the block runs, fifty times a second."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.looks = 0
        self.commands: set[bytes] = set()
        self.environs: set[tuple[bytes, bytes]] = set()
        """(the command line, its variables)."""
        self._known: set[tuple[str, bytes]] = set()
        self._over = threading.Event()
        self._look()
        self.commands.clear()
        self.environs.clear()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join()

    def run(self) -> None:
        while not self._over.wait(EVERY_S):
            self._look()
            self.looks += 1

    def _look(self) -> None:
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                command = (folder / "cmdline").read_bytes()
                if not command or (folder.name, command) in self._known:
                    continue
                self._known.add((folder.name, command))
                self.commands.add(command)
                self.environs.add((command, (folder / "environ").read_bytes()))
