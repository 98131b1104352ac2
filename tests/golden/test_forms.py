# SPDX-License-Identifier: Apache-2.0
"""Are the scripts and units of a stack, byte by byte, those that were reviewed?

One on the processor, one of each way to share memory with cards. `TTCTL_GOLDEN=write` rewrites
them; the difference is what a reviewer reads. None of those with cards was run on a card yet.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.unit.fakes import RECIPES
from tests.unit.rules.stacks import CARD, HOST_IPC, LLAMA

from ttctl.rules.renderings import FORMS, files_of

if TYPE_CHECKING:
    from ttctl.model.service import Stack

FOLDER = Path(__file__).parent / "forms"


@pytest.mark.parametrize(
    "stack", [pytest.param(stack, id=stack.name) for stack in (LLAMA, CARD, HOST_IPC)]
)
def test_every_form_is_the_one_that_was_reviewed(stack: Stack) -> None:
    folder = FOLDER / stack.name
    files = {path: text for path, (text, _) in files_of(stack, FORMS, yaml=RECIPES.yaml).items()}
    if os.environ.get("TTCTL_GOLDEN") == "write":
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.iterdir():
            old.unlink()
        for path, text in files.items():
            (folder / path).write_text(text, encoding="utf-8", newline="\n")
    found = {path.name: path.read_bytes().decode() for path in folder.iterdir()}
    assert sorted(found) == sorted(files)
    for path, text in files.items():
        assert found[path] == text, f"{path} differs; TTCTL_GOLDEN=write rewrites it"
