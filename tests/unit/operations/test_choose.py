# SPDX-License-Identifier: Apache-2.0
"""Is a request matched on this machine, shown where it cannot be launched, and refused there?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from tests.unit.cards import WELL
from tests.unit.fakes import HUB_MODEL, REVISION, Scene
from tests.unit.rules.validated import PINS, board, entry, machine, t3k

from ttctl.errors import NoDeviceError, NothingFitsError, UsageError
from ttctl.model.device import Formed, System
from ttctl.model.match import Place
from ttctl.model.pins import Advice, Changed, Gated, Quarantined, Requirement
from ttctl.model.spec import Request
from ttctl.operations.choose import choose, entries_for, place_of
from ttctl.operations.ground import ground_of
from ttctl.operations.judge import fitness
from ttctl.operations.pack import packing
from ttctl.operations.plan import lock, plan
from ttctl.operations.preview import look
from ttctl.operations.stacks import status
from ttctl.operations.up import up
from ttctl.rules.compose import compose_of

if TYPE_CHECKING:
    from ttctl.model.spec import ModelSpec

SERVED = entry(
    "acme/Llama-8B-Instruct", "n300",
    changed=(Changed(kind="environment", name="A", first="", latest="1"),),
)  # fmt: skip
GATE = Gated(model="acme/*", reason="a licence", source="a test", date="2026-01-31")


@pytest.fixture
def scene() -> Scene:
    """Return a machine without a card and a catalog with an entry for one."""
    scene = Scene()
    scene.catalog.entries = (*scene.catalog.entries[:1], scene.catalog.entries[2], SERVED)
    return scene


@pytest.fixture
def on_t3k(scene: Scene) -> Scene:
    """Return the same on a t3k."""
    scene.host.found = t3k()
    return scene


def test_the_machines_own_device_is_meant(scene: Scene) -> None:
    assert choose(scene.world, Request(model="llama")).spec == HUB_MODEL


def test_an_entry_for_a_card_is_shown_on_a_machine_without_one(scene: Scene) -> None:
    found = look(scene.world, Request(model="acme/Llama-8B-Instruct", device="n300"))
    assert found is not None
    assert found.match is not None
    assert (found.match.spec, found.steps) == (SERVED, ())
    assert [one.verdict for one in found.fitness] == ["unknown"]


def test_the_newest_releases_values_are_taken_where_they_are_wanted(scene: Scene) -> None:
    request = Request(model="acme/Llama-8B-Instruct", device="n300")
    found = look(scene.world, request, latest=True)
    assert found is not None
    assert found.match is not None
    assert dict(found.match.spec.environment)["A"] == "1"


def test_what_ttctl_builds_itself_has_a_plan_with_steps_and_a_match(scene: Scene) -> None:
    assert look(scene.world, Request(model="llama")) is None
    _, found = plan(scene.world, Request(model="llama"))
    assert found.steps
    assert found.match is not None
    assert found.match.how == "alias"


def test_a_stack_that_is_locked_asks_nobody_again(scene: Scene) -> None:
    lock(scene.world, Request(model="llama"), upgrade=False)
    scene.catalog.entries = (*scene.catalog.entries, replace(HUB_MODEL, model="llama"))
    desired, found = plan(scene.world, Request(model="llama"))
    assert (desired.spec, found.match) == (HUB_MODEL, None)


@pytest.mark.parametrize("model", ["acme/Llama-8B-Instruct", "llama"])
def test_what_an_entry_with_pins_needs_of_the_machine_is_held_against_it_first(
    model: str, on_t3k: Scene
) -> None:
    wish = Requirement(what="firmware", specifier=">=20", strict=True)
    on_t3k.catalog.entries = (*on_t3k.catalog.entries[:2], replace(SERVED, requirements=(wish,)))
    on_t3k.registry.digests[PINS.image] = f"sha256:{'d' * 64}"
    with pytest.raises(NothingFitsError, match="would not start on this machine") as caught:
        up(on_t3k.world, Request(model=model, device="n300"))
    assert "19.13.1" in caught.value.why
    assert on_t3k.taken() == []


OTHERS = (
    SERVED,
    replace(SERVED, id="other", implementation="llama3_70b_galaxy"),
    replace(SERVED, id="media", engine="media", implementation="whisper"),
)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        pytest.param({}, OTHERS, id="neither"),
        pytest.param({"engine": "vllm"}, OTHERS[:2], id="an engine"),
        pytest.param({"implementation": "whisper"}, OTHERS[2:], id="an implementation"),
        pytest.param(
            {"engine": "vllm", "implementation": "llama3_70b_galaxy"}, OTHERS[1:2], id="both"
        ),
    ],
)
def test_entries_are_those_of_the_engine_and_implementation_that_were_asked_for(
    scene: Scene, asked: dict[str, Any], found: tuple[ModelSpec, ...]
) -> None:
    scene.catalog.entries = OTHERS
    assert entries_for(scene.world, replace(Request(model="llama"), **asked)) == found


def test_an_engine_without_that_implementation_is_refused_with_those_that_there_are(
    scene: Scene,
) -> None:
    scene.catalog.entries = OTHERS
    wrong = Request(model="nonsuch", engine="media", implementation="tt_transformers")
    with pytest.raises(UsageError, match="is served by 'media tt_transformers'") as caught:
        choose(scene.world, wrong)
    assert caught.value.evidence == (
        "There are: media whisper, vllm llama3_70b_galaxy, vllm tt_transformers."
    )
    assert caught.value.next_step == "ttctl models ls"


def test_a_model_that_another_engine_serves_is_refused_with_the_engines_there_are(
    on_t3k: Scene,
) -> None:
    mine = entry("acme/Small-3B", "n300")
    forge = replace(mine, id="f", engine="forge", implementation="forge_vllm_plugin")
    other = replace(mine, id="m", model="acme/Whisper", engine="media", implementation="whisper")
    on_t3k.catalog.entries = (mine, replace(mine, device="n150"), forge, other)
    with pytest.raises(NothingFitsError) as caught:
        choose(on_t3k.world, Request(model="Small-3B", engine="media"))
    assert caught.value.message == "'Small-3B' is served by vllm and forge, not by media."
    assert caught.value.evidence.splitlines() == [
        "acme/Small-3B on n150: vllm tt_transformers",
        "acme/Small-3B on n300: forge forge_vllm_plugin",
        "acme/Small-3B on n300: vllm tt_transformers",
    ]
    assert caught.value.next_step == "ttctl plan Small-3B --engine vllm"
    with pytest.raises(NothingFitsError, match="not by whisper") as caught:
        choose(on_t3k.world, Request(model="Small-3B", implementation="whisper"))
    assert caught.value.next_step == "ttctl plan Small-3B --engine vllm --impl tt_transformers"
    asked = Request(model="Small-3B", engine="media", device="n150", port=9000, boards=("1",))
    with pytest.raises(NothingFitsError) as caught:
        choose(on_t3k.world, asked)
    assert caught.value.next_step == (
        "ttctl plan Small-3B --device n150 --engine vllm --port 9000 --board 1"
    )
    with pytest.raises(UsageError, match="There is no model 'zzz'"):
        choose(on_t3k.world, Request(model="zzz", engine="media"))


def test_gated_weights_are_named_before_anything_is_built(on_t3k: Scene) -> None:
    on_t3k.catalog.advised = Advice(gated=(GATE,))
    found = look(on_t3k.world, Request(model="acme/Llama-8B-Instruct", device="n300"))
    assert found is not None
    assert "weights" in {one.subject for one in found.fitness}


def test_another_device_of_the_machine_is_offered(on_t3k: Scene) -> None:
    with pytest.raises(NothingFitsError) as caught:
        choose(on_t3k.world, Request(model="acme/Llama-8B-Instruct"))
    assert caught.value.next_step == "ttctl plan acme/Llama-8B-Instruct --device n300"


@pytest.mark.parametrize("old", [0, 1])
def test_a_part_of_the_machine_is_offered_whose_board_has_the_firmware(
    scene: Scene, old: int
) -> None:
    strict = Requirement(what="firmware", specifier=">=19.2.0", strict=True)
    scene.catalog.entries = tuple(
        entry("acme/Both-8B", device, requirements=(strict,)) for device in ("p300x2", "p300")
    )
    boards = tuple(
        board(str(at), "p300", firmware="18.0.0.0" if at == old else "19.13.1.0") for at in (0, 1)
    )
    whole = Formed(device="p300x2", boards=("0", "1"), reason="2 x p300")
    parts = [Formed(device="p300", boards=(at,), reason="1 of 2 x p300") for at in ("0", "1")]
    scene.host.found = machine("p300x2", whole, *parts, boards=boards)
    found = choose(scene.world, Request(model="acme/Both-8B"))
    assert found.spec.device == "p300x2"
    assert [(one.kind, one.device) for one in found.offers] == [("device", "p300")]


def test_memory_and_disk_of_this_host_say_nothing_of_another(scene: Scene, on_t3k: Scene) -> None:
    here = place_of(on_t3k.world, on_t3k.host.found, "n300")
    assert (here.memory_mib, here.devices) == (512 << 10, ("t3k", "n300", "cpu"))
    cardless = System(device="cpu", cores=1, memory_bytes=1 << 30, machine="x86_64")
    assert place_of(scene.world, cardless, "n300") == Place(devices=("cpu",))


def test_the_free_boards_of_a_machine_in_use_are_offered(on_t3k: Scene) -> None:
    on_t3k.host.found = t3k(free="held")
    on_t3k.catalog.entries = (SERVED, replace(SERVED, device="t3k"))
    found = choose(on_t3k.world, Request(model="acme/Llama-8B-Instruct"))
    assert [one.command for one in found.offers] == [
        "ttctl plan acme/Llama-8B-Instruct --device n300"
    ]
    assert place_of(on_t3k.world, on_t3k.host.found, "t3k").held == ("t3k",)


def test_what_mesh_device_names_is_not_here_for_that(on_t3k: Scene) -> None:
    wrong = replace(t3k(), device="galaxy", mesh_device="TG")
    assert place_of(on_t3k.world, wrong, "galaxy").devices == ("t3k", "n300", "cpu")


@pytest.fixture
def mixed(scene: Scene) -> Scene:
    """Return a machine with two cards that are no one device together."""
    boards = (board("0", "n150"), board("1", "p150"))
    formed = [Formed(device=one.family, boards=(one.id,), reason="a card") for one in boards]
    scene.host.found = machine("", *formed, boards=boards)
    return scene


def test_cards_of_several_kinds_serve_what_only_one_of_them_can(mixed: Scene) -> None:
    mixed.catalog.entries = (entry("acme/Only-8B", "p150"), entry("acme/Other-8B", "n150"))
    assert choose(mixed.world, Request(model="acme/Only-8B")).spec.device == "p150"
    assert choose(mixed.world, Request(model="Other-8B")).spec.device == "n150"


def test_a_word_that_means_nothing_is_refused_before_the_cards_are_asked_for(mixed: Scene) -> None:
    with pytest.raises(UsageError, match="no model 'nonsuch'"):
        choose(mixed.world, Request(model="nonsuch"))
    mixed.host.found = machine("", boards=(board("0", ""),))
    with pytest.raises(UsageError, match="no model 'nonsuch'"):
        choose(mixed.world, Request(model="nonsuch"))
    with pytest.raises(NoDeviceError, match="are not known"):
        choose(mixed.world, Request(model="llama"))


def test_what_no_card_of_several_kinds_serves_is_refused_as_anywhere(mixed: Scene) -> None:
    mixed.catalog.entries = (entry("acme/Only-8B", "galaxy"),)
    with pytest.raises(NothingFitsError) as caught:
        choose(mixed.world, Request(model="Only-8B"))
    assert caught.value.next_step == "ttctl models ls --fits"


def test_where_several_devices_serve_a_word_each_is_named_with_its_command(mixed: Scene) -> None:
    mixed.catalog.entries = (entry("acme/Only-8B", "p150"), entry("acme/Only-8B", "n150"))
    with pytest.raises(UsageError, match="Several devices of this machine serve") as caught:
        choose(mixed.world, Request(model="Only-8B"))
    assert caught.value.evidence == (
        "ttctl plan Only-8B --device n150\nttctl plan Only-8B --device p150"
    )
    assert caught.value.next_step == "ttctl plan Only-8B --device n150"


def test_boards_that_are_too_many_for_one_device_are_used_as_what_each_is(scene: Scene) -> None:
    boards = tuple(board(str(n), "n300") for n in range(3))
    forms = [Formed(device="n300", boards=(one.id,), reason="1 of 3 x n300") for one in boards]
    scene.host.found = machine("", *forms, boards=boards)
    assert choose(scene.world, Request(model="acme/Llama-8B-Instruct")).spec == SERVED


def test_a_word_that_means_nothing_is_refused_before_anything_is_looked_at(scene: Scene) -> None:
    with pytest.raises(UsageError, match="There is no model 'zzz'"):
        up(scene.world, Request(model="zzz"))
    assert scene.taken() == []


def test_several_models_are_placed_on_the_boards(on_t3k: Scene) -> None:
    on_t3k.vitals.the_cards = WELL
    words = ("acme/Llama-8B-Instruct", "acme/Llama-8B-Instruct", "demo")
    found = packing(on_t3k.world, tuple(Request(model=word) for word in words))
    assert found.fits
    assert [(one.device, one.boards) for one in found.placed] == [
        ("n300", ("0",)), ("n300", ("1",)), ("cpu", ()),
    ]  # fmt: skip


def test_several_models_are_placed_by_the_engine_and_implementation_that_were_asked(
    on_t3k: Scene,
) -> None:
    on_t3k.vitals.the_cards = WELL
    other = replace(SERVED, engine="forge", implementation="forge_vllm_plugin", device="t3k")
    on_t3k.catalog.entries = (SERVED, other)
    request = Request(model="acme/Llama-8B-Instruct")
    assert [one.device for one in packing(on_t3k.world, (request,)).placed] == ["n300"]
    for asked in ({"engine": "forge"}, {"implementation": "forge_vllm_plugin"}):
        found = packing(on_t3k.world, (replace(request, **asked),))
        assert [one.device for one in found.placed] == ["t3k"], asked
    with pytest.raises(NothingFitsError, match="served by forge and vllm, not by media") as caught:
        packing(on_t3k.world, (request, replace(request, engine="media")))
    assert caught.value.next_step.startswith("ttctl plan acme/Llama-8B-Instruct --engine ")


def test_of_a_device_that_is_not_here_the_boards_are_those_that_it_would_have(
    scene: Scene,
) -> None:
    request = Request(model="acme/Llama-8B-Instruct", device="t3k")
    found = packing(scene.world, (request, request))
    assert found.fits
    assert [(one.device, one.boards) for one in found.placed] == [
        ("n300", ("n300-0",)), ("n300", ("n300-1",)),
    ]  # fmt: skip
    assert found.left == ("n300-2", "n300-3")
    assert found.unknown[0].startswith("t3k is not in this machine: the boards are those that a")
    assert (found.machine_mib, found.free_disk_mib) == (0, 0)
    five = packing(scene.world, (request,) * 5)
    assert not five.fits
    assert five.obstacles[0] == "free boards: 4 x n300"
    assert five.unknown[0].startswith("t3k is not in this machine")


def test_the_machines_own_device_is_named_for_all_of_its_boards(on_t3k: Scene) -> None:
    on_t3k.vitals.the_cards = WELL
    request = Request(model="acme/Llama-8B-Instruct", device="t3k")
    found = packing(on_t3k.world, (request, request))
    assert [one.boards for one in found.placed] == [("0",), ("1",)]
    assert "is not in this machine" not in " ".join(found.unknown)


def test_one_model_gets_the_whole_device_that_is_named_with_what_is_to_be_minded(
    on_t3k: Scene,
) -> None:
    on_t3k.vitals.the_cards = WELL
    whole = replace(SERVED, device="t3k", status="EXPERIMENTAL", suspect=("a = 900",))
    on_t3k.catalog.entries = (SERVED, whole)
    request = Request(model="acme/Llama-8B-Instruct", device="t3k")
    found = packing(on_t3k.world, (request,))
    assert [one.device for one in found.placed] == ["t3k"]
    said = "\n".join(found.warnings)
    assert "upstream's status on t3k is EXPERIMENTAL" in said
    assert "suspect value: a = 900" in said
    both = packing(on_t3k.world, (request, request))
    assert [one.device for one in both.placed] == ["n300", "n300"]


def test_what_is_tried_is_marked_in_lock_labels_and_status(scene: Scene) -> None:
    why = "nobody validated it"
    scene.catalog.entries = (replace(HUB_MODEL, experimental=why),)
    desired, _ = plan(scene.world, Request(model="llama"))
    assert desired.lock.experimental == why
    assert desired.stack.experimental == why
    for service in compose_of(desired.stack)["services"].values():
        assert service["labels"]["dev.ttctl.experimental"] == why
    scene.weights.here.add((HUB_MODEL.weights.repository, REVISION))
    assert up(scene.world, Request(model="llama")).experimental == why
    assert status(scene.world, "llama").experimental == why


def test_a_lock_that_is_for_another_task_does_not_hold(scene: Scene) -> None:
    lock(scene.world, Request(model="llama"), upgrade=False)
    assert lock(scene.world, Request(model="llama", task="chat"), upgrade=False).model
    with pytest.raises(NothingFitsError, match="no model for 'image'"):
        lock(scene.world, Request(model="llama", task="image"), upgrade=False)


def test_what_is_in_the_way_of_one_model_is_in_the_way_of_several(on_t3k: Scene) -> None:
    on_t3k.vitals.the_cards = WELL
    wish = Requirement(what="firmware", specifier=">=20", strict=True)
    on_t3k.catalog.entries = (replace(SERVED, requirements=(wish,)),)
    on_t3k.catalog.advised = Advice(gated=(GATE,))
    request = Request(model="acme/Llama-8B-Instruct", device="n300")
    one, several = look(on_t3k.world, request), packing(on_t3k.world, (request, request))
    assert one is not None
    [blocked] = [finding.summary for finding in one.fitness if finding.verdict == "blocked"]
    assert several.obstacles == (f"{SERVED.model} on n300: {blocked}",)
    assert not several.fits
    assert "is gated" in several.warnings[0]


@pytest.mark.parametrize(
    ("has_token", "verdict", "said"),
    [(True, "ok", "a token is set"), (False, "warning", "no token was found")],
)
def test_a_token_of_the_hub_decides_whether_gated_weights_can_be_had(
    on_t3k: Scene, verdict: str, said: str, *, has_token: bool
) -> None:
    on_t3k.catalog.advised = Advice(gated=(GATE,))
    on_t3k.has_token = has_token
    (found,) = (
        one
        for one in fitness(on_t3k.world, SERVED, ground_of(on_t3k.world))
        if one.subject == "weights"
    )
    assert found.verdict == verdict
    assert said in found.summary


def test_a_packing_says_why_a_model_is_set_aside_too(on_t3k: Scene) -> None:
    aside = Quarantined(id="id_x_Other-8B_n300", reason="its image is no reference")
    on_t3k.catalog.set_aside = (aside,)
    with pytest.raises(NothingFitsError, match="set aside") as caught:
        packing(on_t3k.world, (Request(model="acme/Other-8B"),))
    assert "its image is no reference" in caught.value.evidence
