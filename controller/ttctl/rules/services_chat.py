# SPDX-License-Identifier: Apache-2.0
"""How is the chat page's container launched? Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ttctl.model.service import Mount
from ttctl.rules import fingerprint
from ttctl.rules.beside import CHAT_SERVICE
from ttctl.rules.services import held_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ttctl.model.image import ImageSpec
    from ttctl.model.service import ServiceDefaults, ServiceSpec

FOLDER = "./chat"
"""Of the rendered folder: what `page_files` returns lies in it."""


def chat_service(
    *, image: ImageSpec, defaults: ServiceDefaults, files: Mapping[str, str]
) -> ServiceSpec:
    """Return the container of the chat page: it reads two lists, and reaches nobody.

    Args:
        image: The page's image.
        defaults: How it is launched.
        files: Path to text of what is mounted; another engine or role makes another container.
    """
    return replace(
        held_in(CHAT_SERVICE, image=image, defaults=defaults),
        mounts=(Mount(source=FOLDER, target="/etc/ttctl/chat"),),
        inputs=(("chat", fingerprint.of_files(files)),),
    )
