# SPDX-License-Identifier: Apache-2.0
"""Is what a user laid over a stack refused before anything of it is stopped or started?"""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.cards import LLAMA as ON_CARD
from tests.unit.cards import NAME, card_scene, without_cards
from tests.unit.fakes import Scene, at

from ttctl.errors import BadFileError, EngineError, OfflineError, TtctlError
from ttctl.model.plan import How
from ttctl.model.site import Site
from ttctl.model.spec import Request
from ttctl.operations import plan as operations
from ttctl.operations.up import up
from ttctl.rules.override import override_of

LLAMA = Request(model="llama")
NODE: dict[str, object] = {"devices": ["/dev/tenstorrent/1:/dev/tenstorrent/1"]}
WHOLE: dict[str, object] = {"privileged": True}


def lay_over(scene: Scene, name: str, **services: object) -> str:
    folder = str(scene.store.folder(name))
    path = f"{folder}/compose.override.yaml"
    scene.store.overrides[folder] = override_of(path, {"services": services})
    return path


def test_a_node_that_an_override_opens_is_refused_with_the_file_and_what_to_do() -> None:
    scene = card_scene()
    path = lay_over(scene, NAME, vllm=NODE)
    scene.taken()
    with pytest.raises(BadFileError) as caught:
        up(scene.world, ON_CARD)
    assert scene.taken() == []
    assert repr(path) in caught.value.message
    assert "/dev/tenstorrent/1" in caught.value.evidence
    assert caught.value.next_step == (
        "ttctl up acme/Llama-8B-Instruct --device n300 --board 1   # once the file does without"
    )
    desired, plan = operations.plan(scene.world, ON_CARD)
    refusal = operations.obstacle(scene.world, desired, plan)
    assert isinstance(refusal, BadFileError)


def test_a_board_that_was_asked_for_stays_the_one_that_is_said() -> None:
    scene = card_scene()
    lay_over(scene, NAME, further={**NODE, "image": "alpine"})
    with pytest.raises(BadFileError, match="past the leases") as caught:
        up(scene.world, replace(ON_CARD, boards=("2",)))
    assert "--board 2   #" in caught.value.next_step


@pytest.mark.parametrize("body", [NODE, WHOLE])
def test_a_stack_of_the_processor_opens_no_card_beside_the_leases_either(
    body: dict[str, object],
) -> None:
    scene = card_scene()
    lay_over(scene, "llama", gateway=body)
    with pytest.raises(BadFileError, match="past the leases") as caught:
        up(scene.world, replace(LLAMA, device="cpu"))
    assert caught.value.next_step.startswith("ttctl up llama --device cpu   #")


def test_a_node_is_refused_on_a_machine_without_cards_too() -> None:
    scene = without_cards()
    lay_over(scene, "llama", vllm=NODE)
    with pytest.raises(BadFileError, match="past the leases"):
        up(scene.world, LLAMA)


def test_what_opens_everything_is_warned_of_where_there_is_no_card() -> None:
    scene = Scene()
    lay_over(scene, "llama", vllm=WHOLE)
    up(scene.world, LLAMA)
    assert any("privileged" in note for note in scene.reporter.notes)


def test_an_image_of_a_further_service_is_pulled_before_anything_is_stopped() -> None:
    scene = card_scene()
    up(scene.world, ON_CARD)
    scene.taken()
    lay_over(scene, NAME, vllm={"mem_limit": "1g"}, other={"image": "alpine"})
    _, plan = operations.plan(scene.world, ON_CARD)
    assert (plan.steps[0].verb, plan.steps[0].subject) == ("pull", "alpine")
    assert plan.steps[0].reason == "compose.override.yaml names it for the service 'other'"
    up(scene.world, ON_CARD)
    assert scene.taken()[0] == "pull alpine"
    _, again = operations.plan(scene.world, ON_CARD)
    assert again.changes == ()


@pytest.mark.parametrize(
    ("how", "site", "kind"),
    [
        (How(pull="never"), Site(), EngineError),
        (How(), Site(offline=at("1", "a variable")), OfflineError),
    ],
)
def test_an_image_that_may_not_be_pulled_is_named_and_the_engine_runs_on(
    how: How, site: Site, kind: type[TtctlError]
) -> None:
    scene = card_scene()
    up(scene.world, ON_CARD)
    lay_over(scene, NAME, vllm={"mem_limit": "1g"}, other={"image": "alpine"})
    scene.site = site
    scene.taken()
    with pytest.raises(kind) as caught:
        up(scene.world, ON_CARD, how=how)
    assert scene.taken() == []
    assert "alpine" in f"{caught.value.why} {caught.value.evidence}"
    if kind is EngineError:
        assert "'alpine'" in caught.value.why
        assert caught.value.next_step == "docker pull alpine"


@pytest.mark.parametrize(
    "body",
    [
        {"build": ".", "image": "mine"},
        {"image": "${IMAGE}"},
        {"image": "x", "profiles": ["more"]},
        {"image": 7},
        {},
    ],
)
def test_what_compose_makes_or_fills_in_is_left_to_it(body: dict[str, object]) -> None:
    assert override_of("/x", {"services": {"other": body}}).images == ()
