# SPDX-License-Identifier: Apache-2.0
"""The host that the tests of the contracts launch on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.standins.ground import ground_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.standins.ground import Ground


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Ground]:
    """Yield a host with four boards."""
    with ground_of(tmp_path, "p150x4") as made:
        yield made
