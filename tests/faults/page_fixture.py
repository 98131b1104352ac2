# SPDX-License-Identifier: Apache-2.0
"""The image that a chat page of the user's own is built over."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.standins.product_images import product_images
from tests.standins.traces import docker

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def page_image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the archive of the image that the edited page's is built over."""
    path = tmp_path_factory.mktemp("chat") / "chat.tar"
    docker("save", "--output", str(path), product_images()["chat"])
    return path
