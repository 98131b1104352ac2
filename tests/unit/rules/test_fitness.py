# SPDX-License-Identifier: Apache-2.0
"""Is each thing that an entry needs held against the machine?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from tests.unit.rules.validated import TRANSLATED, board, entry, machine, t3k

from ttctl.model.device import Formed, System, Topology
from ttctl.model.pins import Advice, Fallback, Gated, Requirement
from ttctl.rules.fit_pages import Pages
from ttctl.rules.fitness import Ground, findings
from ttctl.rules.satisfying import satisfies

if TYPE_CHECKING:
    from ttctl.model.spec import ModelSpec

NOTHING = Advice()
CARDLESS = System(device="cpu", cores=8, memory_bytes=8 << 30, machine="x86_64")
ON_N300 = entry("acme/Only-8B", "n300")
GATE = Gated(model="acme/*", reason="a licence", source="a test", date="2026-01-31")


def wired(kind: Any) -> System:  # noqa: ANN401
    return replace(t3k(), topology=Topology(kind=kind, reason="why"))


def look(
    spec: ModelSpec, system: System, *, advice: Advice = NOTHING, **more: object
) -> dict[str, str]:
    """Return each subject with its verdict; the worst where there are several."""
    plain = Ground(system=system, disk_mib=10_000, pages=TRANSLATED)
    ground = replace(plain, **more)  # type: ignore[arg-type]
    found = findings(spec, ground, advice=advice, satisfies=satisfies)
    order = ["ok", "unknown", "warning", "blocked"]
    worst: dict[str, str] = {}
    for one in found:
        assert one.summary
        before = worst.get(one.subject, "ok")
        worst[one.subject] = max(before, one.verdict, key=order.index)
    return worst


def test_a_machine_that_has_everything_is_fit() -> None:
    assert look(ON_N300, t3k()) == dict.fromkeys(("boards", "memory", "disk", "pages"), "ok")


@pytest.mark.parametrize(
    ("spec", "system", "more", "subject", "verdict"),
    [
        pytest.param(entry("a/B", "p150"), t3k(), {}, "boards", "blocked", id="not here"),
        pytest.param(entry("a/B", "t3k"), t3k(), {}, "topology", "unknown", id="a mesh"),
        pytest.param(entry("a/B", "t3k"), wired("mesh"), {}, "topology", "ok", id="meshed"),
        pytest.param(
            entry("a/B", "t3k"), wired("isolated"), {}, "topology", "blocked", id="isolated"
        ),
        pytest.param(
            entry("a/B", "t3k"), wired("linear/torus"), {}, "topology", "blocked", id="a line"
        ),
        pytest.param(
            entry("a/B", "t3k"), wired("unknown"), {}, "topology", "unknown", id="not told"
        ),
        pytest.param(
            entry("a/B", "t3k"), t3k(free="held"), {}, "boards", "blocked", id="in use"
        ),
        pytest.param(
            entry("a/B", "t3k"), t3k(free="unknown"), {}, "boards", "warning", id="not seen"
        ),
        pytest.param(ON_N300, t3k(free="held"), {}, "boards", "ok", id="another board is free"),
        pytest.param(
            entry("a/B", "t3k"), t3k(verdict="error"), {}, "health", "blocked", id="ill"
        ),
        pytest.param(
            entry("a/B", "quad_galaxy"), t3k(), {}, "hosts", "blocked", id="several hosts"
        ),
        pytest.param(entry("a/B", "gpu"), t3k(), {}, "hosts", "blocked", id="no card of ours"),
        pytest.param(
            replace(ON_N300, memory_mib=1 << 30), t3k(), {}, "memory", "blocked", id="memory"
        ),
        pytest.param(
            replace(ON_N300, disk_mib=10_001), t3k(), {}, "disk", "blocked", id="disk"
        ),
        pytest.param(ON_N300, t3k(), {"disk_mib": 0}, "disk", "unknown", id="disk not known"),
        pytest.param(
            ON_N300, t3k(), {"pages": Pages(total=4, mounted=True)},
            "pages", "ok", id="hugepages for chips with a node",
        ),
        pytest.param(
            entry("a/B", "t3k"), t3k(), {"pages": Pages(total=16, mounted=True)},
            "pages", "ok", id="none for remote chips",
        ),
        pytest.param(
            ON_N300, t3k(), {"pages": Pages(total=3, mounted=True)},
            "pages", "warning", id="few hugepages",
        ),
        pytest.param(
            ON_N300, t3k(), {"pages": Pages(total=8, iommu=("identity",))}, "pages", "blocked",
            id="not mounted",
        ),
    ],
)  # fmt: skip
def test_what_is_missing_is_told(
    spec: ModelSpec, system: System, more: dict[str, object], subject: str, verdict: str
) -> None:
    assert look(spec, system, **more)[subject] == verdict


def test_a_mesh_is_not_asked_of_boards_that_make_up_none() -> None:
    blackhole = machine("t3k", boards=(board("0", "p150"),))
    wrong = replace(blackhole, topology=Topology(kind="isolated", reason="why"))
    assert "topology" not in look(entry("a/B", "t3k"), wrong)


@pytest.mark.parametrize(
    ("specifier", "strict", "verdict"),
    [
        pytest.param(">=19.2.0", True, "ok", id="new enough"),
        pytest.param(">=20", True, "blocked", id="strict"),
        pytest.param(">=20", False, "warning", id="suggested"),
        pytest.param("no specifier", True, "unknown", id="not understood"),
    ],
)
def test_firmware_is_held_against_the_requirement(
    specifier: str, verdict: str, *, strict: bool
) -> None:
    wish = Requirement(what="firmware", specifier=specifier, strict=strict)
    assert look(replace(ON_N300, requirements=(wish,)), t3k())["firmware"] == verdict


def test_of_a_machine_without_a_card_nothing_is_judged() -> None:
    huge = replace(ON_N300, memory_mib=1 << 30)
    assert look(huge, CARDLESS) == {"boards": "unknown"}


def test_a_fallback_device_is_a_warning() -> None:
    known = Fallback(
        device="p150x4", instead="p300x2", engine="vllm", reason="four chips", source="a test",
        date="2026-01-31",
    )  # fmt: skip
    boards = tuple(board(str(number), "p150") for number in range(4))
    whole = Formed(device="p150x4", boards=("0", "1", "2", "3"), reason="4 x p150")
    system = machine("p150x4", whole, boards=boards)
    advice = Advice(fallbacks=(known,))
    assert look(entry("a/B", "p300x2"), system, advice=advice)["boards"] == "warning"


@pytest.mark.parametrize(
    ("token", "verdict"), [(True, "ok"), (False, "warning"), (None, "warning")]
)
def test_gated_weights_are_named(verdict: str, *, token: bool | None) -> None:
    assert look(ON_N300, t3k(), advice=Advice(gated=(GATE,)), token=token)["weights"] == verdict


NEEDS_NEW = Requirement(what="firmware", specifier=">=19.2.0", strict=True)


def mixed_machine() -> System:
    """Return an old n150 beside a p300 with what is wanted."""
    boards = (board("0", "n150", firmware="18.0.0.0"), board("1", "p300"))
    forms = [Formed(device=one.family, boards=(one.id,), reason="1 x") for one in reversed(boards)]
    return machine("", *forms, boards=boards)


def test_firmware_of_boards_that_are_not_used_blocks_nothing() -> None:
    spec = entry("a/B", "p300", requirements=(NEEDS_NEW,))
    assert look(spec, mixed_machine())["firmware"] == "ok"
    assert look(replace(spec, device="n150"), mixed_machine())["firmware"] == "blocked"


def test_what_is_wrong_with_cards_says_nothing_of_the_processor() -> None:
    on_cpu = entry("a/B", "cpu", requirements=(NEEDS_NEW,))
    assert not {"health", "boards"} & look(on_cpu, t3k(verdict="error")).keys()


@pytest.mark.parametrize("old", ["18.0.0.0", "80.17.0.0"])
def test_the_board_on_which_the_least_is_in_the_way_is_taken(old: str) -> None:
    spec = replace(ON_N300, requirements=(NEEDS_NEW,))
    found = findings(
        spec, Ground(system=t3k(firmware=old)), advice=NOTHING, satisfies=satisfies
    )  # fmt: skip
    said = {one.subject: one for one in found}
    assert said["boards"].summary == "n300 from board 1, which is free"
    assert said["firmware"].verdict == "ok"


def test_a_board_that_is_given_is_judged_though_another_would_do() -> None:
    system = t3k(firmware="18.0.0.0")
    found = findings(
        replace(ON_N300, requirements=(NEEDS_NEW,)),
        Ground(system=system),
        advice=NOTHING,
        satisfies=satisfies,
        boards=system.boards[:1],
    )
    assert {one.subject for one in found if one.verdict == "blocked"} == {"firmware"}


def test_boards_of_one_mesh_with_different_firmware_are_in_the_way() -> None:
    system = t3k(firmware="18.0.0.0")
    assert look(entry("a/B", "t3k"), system)["firmware"] == "blocked"
    assert "firmware" not in look(ON_N300, system)
