# SPDX-License-Identifier: Apache-2.0
"""A chat page of the user's own: an image that has to be built on a test's own engine."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.driver import Stack


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
