# SPDX-License-Identifier: Apache-2.0
"""A service whose model is at work, for every test of its wire."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.unit.images.direct.speaking import House, Parrot

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def house() -> Iterator[House]:
    found = House(Parrot())
    yield found
    found.close()
