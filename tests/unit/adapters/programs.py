# SPDX-License-Identifier: Apache-2.0
"""Programs that a test puts in front of PATH, which write down how they were called."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

PROGRAM = """#!{python} -I
import json, os, pathlib, sys
with open({calls!r}, "a", encoding="utf-8") as file:
    file.write(json.dumps([os.path.basename(sys.argv[0]), *sys.argv[1:]]) + "\\n")
{body}
"""


class Programs:
    """A folder of programs, the only one in PATH beside the system's."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._folder = folder / "bin"
        self._folder.mkdir()
        self._calls = folder / "calls.jsonl"
        monkeypatch.setenv("PATH", str(self._folder))

    def add(self, name: str, body: str = "") -> None:
        """Install a program whose Python text is `body`; `sys.argv` is how it is called."""
        path = self._folder / name
        path.write_text(
            PROGRAM.format(python=sys.executable, calls=str(self._calls), body=body),
            encoding="utf-8",
        )
        path.chmod(0o755)

    @property
    def calls(self) -> list[list[str]]:
        """How they were called, in order."""
        if not self._calls.exists():
            return []
        lines = self._calls.read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]
