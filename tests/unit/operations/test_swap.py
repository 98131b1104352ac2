# SPDX-License-Identifier: Apache-2.0
"""Is all that can be refused refused before a swap touches anything?"""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.cards import FIRST, LLAMA, NAME, card_scene
from tests.unit.fakes import OWNER, Scene
from tests.unit.rules.leasing import stack
from tests.unit.swapping import (
    DIRT,
    FOURTH,
    SECOND,
    SMALL,
    THIRD,
    Fetches,
    cards_scene,
    live,
    lone_scene,
    other,
    running,
    small_scene,
    swapped,
)

from ttctl.errors import (
    BuildError,
    DirtyError,
    HeldError,
    NothingFitsError,
    UsageError,
)
from ttctl.model.lease import ProcessUse
from ttctl.model.plan import How
from ttctl.model.spec import Request
from ttctl.operations import stacks, swap
from ttctl.operations.up import up


@pytest.fixture
def small() -> Scene:
    return small_scene()


@pytest.fixture
def cards() -> Scene:
    return cards_scene()


@pytest.fixture
def lone() -> Scene:
    return lone_scene()


def test_on_the_processor_one_ends_before_the_other_starts_and_keeps_its_lock(
    small: Scene,
) -> None:
    done = swapped(small, "llama", SECOND)
    assert small.taken() == ["down", "key", "write and prune", "up"]
    assert running(small) == ["second"]
    assert set(small.store.locks) == {"llama", "second"}
    assert (done.stopped, done.up.stack, done.up.answers) == ("llama", "second", True)
    assert done.back == "ttctl swap second llama"


def test_what_was_swapped_out_is_swapped_in_again(small: Scene) -> None:
    lock = small.store.locks["llama"]
    swapped(small, "llama", SECOND)
    swapped(small, "second", SMALL)
    assert running(small) == ["llama"]
    assert small.store.locks["llama"] == lock


def test_the_port_of_the_one_is_free_for_the_other(small: Scene) -> None:
    small.host.holders = {8000: "pid 1 (docker-proxy)"}
    found = swap.prepare(small.world, "llama", SECOND)
    assert found.desired.stack.port == 8000


def test_images_and_weights_come_while_the_other_goes_on_serving(cards: Scene) -> None:
    cards.engine.images.clear()
    seen: list[list[str]] = []
    cards.weights = Fetches(cards, lambda: seen.append(running(cards)))
    swapped(cards, NAME, THIRD)
    done = cards.taken()
    stopped = done.index(f"stop {NAME} within 240 s")
    assert all(done.index(one) < stopped for one in done if one.startswith(("pull", "fetch")))
    assert [one for one in done if one.startswith("pull")]
    assert NAME in seen[0]
    assert [one.split()[0] for one in done[stopped + 1 :][:3]] == ["down", "key", "prepare"]
    assert done[-1] == "up"


def test_the_boards_of_the_one_are_leased_by_the_other(cards: Scene) -> None:
    with pytest.raises(HeldError):
        up(cards.world, THIRD)
    swapped(cards, NAME, THIRD)
    assert cards.engine.states["ttctl-third-vllm-1"].boards == (FIRST,)
    assert f"ttctl-{NAME}-vllm-1" not in cards.engine.states


def test_the_engine_of_the_one_is_not_in_the_way_though_its_process_is_not_seen(
    cards: Scene,
) -> None:
    own = cards.engine.states[f"ttctl-{NAME}-vllm-1"].container_id
    node = ("/dev/tenstorrent/0",)
    live(cards).blind = node
    live(cards).processes = (ProcessUse(name="pid 7 (python3)", nodes=node, container_id=own),)
    cards.leases.hugepages = ("channel_0_tenstorrent_0",)
    found = swap.look(cards.world, NAME, THIRD)
    assert found.desired.terms.leased is not None
    assert found.desired.terms.leased.nodes == node
    assert found.desired.terms.leased.stale == ()


