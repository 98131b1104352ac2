# SPDX-License-Identifier: Apache-2.0
"""Whose files does the server of an image write? Pure.

The image's configuration decides, where it could be read; else what its contract says of upstream's
releases. An image that starts as somebody whom its contract does not know is not what was read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.errors import EngineError
from ttctl.rules.recipe import UIDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ttctl.model.contract import LaunchContract

ROOT = "root"


def config_user(config: Mapping[str, object]) -> str:
    """Return whom an image starts as, without the group: a name, or an ordinary number.

    Args:
        config: The object `Config` of the engine, or `config` of the image's own file; its `User`
            is left out or empty where the image starts as root.

    Source: https://github.com/opencontainers/image-spec/blob/v1.1.0/config.md, `User`
    """
    name = str(config.get("User") or "").partition(":")[0]
    return ROOT if name in {"", "0"} else name


def server_uid(contract: LaunchContract, *, image: str, user: str) -> int:
    """Return the user id that the server of an image runs as.

    Args:
        contract: How it is launched.
        image: Its reference, for the refusal.
        user: Whom it starts as, as `config_user` says; empty where nobody could be asked.

    Raises:
        EngineError: The contract knows no such user of it.
    """
    known = dict(contract.users)
    if not user or user in known:
        return known.get(user, contract.uid)
    if contract.numbers and user.isascii() and user.isdecimal() and int(user) in UIDS:
        return int(user)
    raise EngineError(
        f"The image {image!r} starts as the user {user!r}.",
        why=f"How {contract.name!r} images are launched was read from images of another user.",
        evidence=f"Expected {' or '.join(_expected(contract))}.",
        next_step=f"docker buildx imagetools inspect --format '{{{{json .Image}}}}' {image}",
    )


def _expected(contract: LaunchContract) -> list[str]:
    numbers = [f"a number from {UIDS[0]} to {UIDS[-1]}"] if contract.numbers else []
    return [*(name for name, _ in contract.users), *numbers]
