# SPDX-License-Identifier: Apache-2.0
"""The program of the service `api` itself, with a model that repeats what it was asked.

`python direct_engine.py --weights FOLDER --name NAME --backend cpu --port PORT`, with the folders
images/direct and images/serving on PYTHONPATH. A letter is a token. A question that holds SLOW is
answered until somebody hangs up; a prompt of more than `LONGEST` letters does not fit.
"""

from __future__ import annotations

import runpy
import sys
import time
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

END = 0
LONGEST = 2000
STEP_S = 0.005
ASKED: list[str] = []


class Words:
    """A tokenizer: each letter is a token."""

    stops = frozenset({END})
    longest_token = 1000
    """So that what does not fit is counted in tokens."""

    def __init__(self, weights: Path) -> None:
        pass

    def tokens_of(self, messages: Sequence[tuple[str, str]]) -> list[int]:
        ASKED[:] = [messages[-1][1]]
        return [ord(one) for _, text in messages for one in text]

    def text_of(self, tokens: Sequence[int]) -> str:
        return "".join(map(chr, tokens))


class Model:
    """Says what it was asked."""

    context, longest_prompt, survives = 1 << 20, LONGEST, True

    def __init__(self, weights: Path, context: int) -> None:  # noqa: ARG002
        self._text, self._at = "", 0

    def prefill(self, tokens: Sequence[int], *, greedy: bool) -> list[tuple[int, float]]:  # noqa: ARG002
        self._text, self._at = f"You said: {ASKED[0]}", 0
        return self.decode(END, greedy=greedy)

    def decode(self, token: int, *, greedy: bool) -> list[tuple[int, float]]:  # noqa: ARG002
        if "SLOW" in self._text:
            time.sleep(STEP_S)
            self._text += " so" * (self._at == len(self._text))
        letter = self._text[self._at] if self._at < len(self._text) else chr(END)
        self._at += 1
        return [(ord(letter), 1.0)]

    def close(self) -> None:
        pass


if __name__ == "__main__":
    for name, what, one in (("words", "HubWords", Words), ("processor", "Processor", Model)):
        module = sys.modules[f"ttctl_direct.{name}"] = ModuleType(f"ttctl_direct.{name}")
        setattr(module, what, one)
    runpy.run_module("ttctl_direct", run_name="__main__", alter_sys=True)
