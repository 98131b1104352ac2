# SPDX-License-Identifier: Apache-2.0
"""Are too little memory, a wrong processor, a taken port and a wrong clock told?"""

from __future__ import annotations

from dataclasses import replace

import pytest

from ttctl.model.device import System
from ttctl.model.health import PlaceVitals
from ttctl.rules.machine_health import clock_checks, memory_check, port_check, processor_checks

SYSTEM = System(device="cpu", cores=8, memory_bytes=32 << 30, machine="x86_64")
WELL = PlaceVitals(now=2_000_000, installed=1_000_000, synchronised=True)


@pytest.mark.parametrize(
    ("gib", "verdict"),
    [
        pytest.param(32, "ok", id="enough"),
        pytest.param(6, "ok", id="to the byte"),
        pytest.param(5, "warning", id="for the small one only"),
        pytest.param(3, "failed", id="for none"),
    ],
)
def test_memory_is_judged_by_the_model_and_by_the_smallest_one(gib: int, verdict: str) -> None:
    system = replace(SYSTEM, memory_bytes=gib << 30)
    check = memory_check(system, least_mib=4096, wanted_mib=6144, model="acme/Small-1B")
    assert check.verdict == verdict
    assert bool(check.fix) == (verdict != "ok")
    assert ("6.0 GiB" in check.evidence) == (verdict != "ok")


def test_memory_without_a_model_is_just_told() -> None:
    check = memory_check(SYSTEM, least_mib=0, wanted_mib=0, model="")
    assert (check.verdict, check.summary) == ("ok", "32.0 GiB")


def test_a_processor_for_the_pinned_wheels_passes() -> None:
    processor, cores = processor_checks(SYSTEM, own_image=False)
    assert (processor.verdict, cores.verdict, cores.summary) == ("ok", "ok", "8")


@pytest.mark.parametrize(
    ("device", "own_image", "verdict"),
    [("cpu", False, "failed"), ("n150", False, "warning"), ("cpu", True, "ok")],
)
def test_another_processor_fails_where_the_wheels_are_wanted(
    device: str, verdict: str, *, own_image: bool
) -> None:
    system = replace(SYSTEM, device=device, machine="aarch64")
    processor, _ = processor_checks(system, own_image=own_image)
    assert processor.verdict == verdict
    assert ("aarch64, expected x86_64" in processor.evidence) == (verdict != "ok")
    assert ("site.engine_image" in processor.fix) == (verdict != "ok")


def test_one_core_is_few() -> None:
    _, cores = processor_checks(replace(SYSTEM, cores=1), own_image=False)
    assert cores.verdict == "warning"
    assert cores.fix


def test_a_port_is_free_or_its_own_gateways_or_taken() -> None:
    free = port_check(8000, stack="llama", holder=None, ours=False, free=8001)
    assert (free.verdict, free.summary) == ("ok", "free")
    ours = port_check(8000, stack="llama", holder="docker-proxy", ours=True, free=8001)
    assert (ours.verdict, ours.summary) == ("ok", "held by the gateway of llama")
    taken = port_check(8000, stack="", holder="pid 12 (nginx)", ours=False, free=8001)
    assert (taken.verdict, taken.summary) == ("failed", "taken by pid 12 (nginx)")
    assert taken.fix == "ttctl up llama --port 8001"


def verdicts(place: PlaceVitals) -> tuple[str, ...]:
    return tuple(check.verdict for check in clock_checks(place))


def test_a_clock_that_is_kept_right_passes() -> None:
    assert verdicts(WELL) == ("ok", "ok")


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        pytest.param(replace(WELL, now=0), ("failed", "ok"), id="before the installation"),
        pytest.param(replace(WELL, now=999_990), ("ok", "ok"), id="a file server's clock"),
        pytest.param(
            replace(WELL, certificates=3, not_yet=3), ("failed", "ok"), id="before certificates"
        ),
        pytest.param(
            replace(WELL, certificates=3, not_yet=1), ("ok", "ok"), id="one new certificate"
        ),
        pytest.param(replace(WELL, synchronised=False), ("ok", "warning"), id="nobody keeps it"),
        pytest.param(replace(WELL, synchronised=None), ("ok", "skipped"), id="not told"),
    ],
)
def test_a_clock_is_believed_or_not(place: PlaceVitals, expected: tuple[str, str]) -> None:
    assert verdicts(place) == expected
    for check in clock_checks(place):
        assert ("set-ntp" in check.fix) == (check.verdict in {"failed", "warning"})
