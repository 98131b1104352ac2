# SPDX-License-Identifier: Apache-2.0
"""Which processor do the pinned wheels of the cpu target need? Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ttctl.model.device import System


def unfit_for_pinned_wheels(system: System) -> str:
    """Return why the wheels, built for x86-64 with AVX2, do not run here; empty where they do."""
    if system.machine != "x86_64":
        return f"This machine is {system.machine}, expected x86_64"
    # Flags that could not be read say nothing against the processor.
    if system.cpu_flags and "avx2" not in system.cpu_flags:
        return f"This machine is {system.machine}, without the flag avx2"
    return ""
