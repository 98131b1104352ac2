# SPDX-License-Identifier: Apache-2.0
"""Which checkouts does `--source COMPONENT=PATH` name, whether they are there or not? Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

COMPONENTS = ("tt-metal", "vllm")


def named_checkouts(given: Sequence[str]) -> dict[str, str]:
    """Return component and path of each checkout.

    Raises:
        UsageError: One is written otherwise, or a component is named twice.
    """
    found: dict[str, str] = {}
    for one in given:
        component, _, path = one.partition("=")
        if component not in COMPONENTS or not path or component in found:
            raise UsageError(
                f"--source {one!r} names no checkout.",
                why="It stands in place of one pinned commit, and each component has one.",
                evidence=f"Expected COMPONENT=PATH; components: {', '.join(COMPONENTS)}.",
                next_step="ttctl up --help",
            )
        found[component] = path
    return found
