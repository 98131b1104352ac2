# SPDX-License-Identifier: Apache-2.0
"""A chat page of the user's own: an image that has to be built on a test's own engine."""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from tests.standins.web import Handler, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.e2e.driver import Stack


class Mirror(Handler):
    """A mirror and a package index that are there, and have nothing that is needed."""

    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:  # noqa: N802 - the library's name
        self.answer(200, b"")

    do_HEAD = do_GET  # noqa: N815 - the library's name


@contextmanager
def mirrored(stack: Stack) -> Iterator[Stack]:
    """Yield a stack at a place whose mirrors answer, which `up` wants of them before a build."""
    with serving(Mirror) as port:
        place = {
            "TTCTL_APT_SOURCES": f"deb http://127.0.0.1:{port}/debian bookworm main",
            "TTCTL_PIP_INDEX_URL": f"http://127.0.0.1:{port}/simple",
        }
        environ = {**stack.ttctl.environ, **place}
        yield replace(stack, ttctl=replace(stack.ttctl, environ=environ))


def ejected(stack: Stack, folder: Path) -> tuple[str, ...]:
    """Write the page's source, make it this run's own; return the words that bring it up."""
    words = ("eject", "chat", *stack.words[:3], "--device", "cpu", "-o", str(folder))
    stack.ttctl.run(*words)
    edit(folder)
    return ("--device", "cpu", "--with", "chat", "--from", str(folder))


def edit(folder: Path) -> None:
    page = folder / "src" / "index.html"
    text = page.read_text(encoding="utf-8")
    page.write_text(f"{text}<!-- {secrets.token_hex(8)} -->\n", encoding="utf-8")
