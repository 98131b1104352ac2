# SPDX-License-Identifier: Apache-2.0
"""Does each check of the cards pass and fail as it should? Not yet run on a card."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.rules.validated import board

from ttctl.model.device import Chip, System
from ttctl.model.health import CardVitals, Check, NodeVitals
from ttctl.model.pins import Requirement
from ttctl.model.spec import Limits, ModelSpec, Weights
from ttctl.model.telemetry import Answered
from ttctl.rules.card_health import card_checks

PCI = tuple(f"0000:0{number}:00.0" for number in range(1, 5))
T3K = System(
    device="t3k",
    cores=8,
    memory_bytes=1 << 38,
    machine="x86_64",
    driver="2.10.0",
    chips=tuple(
        Chip(
            node=f"/dev/tenstorrent/{number}",
            arch="wormhole_b0",
            card_type="n300",
            pci_address=address,
            firmware="19.13.1.0",
        )
        for number, address in enumerate(PCI)
    ),
)
WELL = CardVitals(
    pci=PCI,
    nodes=tuple(NodeVitals(node=chip.node, mode=0o666, uid=0) for chip in T3K.chips),
    iommu=tuple((address, "identity") for address in PCI),
    hugepages=16,
    hugepages_mounted=True,
    smi="/usr/bin/tt-smi",
)


def entry(device: str, *requirements: Requirement) -> ModelSpec:
    return ModelSpec(
        model=f"test/{device}",
        device=device,
        engine="vllm",
        image="",
        weights=Weights(kind="hub", repository="test/model"),
        limits=Limits(max_model_len=1024, max_num_seqs=1, block_size=64),
        memory_mib=0,
        status="COMPLETE",
        requirements=requirements,
    )


SPECS = (
    entry(
        "t3k",
        Requirement(what="driver", specifier=">=2.2.0", strict=False),
        Requirement(what="firmware", specifier=">=18.8.0", strict=False),
    ),
    entry(
        "p300x2",
        Requirement(what="driver", specifier=">=2.5.0", strict=True),
        Requirement(what="firmware", specifier=">=19.2.0", strict=True),
    ),
)
"""Facts of release 0.20.0."""


def judged(name: str, cards: CardVitals = WELL, system: System = T3K) -> Check:
    return next(check for check in card_checks(system, cards, SPECS) if check.name == name)


def with_firmware(*versions: str) -> System:
    chips = zip(T3K.chips, versions, strict=True)
    return replace(T3K, chips=tuple(replace(chip, firmware=one) for chip, one in chips))


def test_a_machine_without_a_card_has_one_line() -> None:
    system = System(device="cpu", cores=1, memory_bytes=1, machine="x86_64")
    (check,) = card_checks(system, CardVitals(pci=()))
    assert (check.verdict, check.name) == ("skipped", "cards")


def test_cards_that_are_well_have_nothing_to_do() -> None:
    checks = card_checks(T3K, WELL)
    assert {check.verdict for check in checks} == {"ok"}
    assert {check.group for check in checks} == {"Cards"}
    assert len(checks) == 8
    assert judged("cards").summary == "t3k: 4 on the PCI bus, 4 device nodes"


def test_a_board_that_a_container_has_is_in_use_though_nobody_has_it_open() -> None:
    taken = replace(
        board("0", "n300"), nodes=(WELL.nodes[0].node,), free="held", holders=("container box",)
    )
    check = judged("holders", system=replace(T3K, boards=(taken,)))
    assert check.verdict == "warning"
    assert check.evidence == f"{WELL.nodes[0].node}: container box"
    assert check.fix == "ttctl devices ls"


def test_a_card_without_a_node_is_named() -> None:
    three = replace(WELL, nodes=WELL.nodes[:3])
    check = judged("cards", three, replace(T3K, chips=T3K.chips[:3]))
    assert check.verdict == "failed"
    assert "without one: 0000:04:00.0" in check.evidence


def test_cards_without_any_node_want_their_driver() -> None:
    bare = replace(T3K, chips=(), driver="")
    checks = card_checks(bare, replace(WELL, nodes=()))
    assert [(check.name, check.verdict) for check in checks] == [
        ("cards", "failed"),
        ("driver", "failed"),
        ("tt-smi", "ok"),
    ]
    assert {check.fix.split("   ")[0] for check in checks} == {"sudo modprobe tenstorrent", ""}


@pytest.mark.parametrize(
    ("driver", "iommu", "device", "verdict", "said"),
    [
        pytest.param("2.10.0", "identity", "t3k", "ok", "2.10.0", id="new"),
        pytest.param("1.33", "identity", "n150", "failed", "1.34 or newer", id="no TLBs"),
        pytest.param("1.28", "DMA-FQ", "n150", "failed", "1.29 or newer", id="no IOMMU"),
        pytest.param("1.34", "DMA", "n150", "warning", "2.0 or newer", id="IOMMU in part"),
        pytest.param("1.34", "identity", "n150", "ok", "1.34", id="old and without IOMMU"),
        pytest.param("2.1.0", "identity", "t3k", "warning", ">=2.2.0", id="suggested"),
        pytest.param("2.4.1", "DMA", "p300x2", "failed", ">=2.5.0", id="strict"),
        pytest.param("2.4.1", "DMA", "p150", "ok", "2.4.1", id="not asked for"),
        pytest.param("??", "DMA", "p300x2", "warning", "'??' in", id="no version at all"),
        pytest.param("2.next", "identity", "p300x2", "failed", ">=2.5.0", id="not understood"),
    ],
)
def test_a_driver_is_judged_by_the_device_and_the_iommu(
    driver: str, iommu: str, device: str, verdict: str, said: str
) -> None:
    cards = replace(WELL, iommu=tuple((address, iommu) for address in PCI))
    check = judged("driver", cards, replace(T3K, driver=driver, device=device))
    assert check.verdict == verdict
    assert said in check.summary + check.evidence


@pytest.mark.parametrize(
    ("versions", "verdict", "said"),
    [
        pytest.param(("19.13.1.0",) * 4, "ok", "19.13.1.0", id="all the same"),
        pytest.param(("19.13.1.0",) * 3 + ("18.9.0",), "failed", "same", id="one is older"),
        pytest.param(("19.13.1.0",) * 3 + ("",), "failed", "same", id="one says nothing"),
        pytest.param(("",) * 4, "warning", "does not say", id="none says"),
        pytest.param(("18.5.0",) * 4, "warning", "validated with", id="older than suggested"),
        pytest.param(("80.18.0.0",) * 4, "warning", "validated with", id="older than all"),
    ],
)
def test_firmware_is_the_same_everywhere_and_new_enough(
    versions: tuple[str, ...], verdict: str, said: str
) -> None:
    check = judged("firmware", system=with_firmware(*versions))
    assert check.verdict == verdict
    assert said in check.summary
    assert bool(check.fix) == (verdict != "ok")


@pytest.mark.parametrize(
    ("mode", "uid", "verdict"),
    [
        (0o666, 0, "ok"),
        (0o600, 1000, "ok"),
        (0o600, 0, "failed"),
        (0o664, 0, "warning"),
        (0o444, 1000, "failed"),
    ],
)
def test_a_containers_user_must_be_able_to_open_every_node(
    mode: int, uid: int, verdict: str
) -> None:
    node = NodeVitals(node="/dev/tenstorrent/0", mode=mode, uid=uid)
    check = judged("rights", replace(WELL, nodes=(node, *WELL.nodes[1:])))
    assert check.verdict == verdict
    assert check.fix.startswith("sudo chmod 0666 /dev/tenstorrent/0") == (verdict != "ok")


TRANSLATED = tuple((address, "DMA-FQ") for address in PCI)


@pytest.mark.parametrize(
    ("changes", "verdict", "said"),
    [
        pytest.param({}, "ok", "16 pages of 1 GiB, 16 needed", id="pages"),
        pytest.param({"hugepages": 12}, "failed", "too few", id="too few"),
        pytest.param({"hugepages_mounted": False}, "failed", "not mounted", id="not mounted"),
        pytest.param({"hugepages": 0, "iommu": TRANSLATED}, "ok", "translates", id="an IOMMU"),
        pytest.param(
            {"hugepages": 0, "iommu": (*TRANSLATED[:3], (PCI[3], "identity"))},
            "failed",
            "too few",
            id="an IOMMU for some",
        ),
        pytest.param({"hugepages": 0, "iommu": ()}, "failed", "too few", id="no IOMMU"),
    ],
)
def test_transfers_need_pages_or_an_iommu(changes: dict[str, Any], verdict: str, said: str) -> None:
    check = judged("transfers", replace(WELL, **changes))
    assert check.verdict == verdict
    assert said in check.summary
    assert bool(check.fix) == (verdict == "failed")


def test_files_of_another_user_are_named() -> None:
    path = "/dev/hugepages-1G/device_0_channel_0_tenstorrent"
    check = judged("hugepage files", replace(WELL, leftovers=(path,)))
    assert (check.verdict, check.evidence) == ("warning", path)
    assert check.fix.startswith(f"sudo rm {path}")


def test_who_holds_a_card_is_named() -> None:
    held = replace(WELL.nodes[0], holders=("pid 120 (python3)", "pid 9 (tt-top)"))
    check = judged("holders", replace(WELL, nodes=(held, *WELL.nodes[1:])))
    assert check.verdict == "warning"
    assert "/dev/tenstorrent/0: pid 120 (python3)" in check.evidence
    assert check.fix == "ps -o pid,user,etime,args -p 9,120"


def test_tt_smi_is_wanted_for_a_reset() -> None:
    check = judged("tt-smi", replace(WELL, smi=""))
    assert (check.verdict, check.fix) == ("warning", "pipx install tt-smi")


@pytest.mark.parametrize(("hung", "verdict"), [(True, "failed"), (False, "warning")])
def test_a_tt_smi_that_says_nothing_is_told_with_where_the_driver_writes(
    *, hung: bool, verdict: str
) -> None:
    asked = Answered(telemetry=None, note="tt-smi did not answer: It was ended", hung=hung)
    checks = card_checks(T3K, WELL, SPECS, smi=asked)
    (check,) = (one for one in checks if one.name == "tt-smi")
    assert (check.verdict, check.evidence) == (verdict, f"{asked.note}.")
    assert check.summary.startswith("tt-smi hangs") == hung
    assert check.fix == "sudo dmesg | grep -i tenstorrent"
    quiet = card_checks(T3K, WELL, smi=Answered(telemetry=None))
    assert [one.verdict for one in quiet if one.name == "tt-smi"] == ["ok"]


def test_cards_of_another_kind_may_have_another_firmware() -> None:
    first, *rest = T3K.chips
    system = replace(T3K, chips=(replace(first, card_type="n150", firmware="18.0.0.0"), *rest))
    assert next(one.verdict for one in card_checks(system, WELL) if one.name == "firmware") == "ok"
    same = replace(T3K, chips=(replace(first, firmware="18.0.0.0"), *rest))
    assert "failed" in {one.verdict for one in card_checks(same, WELL) if one.name == "firmware"}


def test_firmware_that_is_no_version_is_not_well() -> None:
    system = replace(T3K, chips=tuple(replace(one, firmware="banana") for one in T3K.chips))
    [check] = [one for one in card_checks(system, WELL) if one.name == "firmware"]
    assert (check.verdict, check.summary) == ("warning", "banana is not understood")
