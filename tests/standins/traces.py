# SPDX-License-Identifier: Apache-2.0
"""Search everything that an image or a run leaves behind for one random word, in any form."""

from __future__ import annotations

import base64
import gzip
import io
import subprocess
import tarfile
import threading
import zipfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

PIECE = 4 << 20
SMALL = 64 << 20
"""Layers up to this size are looked into file by file."""


def forms(word: str) -> tuple[bytes, ...]:
    """Return how a word looks in plain text, in an address and in base64 at each alignment."""
    raw = word.encode()
    percent = "".join(f"%{byte:02x}" for byte in raw)
    # The first and last characters of each alignment depend on what stands around the word.
    shifted = (base64.b64encode(b"\0" * shift + raw)[4:-4] for shift in range(3))
    return (raw, percent.encode(), percent.upper().encode(), *shifted)


@dataclass
class Traces:
    """Where the word was found."""

    word: str
    found: set[str] = field(default_factory=set)
    members: int = 0
    files: int = 0

    def holds(self, data: bytes) -> bool:
        """Return whether the word is in `data`, in any form."""
        return any(form in data for form in forms(self.word))

    def look(self, where: str, data: bytes) -> None:
        if self.holds(data):
            self.found.add(where)


def docker(*words: str) -> str:
    done = subprocess.run(["docker", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def traces_of(image: str, word: str) -> Traces:
    """Search everything that the engine would hand on of an image."""
    traces = Traces(word)
    traces.look("inspect", docker("image", "inspect", image).encode())
    history = docker("history", "--no-trunc", "--format={{json .}}", image)
    traces.look("history", history.encode())
    with subprocess.Popen(["docker", "save", image], stdout=subprocess.PIPE) as saved:
        assert saved.stdout is not None
        with tarfile.open(fileobj=saved.stdout, mode="r|") as archive:
            for member in archive:
                file = archive.extractfile(member)
                if file is not None:
                    traces.members += 1
                    _search_member(traces, file, member.size)
    assert saved.returncode == 0
    return traces


def _search_member(traces: Traces, file: IO[bytes], size: int) -> None:
    if size <= SMALL:
        data = file.read()
        traces.look("save", data)
        _search_layer(traces, data)
        return
    longest = max(map(len, forms(traces.word)))
    rest = b""
    while piece := file.read(PIECE):
        traces.look("save", rest + piece)
        rest = piece[-longest:]


def _search_layer(traces: Traces, data: bytes) -> None:
    """Search the files of a layer, compressed ones as what they hold."""
    with suppress(tarfile.ReadError), tarfile.open(fileobj=io.BytesIO(data)) as layer:
        for member in layer:
            traces.files += 1
            traces.look("name", member.name.encode())
            file = layer.extractfile(member) if member.isfile() else None
            if file is not None:
                traces.look("file", _unpacked(file.read()))


def _unpacked(data: bytes) -> bytes:
    if data.startswith(b"\x1f\x8b"):
        with suppress(OSError, EOFError):
            return gzip.decompress(data)
    if data.startswith(b"PK\x03\x04"):
        with suppress(zipfile.BadZipFile), zipfile.ZipFile(io.BytesIO(data)) as archive:
            return b"".join(archive.read(name) for name in archive.namelist())
    return data


@contextmanager
def command_lines() -> Iterator[set[str]]:
    """Collect the command lines of all processes while the block runs."""
    seen: set[str] = set()
    done = threading.Event()

    def sample() -> None:
        while not done.is_set():
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                with suppress(OSError):
                    seen.add(path.read_bytes().replace(b"\0", b" ").decode("latin-1"))

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        yield seen
    finally:
        done.set()
        thread.join()