def test_somebody_elses_process_on_the_board_is_in_the_way(cards: Scene) -> None:
    live(cards).processes = (ProcessUse(name="pid 7 (vi)", nodes=("/dev/tenstorrent/0",)),)
    with pytest.raises(HeldError) as caught:
        swap.look(cards.world, NAME, THIRD)
    assert "pid 7 (vi)" in caught.value.evidence


def test_a_dry_run_shows_the_end_of_the_one_between_the_weights_and_the_key(
    cards: Scene,
) -> None:
    plan = swap.look(cards.world, NAME, THIRD).plan
    words = [(step.verb, step.subject) for step in plan.steps]
    at = words.index(("stop", f"stack {NAME}"))
    assert plan.stack == "third"
    assert words[at + 1] == ("key", "gateway key")
    assert all(verb in {"skip", "pull", "fetch", "build"} for verb, _ in words[:at])
    assert ("lease", "0") in words[at:]
    assert plan.steps[at].reason.startswith("gateway, vllm: each has its whole grace time")
    assert cards.taken() == []


def test_from_boards_to_the_processor_and_back(cards: Scene) -> None:
    cards.gateway.lists = (LLAMA.model, "acme/Small-1B")
    swapped(cards, NAME, FOURTH)
    assert "fourth" in running(cards)
    assert not cards.engine.containers(NAME)
    swapped(cards, "fourth", THIRD)
    assert cards.engine.states["ttctl-third-vllm-1"].boards == (FIRST,)


@pytest.mark.parametrize(
    ("word", "request_", "message", "step"),
    [
        pytest.param("lama", SECOND, "There is no stack 'lama'", "ttctl ps", id="mistyped"),
        pytest.param("llama", SMALL, "cannot be swapped for itself", "ttctl up llama", id="itself"),
        pytest.param(
            "small",
            replace(SECOND, name="llama"),
            "There is no stack 'small'",
            "ttctl ps",
            id="an alias that names no stack",
        ),
        pytest.param(
            "llama", Request(model="nonesuch"), "There is no model", "", id="no such model"
        ),
    ],
)
def test_words_that_are_off_change_nothing(
    small: Scene, word: str, request_: Request, message: str, step: str
) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        swap.prepare(small.world, word, request_)
    assert caught.value.next_step == step or not step
    assert small.taken() == []


def test_a_stack_that_is_down_has_nothing_to_make_room_for(small: Scene) -> None:
    stacks.down(small.world, "llama", volumes=False, dry_run=False)
    small.taken()
    with pytest.raises(UsageError, match="'llama' is not up") as caught:
        swap.prepare(small.world, "llama", SECOND)
    assert caught.value.next_step == "ttctl up llama --name second"
    assert small.taken() == []


def test_a_stack_that_is_up_already_needs_no_room(small: Scene) -> None:
    up(small.world, SECOND)
    small.taken()
    with pytest.raises(UsageError, match="'second' is up already") as caught:
        swap.prepare(small.world, "llama", SECOND)
    assert caught.value.next_step == "ttctl down llama"
    assert small.taken() == []


@pytest.mark.parametrize("how", ["no lock", "no entry"])
def test_a_stack_that_could_not_be_brought_back_is_not_swapped(small: Scene, how: str) -> None:
    if how == "no lock":
        small.store.locks.clear()
    else:
        small.store.locks["llama"] = replace(small.store.locks["llama"], model="acme/gone")
    with pytest.raises(UsageError, match="could not be brought back") as caught:
        swap.prepare(small.world, "llama", SECOND)
    assert caught.value.next_step.startswith("ttctl down llama   # then: ttctl up llama")
    assert running(small) == ["llama"]


