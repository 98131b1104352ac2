# SPDX-License-Identifier: Apache-2.0
"""Stacks of several services by a name: `compose/stacks/NAME.toml`, or the user's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.rules.stack import NAME

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ttctl.model.named_stack import NamedStack


def named_stack(word: str, folders: Sequence[Path]) -> NamedStack | None:
    """Return the stack that a word names, from the first folder that has it; None for a model.

    Raises:
        BadFileError: Its file is damaged.
    """
    if not NAME.fullmatch(word):
        return None
    path = next((one for folder in folders if (one := folder / f"{word}.toml").is_file()), None)
    if path is None:
        return None
    # A model's name, as most words are, does without.
    from ttctl.adapters.stack_reader import read_stack  # noqa: PLC0415

    return read_stack(path)
