# SPDX-License-Identifier: Apache-2.0
"""Is the host judged by every pin in use, and by none that is not?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.standins import machines
from tests.unit.fakes import CARD_MODEL, FakeEngine, Scene, container

from ttctl.adapters.card_vitals import card_vitals
from ttctl.adapters.chip_sensors import sensors
from ttctl.adapters.host import LocalHost
from ttctl.cli.device_text import demand_row
from ttctl.errors import EngineError, UsageError
from ttctl.model.pins import Requirement
from ttctl.model.spec import Request
from ttctl.operations.devices import Wish, look
from ttctl.operations.devices_check import check
from ttctl.operations.up import up

if TYPE_CHECKING:
    from pathlib import Path

    from ttctl.model.container import ContainerState
    from ttctl.model.devices import DevicesCheck

STRICT = Requirement(what="firmware", specifier=">=19.20.0", strict=True)
DRIVER = Requirement(what="driver", specifier=">=2.5.0", strict=True)
NEEDY = replace(CARD_MODEL, requirements=(STRICT, DRIVER))


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """Return an n150 that is well, with a stack's lock on it."""
    root = machines.tree(tmp_path, "n150")
    found = Scene()
    found.catalog.entries = (NEEDY,)
    found.host.found = LocalHost(root, affinity=8).system()
    found.telemetry.own = sensors(root)
    found.vitals.the_cards = replace(card_vitals(root), smi="/usr/bin/tt-smi")
    up(found.world, Request(model="llama", name="one"))
    return found


def checked(scene: Scene, *models: str) -> tuple[DevicesCheck, tuple[str, ...]]:
    return check(scene.world, look(scene.world, Wish()), models, replay=False)


def verdicts(found: DevicesCheck) -> dict[str, str]:
    return {one.name: one.verdict for one in found.checks}


def test_the_pins_of_a_running_stack_decide(scene: Scene) -> None:
    found, notes = checked(scene)
    assert notes == ()
    assert [(one.who, one.what, one.met) for one in found.demands] == [
        ("stack one", "firmware", False),
        ("stack one", "driver", True),
    ]
    assert (found.firmware_wanted, found.driver_wanted) == (">=19.20.0", ">=2.5.0")
    assert verdicts(found)["firmware: pins"] == "failed"
    assert verdicts(found)["driver: pins"] == "ok"
    assert not found.passed


def test_a_stack_that_does_not_run_does_not_count(scene: Scene) -> None:
    scene.engine.states = {
        name: replace(one, state="exited") for name, one in scene.engine.states.items()
    }
    found, _ = checked(scene)
    assert found.demands == ()
    assert found.passed
    assert set(verdicts(found).values()) <= {"ok", "skipped", "warning"}


def test_without_an_engine_every_lock_counts_and_it_is_said(scene: Scene) -> None:
    class Gone(FakeEngine):
        def containers(self, stack: str | None) -> tuple[ContainerState, ...]:  # noqa: ARG002
            raise EngineError("No engine answers.")

    world = replace(scene.world, engine=Gone())
    found, notes = check(world, look(world, Wish()), (), replay=False)
    assert [one.who for one in found.demands] == ["stack one", "stack one"]
    assert notes == ("Every stack with a lock counts as running: No engine answers.",)


def test_a_model_that_is_named_counts_too(scene: Scene) -> None:
    scene.engine.states = {}
    found, _ = checked(scene, "llama")
    assert {one.who for one in found.demands} == {"--model llama"}
    with pytest.raises(UsageError):
        checked(scene, "nothing-like-it")


def test_the_cards_of_a_snapshot_are_not_judged_by_this_hosts_folders(scene: Scene) -> None:
    found, _ = check(scene.world, look(scene.world, Wish()), (), replay=True)
    assert not {"cards", "rights", "transfers"} & verdicts(found).keys()
    assert {"board 0", "firmware: golden", "topology"} <= verdicts(found).keys()


def test_a_container_of_nobodys_stack_asks_for_nothing(scene: Scene) -> None:
    scene.engine.states["x"] = container("vllm", stack="other")
    found, _ = checked(scene)
    assert {one.who for one in found.demands} == {"stack one"}


def test_a_family_means_this_machines_entries_though_the_cpu_has_the_alias(scene: Scene) -> None:
    here = replace(NEEDY, model="acme/Llama-9-1B-Instruct", aliases=())
    scene.catalog.entries = (replace(NEEDY, device="cpu", aliases=("llama",)), here)
    found, _ = checked(scene, "llama")
    assert {one.model for one in found.demands if one.who == "--model llama"} == {here.model}


def test_a_named_model_is_judged_by_the_entry_that_would_be_taken(scene: Scene) -> None:
    scene.engine.states = {}
    modest = replace(
        NEEDY,
        model="acme/Llama-9-8B-Instruct", aliases=(), requirements=(), status="COMPLETE",
    )  # fmt: skip
    larger = replace(NEEDY, model="acme/Llama-9-70B-Instruct", aliases=(), status="EXPERIMENTAL")
    scene.catalog.entries = (modest, larger)
    found, notes = checked(scene, "llama")
    assert found.demands == ()
    assert notes == (
        "--model llama is acme/Llama-9-8B-Instruct on n150, which asks for no version.",
    )


def test_a_model_for_another_device_is_judged_by_all_of_its_entries(scene: Scene) -> None:
    scene.engine.states = {}
    scene.catalog.entries = (replace(NEEDY, device="t3k"), replace(NEEDY, device="p150"))
    found, _ = checked(scene, NEEDY.model)
    assert {one.device for one in found.demands} == {"t3k", "p150"}


@pytest.mark.parametrize(("firmware", "met"), [((), "unknown"), (("banana",), "not understood")])
def test_a_demand_without_a_version_to_hold_against_it_is_unknown(
    scene: Scene, firmware: tuple[str, ...], met: str
) -> None:
    found, _ = checked(scene)
    [demand, _] = found.demands
    row = demand_row(replace(demand, met=None), replace(found, firmware=firmware))
    assert row[-1] == met


def test_only_the_boards_that_were_asked_for_are_judged(tmp_path: Path) -> None:
    root = machines.tree(tmp_path, "n150x4", firmware={1: "18.9.0.0"})
    (root / "dev/tenstorrent/3").chmod(0o600)
    scene = Scene()
    scene.host.found = LocalHost(root, affinity=8).system()
    scene.telemetry.own = sensors(root)
    scene.vitals.the_cards = replace(card_vitals(root), smi="/usr/bin/tt-smi")
    looked_at = look(scene.world, Wish())

    def of(*boards: str) -> dict[str, str]:
        found, _ = check(scene.world, looked_at, (), asked=boards, replay=False)
        return verdicts(found)

    whole = of()
    assert (whole["firmware"], whole["rights"]) == ("failed", "failed")
    alone = of("0")
    assert (alone["cards"], alone["firmware"], alone["rights"]) == ("ok", "ok", "ok")
    assert of("3")["rights"] == "failed"
    with pytest.raises(UsageError, match="There is no board '9'"):
        of("9")
