# SPDX-License-Identifier: Apache-2.0
"""Is a kind that is none refused with the one that was meant?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.cli.app import run_command
from ttctl.cli.door import split_flags, split_values

if TYPE_CHECKING:
    import pytest


def test_a_kind_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    words, values = split_values(["prune", "imag"])
    assert run_command(*split_flags(words), values) == 2
    err = capsys.readouterr().err
    assert "error:    There is no kind 'imag' of what may go.\n" in err
    assert err.endswith("next:     ttctl prune image\n")
