# SPDX-License-Identifier: Apache-2.0
"""The images and the gateways that the tests of the gateway ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.integration.gateway_upstream.door import Door, door_with
from tests.standins.product_images import product_images

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def gateway_image() -> str:
    """Name the image that was built from images/gateway."""
    return product_images()["gateway"]


@pytest.fixture(scope="session")
def python_image() -> str:
    """Name an image that has a `python3` on its path, for the stand-in."""
    return product_images()["torch"]


@pytest.fixture
def lone_door(gateway_image: str, python_image: str, tmp_path: Path) -> Iterator[Door]:
    """Yield a gateway of the test's own, before any engine exists."""
    with door_with(gateway_image, python_image, tmp_path) as door:
        yield door


@pytest.fixture(scope="module")
def shared_door(
    gateway_image: str, python_image: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Door]:
    with door_with(gateway_image, python_image, tmp_path_factory.mktemp("gateway")) as door:
        door.start_upstream()
        door.wait_for(200)
        yield door


@pytest.fixture
def door(shared_door: Door) -> Door:
    """Give the shared gateway, ready and with nothing remembered."""
    shared_door.side("health/200")
    shared_door.wait_for(200)
    shared_door.side("forget")
    return shared_door
