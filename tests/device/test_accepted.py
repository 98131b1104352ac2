# SPDX-License-Identifier: Apache-2.0
"""On a machine with cards, after `make device`: is the result true of what still runs?

Not yet run on a card.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ttctl.adapters import places
from ttctl.adapters.hardware import FOLDER, KeptResults
from ttctl.rules.acceptance_private import leaks

WORDS = shlex.split(os.environ.get("ACCEPTED", ""))
"""What `make device` tried: a model, and with `--device` and `--board` on what."""
NO_CARD = not Path("/dev/tenstorrent").is_dir() or not WORDS

pytestmark = [
    pytest.mark.device,
    pytest.mark.skipif(NO_CARD, reason="no Tenstorrent card, or ACCEPTED names no model"),
]


def data(*words: str) -> Any:  # noqa: ANN401 - JSON
    program = Path(sys.executable).with_name("ttctl")
    done = subprocess.run(
        [str(program), *words, "--json"], capture_output=True, text=True, check=True, timeout=600
    )
    return json.loads(done.stdout)["data"]


def test_a_result_of_today_is_signed_and_names_nobody() -> None:
    results = KeptResults(places.catalog() / FOLDER)
    now = datetime.now(UTC).date()
    days = {str(now), str(now - timedelta(days=1))}
    fresh = [one for one in results.kept() if one.ran.date in days]
    assert fresh
    assert all(one.signature == "good" for one in results.all())
    assert all(leaks(one.ran, []) == () for one in fresh)


def test_a_second_up_changes_nothing_while_the_boards_are_leased() -> None:
    assert not data("up", *WORDS)["changed"]


def test_every_leased_board_names_its_holder() -> None:
    boards = data("devices", "ls")["boards"]
    assert any(one["free"] == "held" and one["holders"] for one in boards)
