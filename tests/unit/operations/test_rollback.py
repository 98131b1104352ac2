# SPDX-License-Identifier: Apache-2.0
"""Does a rollback bring a generation back as it was, and come back itself where it fails?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.unit.cards import FIRST, LLAMA, NAME, card_scene
from tests.unit.fakes import HUB_MODEL, FakeCommits, FakeLauncher, FakeRegistry, Scene
from tests.unit.swapping import Live, lone_scene, other, running

from ttctl.errors import (
    BadFileError,
    DirtyError,
    EngineError,
    HeldError,
    LockedError,
    TtctlError,
    UsageError,
)
from ttctl.model.lease import Spoiled
from ttctl.model.plan import AS_NEEDED, How
from ttctl.model.spec import Request
from ttctl.operations import rollback, stacks
from ttctl.operations.generations import history
from ttctl.operations.up import up

if TYPE_CHECKING:
    from pathlib import Path

    from ttctl.model.generation import Exchanged
    from ttctl.model.protocols import Reporter

SMALL = Request(model="llama")


class Refuses(FakeLauncher):
    """Starts no engine with a context of some length, or is ended there."""

    def __init__(self, scene: Scene, tokens: int, raises: BaseException) -> None:
        super().__init__(scene.calls, scene.engine, scene.store)
        self._text, self._raises = f'"{tokens}"', raises

    def up(self, stack: str, folder: Path, *, how: How, wait_s: int, reporter: Reporter) -> None:
        super().up(stack, folder, how=how, wait_s=wait_s, reporter=reporter)
        compose = self._store.rendered[str(folder)]["compose.yaml"][0]
        if self._text in compose:
            self._engine.set_state("vllm", state="exited", exit_code=1)
            raise self._raises


def back(scene: Scene, to: int | None = None, *, how: How = AS_NEEDED, **more: bool) -> Exchanged:
    (stack,) = scene.generations.states
    found = rollback.look(scene.world, stack, to, how=how, **more)
    return rollback.rollback(scene.world, found, how=how)


def serving(scene: Scene) -> list[tuple[int, str, bool]]:
    return [
        (one.number, one.why, one.serves)
        for one in history(scene.world, next(iter(scene.generations.states)))
    ]


@pytest.fixture
def scene() -> Scene:
    """A stack with two generations, of 4096 and of 1024 tokens."""
    made = Scene()
    up(made.world, SMALL)
    up(made.world, replace(SMALL, max_model_len=1024))
    made.taken()
    return made


def test_the_former_generation_comes_back_as_it_was_and_is_a_new_one(scene: Scene) -> None:
    first = scene.generations.files("llama", 1)
    done = back(scene)
    assert (done.changed, done.generation, done.why) == (True, 3, "rollback to 1")
    assert scene.store.read_folder(scene.store.folder("llama")) == first
    assert scene.store.locks["llama"].max_model_len == 4096
    assert serving(scene) == [(3, "rollback to 1", True), (2, "up", False), (1, "up", False)]
    assert scene.taken() == ["write and prune", "up"]
    assert running(scene) == ["llama"]


def test_what_was_asked_for_is_that_generations_own_again(scene: Scene) -> None:
    back(scene)
    assert scene.generations.kept("llama")[-1].request == SMALL


def test_a_second_rollback_goes_on_to_what_was_before_that(scene: Scene) -> None:
    back(scene)
    assert back(scene).why == "rollback to 2"
    assert scene.store.locks["llama"].max_model_len == 1024


def test_a_catalog_that_changed_since_changes_nothing_of_it_and_nobody_is_asked(
    scene: Scene,
) -> None:
    entry = replace(HUB_MODEL, engine_args=(("enforce-eager", ""),))
    scene.catalog.entries = (entry,)
    scene.weights.offline = True
    back(scene)
    compose = scene.store.rendered["/state/stacks/llama/rendered"]["compose.yaml"][0]
    assert "kv-cache-memory-bytes" in compose
    assert isinstance(scene.commits, FakeCommits)
    assert isinstance(scene.registry, FakeRegistry)


def test_what_it_would_change_is_told_by_value_and_by_line(scene: Scene) -> None:
    found = rollback.look(scene.world, None, None).difference
    (value,) = found.values
    assert (value.name, value.before, value.after) == ("max_model_len", "1024", "4096")
    (file,) = found.files
    assert (file.path, file.move) == ("compose.yaml", "changed")
    assert [line.split() for line in file.lines] == [["-", "-", '"1024"'], ["+", "-", '"4096"']]
    assert scene.taken() == []


def test_what_serves_already_is_left_alone(scene: Scene) -> None:
    before = scene.engine.containers("llama")
    done = back(scene, 2)
    assert (done.changed, done.generation) == (False, 2)
    assert scene.engine.containers("llama") == before
    assert len(serving(scene)) == 2


@pytest.mark.parametrize(("to", "what"), [(7, "no generation 7"), (None, "no generation before")])
def test_a_generation_that_is_not_kept_is_refused(scene: Scene, to: int | None, what: str) -> None:
    if to is None:
        del scene.generations.states["llama"][1]
    with pytest.raises(UsageError, match=what) as caught:
        back(scene, to)
    assert caught.value.next_step == "ttctl history llama"
    assert scene.taken() == []


def test_an_image_that_is_gone_is_told_before_anything_is_ended(scene: Scene) -> None:
    scene.engine.images = {one for one in scene.engine.images if "vllm-cpu" not in one}
    with pytest.raises(TtctlError, match="The images of generation 1") as caught:
        back(scene)
    assert caught.value.next_step.startswith("ttctl upgrade llama")
    assert "Nothing was changed" in caught.value.evidence
    assert (scene.taken(), running(scene)) == ([], ["llama"])


def test_weights_that_are_gone_are_had_again_when_that_is_asked_for(scene: Scene) -> None:
    scene.weights.here.clear()
    with pytest.raises(TtctlError, match="The weights of generation 1") as caught:
        back(scene)
    assert caught.value.next_step == "ttctl rollback llama --to 1 --fetch"
    assert scene.taken() == []
    back(scene, 1, fetch=True)
    assert scene.taken() == ["fetch acme/Small-1B", "write and prune", "up"]


def test_a_generation_that_was_edited_is_refused(scene: Scene) -> None:
    scene.generations.states["llama"][1][1]["compose.yaml"] += "# edited\n"
    with pytest.raises(BadFileError, match="not as it was written"):
        back(scene)
    assert scene.taken() == []


def test_where_it_does_not_become_ready_what_served_is_started_again(scene: Scene) -> None:
    scene.launcher = Refuses(scene, 4096, EngineError("The engine ended.", why="It says no."))
    before = scene.store.read_folder(scene.store.folder("llama"))
    with pytest.raises(TtctlError, match="generation 2 serves again") as caught:
        back(scene)
    assert caught.value.exit_code == 1
    assert caught.value.why == "The engine ended. It says no."
    assert scene.store.read_folder(scene.store.folder("llama")) == before
    assert running(scene) == ["llama"]
    assert serving(scene) == [(2, "up", True), (1, "up", False)]


def test_where_it_is_ended_what_served_is_started_again(scene: Scene) -> None:
    scene.launcher = Refuses(scene, 4096, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        back(scene)
    assert running(scene) == ["llama"]
    assert scene.store.locks["llama"].max_model_len == 1024
    assert "'llama' serves again as generation 2." in scene.reporter.notes


def test_a_stack_that_was_down_is_down_again_where_it_fails(scene: Scene) -> None:
    stacks.down(scene.world, "llama", volumes=False, dry_run=False)
    scene.launcher = Refuses(scene, 4096, EngineError("The engine ended."))
    with pytest.raises(TtctlError, match="did not become ready") as caught:
        back(scene)
    assert "'llama' is down again, as it was." in caught.value.evidence
    assert not scene.engine.containers("llama")
    assert scene.store.locks["llama"].max_model_len == 1024


def test_another_commands_lock_is_waited_for_and_then_refused(scene: Scene) -> None:
    scene.store.busy = True
    with pytest.raises(LockedError):
        back(scene)
    assert scene.taken() == []


@pytest.fixture
def cards() -> Scene:
    """A stack on the only board of a machine, with two generations."""
    made = lone_scene()
    up(made.world, replace(LLAMA, max_num_seqs=2))
    made.taken()
    return made


def test_on_a_board_the_former_one_leases_it_again(cards: Scene) -> None:
    back(cards)
    done = cards.taken()
    assert done.index(f"stop {NAME} within 240 s") < done.index("create") < done.index("up")
    assert cards.engine.states[f"ttctl-{NAME}-vllm-1"].boards == (FIRST,)
    assert serving(cards)[0] == (3, "rollback to 1", True)


def test_nodes_that_were_numbered_anew_are_opened_where_they_are(cards: Scene) -> None:
    (found,) = cards.host.found.boards
    moved = replace(found, nodes=("/dev/tenstorrent/5",))
    cards.host.found = replace(cards.host.found, boards=(moved,))
    back(cards)
    dotenv = cards.store.rendered[f"/state/stacks/{NAME}/rendered"][".env"][0]
    assert "TTCTL_NODE_0='/dev/tenstorrent/5:/dev/tenstorrent/5'" in dotenv


def test_a_board_that_somebody_else_has_is_refused_before_the_end() -> None:
    scene = card_scene()
    scene.leases = Live(scene)
    up(scene.world, replace(LLAMA, boards=("0",)))
    up(scene.world, replace(LLAMA, boards=("1",)))
    scene.engine.states["other-0"] = other(0)
    scene.taken()
    with pytest.raises(HeldError):
        back(scene)
    assert (scene.taken(), NAME in running(scene)) == ([], True)


def test_a_board_that_needs_a_reset_is_refused_and_reset_with_consent(cards: Scene) -> None:
    cards.leases.remember([Spoiled(board=FIRST, reason="its log ends with a fatal line")])
    with pytest.raises(DirtyError) as caught:
        back(cards)
    assert caught.value.next_step == f"ttctl rollback {NAME} --to 1 --reset"
    assert cards.taken() == []
    back(cards, how=How(reset=True))
    done = cards.taken()
    assert done.index("reset /dev/tenstorrent/0") < done.index("create")


@pytest.mark.parametrize("word", [None, "llama"])
def test_a_stack_whose_damaged_lock_was_moved_away_is_listed_and_brought_back(
    word: str | None,
) -> None:
    scene = Scene()
    up(scene.world, SMALL)
    del scene.store.locks["llama"]
    scene.store.rendered.clear()
    scene.engine.states.clear()
    assert [one.number for one in history(scene.world, word)] == [1]
    found = rollback.look(scene.world, word, 1)
    assert rollback.rollback(scene.world, found).generation == 1
    assert scene.store.stacks() == ("llama",)
