# SPDX-License-Identifier: Apache-2.0
"""A package index: a simple page for each project, and tiny wheels.

Source: https://packaging.python.org/en/latest/specifications/simple-repository-api/
"""

from __future__ import annotations

import hashlib
import zipfile
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import unquote

from tests.standins.web import Handler, serving

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator
    from pathlib import Path


def write_wheel(folder: Path, name: str, content: str) -> Path:
    """Write a wheel that holds one module."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-1.0-py3-none-any.whl"
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}.py", content)
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return path


def pinned(wheel: Path) -> str:
    """Return the line of a requirements file that takes this wheel and no other."""
    name = wheel.name.partition("-")[0]
    return f"{name}==1.0 --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n"


class _Index(Handler):
    folder: Path

    def do_GET(self) -> None:  # noqa: N802 - the library's word
        if not self.admitted():
            return
        words = unquote(self.path).strip("/").split("/")
        wheels = sorted(path.name for path in self.folder.glob("*.whl"))
        if words[0] == "simple" and len(words) == 2:
            wheels = [name for name in wheels if name.startswith(f"{words[1]}-")]
            self._page([f"/files/{name}" for name in wheels])
        elif words[0] == "files" and words[-1] in wheels:
            self.answer(200, (self.folder / words[-1]).read_bytes())
        elif words == ["links"]:
            self._page([f"/files/{name}" for name in wheels])
        else:
            self.answer(404, b"there is no such page")

    do_HEAD = do_GET  # noqa: N815

    def _page(self, links: list[str]) -> None:
        body = "".join(f'<a href="{link}">{link.rpartition("/")[2]}</a>\n' for link in links)
        status = 200 if links else 404
        self.answer(status, f"<!DOCTYPE html>\n{body}".encode(), {"Content-Type": "text/html"})


@contextmanager
def index_of(
    folder: Path, *, address: str = "127.0.0.1", tls: ssl.SSLContext | None = None, login: str = ""
) -> Iterator[tuple[int, list[str]]]:
    """Serve a folder of wheels: `/simple/` is an index, `/links` a page for find-links.

    Yields the port, and what was asked for by those who were let in.
    """

    class Index(_Index):
        pass

    Index.folder, Index.login, Index.asked = folder, login, []
    with serving(Index, address=address, tls=tls) as port:
        yield port, Index.asked