def test_what_does_not_fit_is_refused_while_the_stack_goes_on_serving(cards: Scene) -> None:
    cards.vitals.the_cards = replace(cards.vitals.the_cards, hugepages=0, iommu=())
    with pytest.raises(NothingFitsError) as caught:
        swap.prepare(cards.world, NAME, THIRD)
    assert caught.value.evidence.endswith(f"Nothing was changed: {NAME!r} goes on serving.")
    assert cards.taken() == []


def test_boards_that_a_third_stack_has_are_refused_with_what_lets_them_go(cards: Scene) -> None:
    with pytest.raises(HeldError) as caught:
        swap.prepare(cards.world, NAME, replace(THIRD, boards=("2",)))
    words = f"{LLAMA.model} --name third --device n300 --board 2"
    assert caught.value.next_step == f"ttctl down other-2   # then: ttctl swap {NAME} {words}"
    assert "goes on serving" in caught.value.evidence
    assert cards.taken() == []


def test_boards_that_need_a_reset_are_refused_and_the_consent_is_named(lone: Scene) -> None:
    lone.leases.remember([DIRT])
    with pytest.raises(DirtyError) as caught:
        swap.prepare(lone.world, NAME, THIRD)
    assert caught.value.next_step == (
        f"ttctl swap {NAME} {LLAMA.model} --name third --device n300 --reset"
    )
    assert lone.taken() == []
    swapped(lone, NAME, THIRD, how=How(reset=True))
    done = lone.taken()
    assert done.index("down") < done.index("reset /dev/tenstorrent/0") < done.index("up")


def test_a_reset_that_others_are_in_the_way_of_is_refused_before_the_end(cards: Scene) -> None:
    cards.leases.remember([DIRT])
    with pytest.raises(HeldError, match="would be reset is in use") as caught:
        swap.prepare(cards.world, NAME, THIRD, how=How(reset=True))
    assert caught.value.next_step == "ttctl down other-1"
    assert cards.taken() == []


def test_what_cannot_be_fetched_leaves_the_stack_up(cards: Scene) -> None:
    def refused() -> None:
        raise BuildError("It could not be had.", next_step="ttctl up x --build")

    cards.weights = Fetches(cards, refused)
    with pytest.raises(BuildError) as caught:
        swap.prepare(cards.world, NAME, THIRD)
    assert caught.value.next_step == f"ttctl swap {NAME} x --build"
    assert "goes on serving" in caught.value.evidence
    assert cards.taken() == []


def test_boards_that_were_taken_while_weights_came_are_refused_before_the_end(
    cards: Scene,
) -> None:
    del cards.engine.states["other-1"]
    cards.weights = Fetches(cards, lambda: cards.engine.states.update({"other-1": other(1)}))
    with pytest.raises(HeldError):
        swap.prepare(cards.world, NAME, replace(THIRD, boards=("1",)))
    assert f"ttctl-{NAME}-vllm-1" in cards.engine.states
    assert cards.taken() == ["fetch acme/Llama-8B-Instruct"]


def test_a_swap_that_is_ended_while_it_fetches_says_that_the_one_is_up(small: Scene) -> None:
    def ended() -> None:
        raise KeyboardInterrupt

    small.weights = Fetches(small, ended)
    with pytest.raises(KeyboardInterrupt):
        swap.prepare(small.world, "llama", SECOND)
    assert small.reporter.notes[-1] == "llama is up: nothing of it was touched"
    assert running(small) == ["llama"]


def test_a_start_on_boards_of_one_own_stack_offers_the_swap() -> None:
    scene = card_scene()
    nodes = tuple(f"/dev/tenstorrent/{at}" for at in range(4))
    boards = tuple(f"0000:0{at}:00.0" for at in range(4))
    scene.leases.containers = (stack("chat", *boards, paths=nodes, owner=OWNER),)
    with pytest.raises(HeldError) as caught:
        up(scene.world, LLAMA)
    assert caught.value.next_step == (
        f"ttctl swap chat {LLAMA.model} --device n300   # or: ttctl down chat"
    )
    assert caught.value.holder == "chat"
