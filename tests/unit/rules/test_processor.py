# SPDX-License-Identifier: Apache-2.0
"""Is a processor that cannot run the pinned wheels told from one that can?"""

from __future__ import annotations

import pytest

from ttctl.model.device import System
from ttctl.rules.processor import unfit_for_pinned_wheels


def system(machine: str, *flags: str) -> System:
    return System(
        device="cpu", cores=2, memory_bytes=1 << 30, machine=machine, cpu_flags=frozenset(flags)
    )


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        pytest.param(system("x86_64", "avx", "avx2"), "", id="AVX2"),
        pytest.param(system("x86_64"), "", id="flags that could not be read say nothing"),
        pytest.param(system("x86_64", "avx"), "without the flag avx2", id="AVX only"),
        pytest.param(system("aarch64", "asimd"), "is aarch64, expected x86_64", id="Arm"),
    ],
)
def test_a_processor_fits_or_the_reason_is_told(found: System, reason: str) -> None:
    said = unfit_for_pinned_wheels(found)
    assert bool(said) == bool(reason)
    assert reason in said
