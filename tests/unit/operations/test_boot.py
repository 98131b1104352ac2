# SPDX-License-Identifier: Apache-2.0
"""Does what was up come back after a boot, and does nothing keep the others from it?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from tests.unit.cards import FIRST, NAME, PINNED
from tests.unit.fakes import DEMO_MODEL, HUB_MODEL, Scene, at
from tests.unit.operations.test_start_again import unreachable
from tests.unit.swapping import DIRT, SECOND, SMALL, lone_scene, running, swapped

from ttctl.errors import EngineError, PrivilegeError, ToolMissingError, TtctlError, WaitError
from ttctl.model.plan import How
from ttctl.model.site import Site
from ttctl.operations import rollback as rollbacks
from ttctl.operations import upgrade as upgrades
from ttctl.operations.boot import BootLimits, boot
from ttctl.operations.plan import lock
from ttctl.operations.restart import restart
from ttctl.operations.stacks import down
from ttctl.operations.start_again import start_again
from ttctl.operations.stop import stop
from ttctl.operations.up import up

if TYPE_CHECKING:
    from collections.abc import Callable

    from ttctl.model.device import System

GONE = EngineError("No container engine answers.", why="No socket.", next_step="ttctl doctor")


def rebooted(scene: Scene) -> Scene:
    """Let every container have ended with the machine, and the place be without a network."""
    for name, one in scene.engine.states.items():
        ended = replace(one, state="exited", health="", exit_code=255, ports=())
        scene.engine.states[name] = ended
    scene.site = replace(scene.site, offline=at("1"))
    scene.taken()
    return scene


@pytest.fixture
def two() -> Scene:
    """Two stacks on the processor that were up when the machine went down."""
    scene = Scene()
    up(scene.world, SMALL)
    up(scene.world, SECOND)
    return rebooted(scene)


@pytest.fixture
def lone() -> Scene:
    """A stack that had the only board of a machine that went down."""
    return rebooted(lone_scene())


def outcomes(scene: Scene, **how: object) -> list[tuple[str, str]]:
    found = boot(scene.world, **how)  # type: ignore[arg-type] - a test's own words
    return [(one.stack, one.outcome) for one in found.stacks]


def comes_after(scene: Scene, seconds: float, happens: Callable[[], None]) -> None:
    """Let something happen once that much time was slept."""
    sleep, at_s = scene.clock.sleep, scene.clock.now() + seconds

    def slept(pause: float) -> None:
        sleep(pause)
        if scene.clock.now() >= at_s:
            happens()

    scene.clock.sleep = slept  # type: ignore[method-assign] - the test's own time


def test_what_was_up_comes_back_in_the_order_of_names_without_a_hub(two: Scene) -> None:
    two.weights.resolve = unreachable  # type: ignore[method-assign]
    assert outcomes(two) == [("llama", "started"), ("second", "started")]
    assert running(two) == ["llama", "second"]


def test_it_comes_back_though_its_containers_are_gone(two: Scene) -> None:
    two.engine.states.clear()
    assert outcomes(two) == [("llama", "started"), ("second", "started")]
    assert running(two) == ["llama", "second"]


def test_a_second_boot_changes_nothing(two: Scene) -> None:
    boot(two.world)
    two.taken()
    assert outcomes(two) == [("llama", "up already"), ("second", "up already")]
    assert two.taken() == []


def test_what_fails_keeps_no_other_from_its_start_and_gives_the_exit_code(two: Scene) -> None:
    del two.store.locks["llama"]
    found = boot(two.world)
    assert [(one.stack, one.outcome) for one in found.stacks] == [
        ("llama", "failed"),
        ("second", "started"),
    ]
    failure = found.stacks[0].failure
    assert failure is not None
    assert (failure.why, failure.next_step) == ("It has no lock.", "ttctl up llama --name llama")
    assert found.exit_code == failure.exit_code == 2
    assert two.wanted.names() == ("llama", "second")


def test_what_is_gone_is_neither_built_nor_fetched(two: Scene) -> None:
    two.engine.images.clear()
    found = boot(two.world)
    assert [one.outcome for one in found.stacks] == ["failed", "failed"]
    assert found.exit_code == EngineError.exit_code
    assert two.taken() == []


def test_where_nothing_is_wanted_not_even_the_engine_is_asked() -> None:
    scene = Scene()
    scene.engine.refuses = GONE
    found = boot(scene.world)
    assert (found.stacks, found.exit_code, scene.reporter.steps) == ((), 0, [])


def test_a_stack_from_before_this_was_kept_is_not_wanted(two: Scene) -> None:
    two.wanted.stacks.clear()
    assert outcomes(two) == []
    assert two.taken() == []


def test_what_was_ended_while_the_engine_was_waited_for_is_left_ended(two: Scene) -> None:
    two.engine.refuses = GONE

    def come() -> None:
        two.engine.refuses = None
        two.wanted.stacks.discard("second")

    comes_after(two, 10, come)
    assert outcomes(two) == [("llama", "started"), ("second", "ended")]
    assert running(two) == ["llama"]


def test_an_engine_that_answers_late_is_waited_for(two: Scene) -> None:
    two.engine.refuses = GONE
    comes_after(two, 60, lambda: setattr(two.engine, "refuses", None))
    found = boot(two.world)
    assert [one.outcome for one in found.stacks] == ["started", "started"]
    assert 60 <= found.engine_s < 70
    assert "Wait for the container engine (at most 300 s)" in two.reporter.steps


def test_an_engine_that_never_answers_ends_the_wait_at_its_limit(two: Scene) -> None:
    two.engine.refuses = GONE
    with pytest.raises(WaitError, match="did not answer") as caught:
        boot(two.world, limits=BootLimits(boot_s=20))
    assert (caught.value.evidence, caught.value.next_step) == (
        "No container engine answers. No socket.",
        "ttctl doctor",
    )
    assert 20 <= two.clock.now() < 24
    assert two.taken() == []


@pytest.mark.parametrize("refusal", [ToolMissingError("No docker."), PrivilegeError("Not you.")])
def test_what_no_wait_mends_is_refused_at_once(two: Scene, refusal: TtctlError) -> None:
    two.engine.refuses = refusal
    with pytest.raises(type(refusal)):
        boot(two.world)
    assert two.clock.now() == 0


def test_a_dry_run_waits_for_nothing_and_starts_nothing(two: Scene) -> None:
    assert outcomes(two, dry_run=True) == [("llama", "would start"), ("second", "would start")]
    assert two.taken() == []
    boot(two.world)
    assert outcomes(two, dry_run=True) == [("llama", "up already"), ("second", "up already")]


def test_a_stack_gets_its_board_again(lone: Scene) -> None:
    assert outcomes(lone) == [(NAME, "started")]
    assert running(lone) == [NAME]
    assert lone.clock.now() < 10


def without_driver(scene: Scene) -> System:
    """Take the nodes away; return the machine as it was."""
    before = scene.host.found
    bare = tuple(replace(one, nodes=()) for one in before.boards)
    scene.host.found = replace(before, device="cpu", boards=bare, chips=(), forms=())
    return before


def test_a_driver_that_comes_late_is_waited_for(lone: Scene) -> None:
    before = without_driver(lone)
    comes_after(lone, 40, lambda: setattr(lone.host, "found", before))
    assert outcomes(lone) == [(NAME, "started")]
    assert any(
        one.startswith(f"Wait for the cards of {NAME}: no node of {FIRST}")
        for one in lone.reporter.steps
    )


def test_a_driver_that_never_comes_is_said_at_the_limit(lone: Scene) -> None:
    without_driver(lone)
    found = boot(lone.world, limits=BootLimits(boot_s=30))
    failure = found.stacks[0].failure
    assert failure is not None
    assert f"Waited for its cards until 30 s after the begin: no node of {FIRST}." in (
        failure.evidence
    )
    assert found.exit_code == failure.exit_code != 0
    assert 30 <= lone.clock.now() < 40
    assert lone.taken() == []


def test_hugepages_that_come_late_are_waited_for(lone: Scene) -> None:
    cards = lone.vitals.the_cards
    lone.vitals.the_cards = replace(cards, iommu=((FIRST, "identity"),), hugepages=0)
    comes_after(lone, 20, lambda: setattr(lone.vitals, "the_cards", cards))
    assert outcomes(lone) == [(NAME, "started")]
    assert 20 <= lone.clock.now() < 30


def test_cards_that_never_come_keep_a_stack_on_the_processor_from_nothing(lone: Scene) -> None:
    lone.site = Site()
    lone.gateway.lists = (HUB_MODEL.model, PINNED.model)
    up(lone.world, replace(SMALL, device="cpu", name="aside"))
    rebooted(lone)
    without_driver(lone)
    assert outcomes(lone) == [("aside", "started"), (NAME, "failed")]


def test_dirty_boards_are_reset_only_where_it_was_agreed_to(lone: Scene) -> None:
    lone.leases.remember([DIRT])
    found = boot(lone.world)
    failure = found.stacks[0].failure
    assert failure is not None
    assert failure.code == "dirty"
    assert failure.evidence.endswith(
        "`ttctl config set up.boot_reset true` lets a boot reset them."
    )
    assert not [one for one in lone.taken() if one.startswith("reset")]
    assert [one.outcome for one in boot(lone.world, how=How(reset=True)).stacks] == ["started"]
    assert [one for one in lone.taken() if one.startswith("reset")]


def test_every_verb_that_brings_up_makes_a_stack_wanted_and_those_that_end_it_do_not() -> None:
    scene = Scene()
    world = scene.world
    lock(world, SMALL, upgrade=False)
    assert scene.wanted.names() == ()
    up(world, SMALL)
    assert scene.wanted.names() == ("llama",)
    stop(world, "llama", dry_run=True)
    down(world, "llama", volumes=False, dry_run=True)
    assert scene.wanted.names() == ("llama",)
    stop(world, "llama")
    assert scene.wanted.names() == ()
    start_again(world, "llama")
    assert scene.wanted.names() == ("llama",)
    down(world, "llama", volumes=False, dry_run=False)
    assert scene.wanted.names() == ()
    up(world, SMALL)
    scene.wanted.stacks.clear()
    restart(world, "llama")
    assert scene.wanted.names() == ("llama",)
    swapped(scene, "llama", SECOND)
    assert scene.wanted.names() == ("second",)


def test_an_upgrade_and_a_rollback_make_a_stack_wanted() -> None:
    scene = Scene()
    up(scene.world, SMALL)
    scene.wanted.stacks.clear()
    request = replace(SMALL, max_model_len=512)
    up(scene.world, request)
    scene.wanted.stacks.clear()
    rollbacks.rollback(scene.world, rollbacks.look(scene.world, "llama", None))
    assert scene.wanted.names() == ("llama",)
    scene.wanted.stacks.clear()
    scene.weights.revision = "2" * 40
    found = upgrades.look(scene.world, "llama", {})
    assert upgrades.upgrade(scene.world, found).changed
    assert scene.wanted.names() == ("llama",)


def test_what_does_not_come_up_is_wanted_no_more_and_no_less_than_before() -> None:
    scene = Scene()
    scene.gateway.is_healthy = False
    with pytest.raises(TtctlError):
        up(scene.world, SMALL, wait_s=1)
    assert scene.wanted.names() == ()
    scene.gateway.is_healthy = True
    up(scene.world, SMALL)
    scene.gateway.is_healthy = False
    with pytest.raises(TtctlError):
        restart(scene.world, "llama", wait_s=1)
    assert scene.wanted.names() == ("llama",)


def test_a_swap_that_fails_leaves_wanted_what_was() -> None:
    scene = Scene()
    up(scene.world, SMALL)
    scene.gateway.is_healthy = False
    with pytest.raises(TtctlError):
        swapped(scene, "llama", SECOND, wait_s=1)
    assert scene.wanted.names() == ("llama",)


def test_what_has_no_container_any_more_is_wanted_no_more_after_a_stop(two: Scene) -> None:
    two.engine.states.clear()
    stop(two.world, "llama")
    down(two.world, "second", volumes=False, dry_run=False)
    assert two.wanted.names() == ()


def test_a_stack_that_another_command_changes_is_failed_as_locked(two: Scene) -> None:
    two.store.busy = True
    found = boot(two.world)
    assert [one.failure.code for one in found.stacks if one.failure] == ["locked", "locked"]
    assert found.exit_code == 75


def test_an_entry_that_the_catalog_has_no_more_is_said_with_what_to_type(two: Scene) -> None:
    two.catalog.entries = (DEMO_MODEL,)
    failure = boot(two.world).stacks[1].failure
    assert failure is not None
    assert failure.why == "Its lock names an entry that the catalog has no more."
    assert failure.next_step == "ttctl up llama --name second"


def test_a_signal_ends_a_boot_and_is_no_stacks_failure(two: Scene) -> None:
    def ended(*_: object, **__: object) -> None:
        raise SystemExit(143)

    two.launcher.up = ended  # type: ignore[method-assign] - a signal meanwhile
    with pytest.raises(SystemExit):
        boot(two.world)
    assert running(two) == []


@pytest.mark.parametrize(
    "act",
    [
        pytest.param(lambda scene: swapped(scene, "llama", SECOND), id="swap"),
        pytest.param(lambda scene: restart(scene.world, "llama"), id="restart"),
    ],
)
def test_a_loss_of_power_amid_an_exchange_brings_back_what_was_up(
    act: Callable[[Scene], object],
) -> None:
    scene = Scene()
    up(scene.world, SMALL)
    starts, seen = scene.launcher.up, list[tuple[str, ...]]()

    def looked(*words: Any, **options: Any) -> None:  # noqa: ANN401 - as the launcher has them
        seen.append(scene.wanted.names())
        starts(*words, **options)

    scene.launcher.up = looked  # type: ignore[method-assign] - looks amid the exchange
    act(scene)
    assert seen == [("llama",)]
