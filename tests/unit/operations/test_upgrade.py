# SPDX-License-Identifier: Apache-2.0
"""Is a stack resolved anew, exchanged in one step, and brought back where that fails?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from tests.unit.cards import FIRST, LLAMA, NAME
from tests.unit.fakes import HUB_MODEL, NEWER, REVISION, FakeLauncher, Scene, container
from tests.unit.operations.test_rollback import Refuses, serving
from tests.unit.swapping import Fetches, lone_scene, running

from ttctl.errors import (
    BuildError,
    EngineError,
    LockedError,
    OfflineError,
    TtctlError,
    UsageError,
)
from ttctl.model.plan import AS_NEEDED, How
from ttctl.model.spec import Limits, Request
from ttctl.operations import stacks, upgrade
from ttctl.operations.come_back import coming_back
from ttctl.operations.rollback import found_state
from ttctl.operations.up import up

if TYPE_CHECKING:
    from pathlib import Path

    from ttctl.model.container import ContainerState
    from ttctl.model.protocols import Reporter

SMALL = Request(model="llama")
NO_SETTINGS: dict[str, object] = {"port": None, "max_model_len": None, "device": None}


def upgraded(
    scene: Scene,
    settings: dict[str, object] | None = None,
    **more: Any,  # noqa: ANN401
) -> upgrade.Exchanged:
    found = upgrade.look(scene.world, None, settings or NO_SETTINGS)
    return upgrade.upgrade(scene.world, found, **more)


def newer_catalog(scene: Scene, tokens: int = 2048) -> None:
    limits = Limits(max_model_len=tokens, max_num_seqs=8, block_size=64)
    scene.catalog.entries = (replace(HUB_MODEL, limits=limits), *scene.catalog.entries[1:])


@pytest.fixture
def scene() -> Scene:
    made = Scene()
    up(made.world, SMALL)
    made.taken()
    return made


def test_where_nothing_would_be_another_nothing_is_done(scene: Scene) -> None:
    done = upgraded(scene)
    assert (done.changed, done.generation, done.difference.is_empty) == (False, 1, True)
    assert scene.taken() == []
    assert len(serving(scene)) == 1


def test_weights_that_the_hub_has_newer_are_fetched_and_served(scene: Scene) -> None:
    scene.weights.revision = NEWER
    up(scene.world, SMALL)
    assert scene.store.locks["llama"].weights.revision == REVISION
    scene.taken()
    found = upgrade.look(scene.world, "llama", NO_SETTINGS)
    moved = {one.name: (one.before, one.after) for one in found.difference.values}
    assert moved == {"weights.revision": (REVISION, NEWER)}
    assert [one.path for one in found.difference.files] == [".env"]
    assert scene.taken() == []
    done = upgrade.upgrade(scene.world, found)
    assert (done.changed, done.generation) == (True, 2)
    assert scene.taken()[0] == "fetch acme/Small-1B"
    assert scene.store.locks["llama"].weights.revision == NEWER
    assert serving(scene) == [(2, "upgrade", True), (1, "up", False)]


def test_a_catalogs_new_limits_are_taken_and_what_was_typed_stays(scene: Scene) -> None:
    up(scene.world, replace(SMALL, max_num_seqs=2, port=8123))
    newer_catalog(scene)
    upgraded(scene)
    lock = scene.store.locks["llama"]
    assert (lock.max_model_len, lock.max_num_seqs, lock.port) == (2048, 2, 8123)


def test_a_setting_holds_for_what_nobody_typed(scene: Scene) -> None:
    upgraded(scene, {**NO_SETTINGS, "max_model_len": 1024})
    assert scene.store.locks["llama"].max_model_len == 1024
    up(scene.world, replace(SMALL, max_model_len=512))
    upgraded(scene, {**NO_SETTINGS, "max_model_len": 1000})
    assert scene.store.locks["llama"].max_model_len == 512


def test_a_setting_that_changed_replaces_what_it_said_before() -> None:
    scene = Scene()
    up(scene.world, replace(SMALL, max_model_len=1024, from_settings=("max_model_len",)))
    upgraded(scene, {**NO_SETTINGS, "max_model_len": 512})
    assert scene.store.locks["llama"].max_model_len == 512


def test_services_and_flags_stay_for_a_stack_of_before_too(scene: Scene) -> None:
    up(scene.world, replace(SMALL, services=("chat",), engine_args=(("seed", "7"),)))
    scene.generations.states.clear()
    scene.generations.begun.clear()
    scene.weights.revision = NEWER
    upgraded(scene)
    lock = scene.store.locks["llama"]
    assert (lock.services, lock.engine_args) == (("chat",), (("seed", "7"),))
    assert [why for _, why, _ in serving(scene)] == ["upgrade", "found"]


def test_what_is_new_is_had_while_the_stack_goes_on_serving(scene: Scene) -> None:
    scene.weights.revision = NEWER
    seen: list[list[str]] = []
    scene.weights = Fetches(scene, lambda: seen.append(running(scene)))
    scene.weights.revision = NEWER
    scene.taken()
    upgraded(scene)
    assert seen == [["llama"]]


def test_what_cannot_be_had_leaves_the_stack_untouched(scene: Scene) -> None:
    def refused() -> None:
        raise BuildError("It could not be had.")

    scene.weights = Fetches(scene, refused)
    scene.weights.revision = NEWER
    before = scene.store.read_folder(scene.store.folder("llama"))
    with pytest.raises(BuildError) as caught:
        upgraded(scene)
    assert "'llama' goes on serving" in caught.value.evidence
    assert scene.store.read_folder(scene.store.folder("llama")) == before
    assert running(scene) == ["llama"]


def test_where_it_does_not_become_ready_the_stack_comes_back_by_itself(scene: Scene) -> None:
    newer_catalog(scene)
    scene.launcher = Refuses(scene, 2048, EngineError("The engine ended.", why="It says no."))
    scene.engine.logs = LastLines()
    with pytest.raises(TtctlError, match="generation 1 serves again") as caught:
        upgraded(scene)
    assert (caught.value.exit_code, caught.value.why) == (1, "The engine ended. It says no.")
    assert "vllm: its last line" in caught.value.evidence
    assert caught.value.next_step == "ttctl history llama"
    assert scene.store.locks["llama"].max_model_len == 4096
    assert running(scene) == ["llama"]
    assert serving(scene) == [(1, "up", True)]


@pytest.mark.parametrize("health", ["starting", "unhealthy"])
def test_what_failed_is_removed_before_the_former_one_starts_as_its_lines_would_end_that(
    scene: Scene, health: str
) -> None:
    newer_catalog(scene)
    scene.launcher = StillRuns(scene, 2048, EngineError("A fatal line was seen."), health)
    with pytest.raises(TtctlError, match="generation 1 serves again"):
        upgraded(scene)
    assert scene.taken()[-3:] == ["write and prune", "remove vllm", "up"]


class StillRuns(Refuses):
    """Sees a fatal line of an engine that has not ended yet."""

    def __init__(self, scene: Scene, tokens: int, raises: BaseException, health: str) -> None:
        super().__init__(scene, tokens, raises)
        self._health = health

    def up(self, *words: Any, **more: Any) -> None:  # noqa: ANN401
        try:
            super().up(*words, **more)
        except EngineError:
            self._engine.set_state("vllm", state="running", health=self._health, exit_code=0)
            raise


class LastLines(dict[str, tuple[str, ...]]):
    """The same lines, whichever container is asked for."""

    def get(self, *_: object) -> tuple[str, ...]:  # type: ignore[override]
        return ("its first line", "its last line")


def test_what_failed_can_be_left_as_it_is(scene: Scene) -> None:
    newer_catalog(scene)
    scene.launcher = Refuses(scene, 2048, EngineError("The engine ended."))
    with pytest.raises(EngineError, match="The engine ended"):
        upgraded(scene, goes_back=False)
    assert scene.store.locks["llama"].max_model_len == 2048
    assert running(scene) == []
    assert serving(scene) == [(1, "up", False)]


def test_where_neither_comes_up_both_are_told_with_what_to_type(scene: Scene) -> None:
    newer_catalog(scene)
    scene.launcher.fails = EngineError("No engine answers.", next_step="docker info")
    scene.engine.states["ttctl-llama-vllm-1"] = container("vllm", state="restarting")
    with pytest.raises(TtctlError, match="generation 1 could not be brought back") as caught:
        upgraded(scene)
    assert "'llama' could not be brought back: No engine answers." in caught.value.evidence
    assert caught.value.next_step == "docker info"


class TakesTheEngineAlong(FakeLauncher):
    """Fails, and from then on the container engine answers nobody."""

    def __init__(self, scene: Scene, raises: BaseException, patch: pytest.MonkeyPatch) -> None:
        super().__init__(scene.calls, scene.engine, scene.store)
        self._scene, self._raises, self._patch = scene, raises, patch

    def up(self, *_: object, **__: object) -> None:
        self._patch.setattr(self._scene.engine, "containers", away)
        raise self._raises


def away(_: str | None) -> tuple[ContainerState, ...]:
    raise EngineError("No engine answers.", next_step="docker info")


def test_an_engine_that_went_away_hides_nothing_of_what_failed_first(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer_catalog(scene)
    ended = EngineError("It ended.", why="It says no.")
    scene.launcher = TakesTheEngineAlong(scene, ended, monkeypatch)
    with pytest.raises(TtctlError, match="generation 1 could not be brought back") as caught:
        upgraded(scene)
    assert caught.value.why == "It ended. It says no."
    assert "No engine answers." in caught.value.evidence
    assert caught.value.next_step == "docker info"


def test_an_interrupt_stays_one_where_the_engine_went_away(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer_catalog(scene)
    scene.launcher = TakesTheEngineAlong(scene, KeyboardInterrupt(), monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        upgraded(scene)
    assert "No engine answers." in scene.reporter.notes[-1]


def test_a_folder_that_cannot_be_put_back_hides_nothing_of_what_failed_first(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise TtctlError("The disk is full.")

    monkeypatch.setattr(scene.store, "write_folder", full)
    with pytest.raises(BuildError, match="could not be had"):
        fails_early(scene)
    assert scene.reporter.notes[-1] == "the folder of llama is not as it was: The disk is full."


def fails_early(scene: Scene) -> None:
    former = found_state(scene.world, "llama")
    assert former is not None
    other = replace(former, files={**former.files, "README.md": "another text"})
    with coming_back(scene.world, other, what="upgrade", how=AS_NEEDED):
        raise BuildError("It could not be had.")


def test_an_upgrade_that_is_ended_brings_the_stack_back(scene: Scene) -> None:
    newer_catalog(scene)
    scene.launcher = Refuses(scene, 2048, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        upgraded(scene)
    assert running(scene) == ["llama"]
    assert scene.store.locks["llama"].max_model_len == 4096


class EngineGoes(FakeLauncher):
    """Is ended in the middle of a start, after which the container engine answers nobody."""

    def __init__(self, scene: Scene, raises: BaseException) -> None:
        super().__init__(scene.calls, scene.engine, scene.store)
        self._raises = raises

    def up(self, stack: str, folder: Path, *, how: How, wait_s: int, reporter: Reporter) -> None:
        super().up(stack, folder, how=how, wait_s=wait_s, reporter=reporter)

        def silent(stack: str | None) -> tuple[ContainerState, ...]:
            raise EngineError(f"No container engine answers for {stack}.")

        self._engine.containers = silent  # type: ignore[method-assign]
        raise self._raises


def test_where_the_engine_goes_away_the_folder_is_put_back_and_the_upgrade_is_named(
    scene: Scene,
) -> None:
    newer_catalog(scene)
    before = scene.store.rendered[str(scene.store.folder("llama"))]
    scene.launcher = EngineGoes(scene, EngineError("It was not started."))
    with pytest.raises(TtctlError, match="upgrade of 'llama' did not become ready") as caught:
        upgraded(scene)
    assert "generation 1 could not be brought back" in caught.value.message
    assert scene.store.rendered[str(scene.store.folder("llama"))] == before
    assert scene.store.locks["llama"].max_model_len == 4096


def test_an_upgrade_that_is_ended_while_no_engine_answers_puts_the_folder_back(
    scene: Scene,
) -> None:
    newer_catalog(scene)
    scene.launcher = EngineGoes(scene, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        upgraded(scene)
    assert scene.store.locks["llama"].max_model_len == 4096
    assert any("could not be brought back" in one for one in scene.reporter.notes)


def test_what_is_to_be_left_as_it_is_stays_where_the_engine_goes_away(scene: Scene) -> None:
    newer_catalog(scene)
    scene.launcher = EngineGoes(scene, EngineError("It was not started."))
    with pytest.raises(EngineError):
        upgraded(scene, goes_back=False)
    assert scene.store.locks["llama"].max_model_len == 2048


def test_an_engine_that_goes_away_while_the_former_one_comes_back_leaves_its_folder(
    scene: Scene,
) -> None:
    newer_catalog(scene)
    scene.launcher = Refuses(scene, 2048, EngineError("It did not start."))
    kept = scene.store.ensure_key

    def once(stack: str) -> Path:
        if "2048" in scene.store.rendered[str(scene.store.folder(stack))]["compose.yaml"][0]:
            raise EngineError("No container engine answers.")
        return kept(stack)

    scene.store.ensure_key = once  # type: ignore[method-assign]
    with pytest.raises(TtctlError, match="could not be brought back"):
        upgraded(scene)
    assert scene.store.locks["llama"].max_model_len == 4096


def test_an_upgrade_that_was_killed_is_finished_by_the_next_up(scene: Scene) -> None:
    newer_catalog(scene)
    scene.generations.fails = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        upgraded(scene)
    scene.generations.fails = None
    up(scene.world, SMALL)
    assert serving(scene) == [(2, "up", True), (1, "up", False)]


def test_a_stack_that_was_changed_meanwhile_is_left_alone(scene: Scene) -> None:
    newer_catalog(scene)
    found = upgrade.look(scene.world, None, NO_SETTINGS)
    up(scene.world, replace(SMALL, max_model_len=512))
    scene.taken()
    with pytest.raises(TtctlError, match="was changed meanwhile"):
        upgrade.upgrade(scene.world, found)
    assert scene.taken() == []


def test_without_a_hub_what_is_locked_stays(scene: Scene) -> None:
    scene.catalog.entries = tuple(replace(one, offline_model="") for one in scene.catalog.entries)
    scene.weights.offline = True
    with pytest.raises(OfflineError) as caught:
        upgrade.look(scene.world, None, NO_SETTINGS)
    assert "'llama' stays as it is locked" in caught.value.evidence
    assert scene.taken() == []


def test_another_commands_lock_is_waited_for_and_then_refused(scene: Scene) -> None:
    newer_catalog(scene)
    scene.store.busy = True
    with pytest.raises(LockedError):
        upgraded(scene)


def test_a_stack_without_a_lock_is_refused(scene: Scene) -> None:
    scene.store.locks.clear()
    with pytest.raises(UsageError, match="has no lock"):
        upgraded(scene)


def test_a_stack_that_is_down_is_upgraded_and_started(scene: Scene) -> None:
    stacks.down(scene.world, "llama", volumes=False, dry_run=False)
    newer_catalog(scene)
    assert upgraded(scene).changed
    assert running(scene) == ["llama"]


class KilledOnCards(FakeLauncher):
    """Starts no engine for 2 requests at the same time."""

    def up(self, stack: str, *words: Any, **more: Any) -> None:  # noqa: ANN401
        super().up(stack, *words, **more)
        if self._store.locks[stack].max_num_seqs == 2:
            raise EngineError("The engine ended.")


@pytest.mark.parametrize("how", [AS_NEEDED, How(reset=True)])
def test_on_a_board_the_stack_comes_back_with_the_same_board(how: How) -> None:
    cards = lone_scene()
    cards.launcher = KilledOnCards(cards.calls, cards.engine, cards.store)
    with pytest.raises(TtctlError, match="generation 1 serves again"):
        upgraded(cards, {**NO_SETTINGS, "max_num_seqs": 2}, how=how)
    state = cards.engine.states[f"ttctl-{NAME}-vllm-1"]
    assert (state.boards, state.state) == ((FIRST,), "running")
    assert cards.store.locks[NAME].max_num_seqs != 2
    assert LLAMA.model == cards.store.locks[NAME].requested
