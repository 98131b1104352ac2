# SPDX-License-Identifier: Apache-2.0
"""What the tests of the hub and of the weights share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.standins.fake_hub import FakeHub
from tests.standins.weights import publish

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def no_token(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep this user's own token and switches out; not for all, since it loads the hub's client."""
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "token"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    """A hub of the test's own with the small model of `tests.standins.weights`."""
    with FakeHub() as one:
        publish(one)
        yield one
