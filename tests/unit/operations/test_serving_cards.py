# SPDX-License-Identifier: Apache-2.0
"""Is an entry with pins served by its image, on its boards, behind the one door?"""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.cards import FIRST, LLAMA, NAME, PINNED, PINNED_IMAGE, SERVER, card_scene
from tests.unit.fakes import CONTRACTS, Scene
from tests.unit.rules.explained import unexplained
from tests.unit.rules.launching import named

from ttctl.errors import NothingFitsError, UsageError
from ttctl.model.contract import WHOLE
from ttctl.model.health import NodeVitals
from ttctl.model.lease import Leased
from ttctl.model.plan import How
from ttctl.model.spec import Request
from ttctl.operations.desire import Desired, as_locked, desire
from ttctl.operations.desire_again import on_boards
from ttctl.operations.plan_commands import plan_with_commands
from ttctl.operations.serving import Terms
from ttctl.operations.serving_cards import launch_host
from ttctl.operations.start import on_free_boards
from ttctl.operations.up import up

LEASED = Leased(
    boards=(FIRST,),
    nodes=("/dev/tenstorrent/0",),
    values=("/dev/tenstorrent/0:/dev/tenstorrent/0",),
)
TERMS = Terms(name=NAME, port=8000, leased=LEASED)
LEGACY = CONTRACTS["vllm-legacy"]


@pytest.fixture
def scene() -> Scene:
    return card_scene()


@pytest.fixture
def desired(scene: Scene) -> Desired:
    return on_free_boards(scene.world, desire(scene.world, LLAMA))


def node(at: int, *, mode: int, gid: int = 44) -> NodeVitals:
    return NodeVitals(node=f"/dev/tenstorrent/{at}", mode=mode, uid=0, gid=gid)


def test_the_validated_image_serves_behind_a_gateway_of_ours(desired: Desired) -> None:
    assert [image.name for image in desired.images] == ["base", "gateway", "vllm"]
    assert [service.name for service in desired.stack.services] == ["vllm", "gateway"]
    assert desired.stack.services[0].image == PINNED_IMAGE
    assert (desired.stack.device, desired.stack.contract) == ("n300", "vllm-legacy")
    assert {one.name for one in desired.stack.networks} == {"front", "back"}


def test_a_registry_is_asked_once_however_often_boards_and_hashes_are_filled_in(
    scene: Scene,
) -> None:
    found = on_boards(scene.world, on_free_boards(scene.world, desire(scene.world, LLAMA)), LEASED)
    assert found.stack.boards == (FIRST,)
    assert len(scene.registry.asked) == 1


def test_what_the_engine_reads_and_where_it_lies_is_in_the_folder(desired: Desired) -> None:
    assert {"launch/model_spec.json", "launch/refs/main"} <= set(desired.files)
    env = desired.files[".env"][0]
    assert "TTCTL_CACHE='/cache/engines/tt_transformers-Llama-8B-Instruct-v0.9.0'" in env
    assert "TTCTL_NODE_0='/dev/tenstorrent/0:/dev/tenstorrent/0'" in env
    assert desired.stack.boards == (FIRST,)


def test_the_lock_says_which_entry_contract_and_image_it_was(desired: Desired) -> None:
    lock = desired.lock
    assert (lock.implementation, lock.contract) == ("tt_transformers", "vllm-legacy")
    assert {one.name: one.reference for one in lock.images}["vllm"] == PINNED_IMAGE
    assert lock.commits == ()


def test_only_a_server_that_wants_a_key_gets_one(desired: Desired) -> None:
    assert not desired.serving.wants_key
    scene = card_scene(SERVER)
    serving = desire(scene.world, Request(model=SERVER.model, device="n300")).serving
    assert serving.wants_key
    assert serving.place["TTCTL_ENGINE_SECRETS"].endswith("whisper-1b/secrets/engine")


def test_what_was_built_is_launched_by_our_own_contract_and_from_full_commits(
    scene: Scene,
) -> None:
    built = desire(scene.world, LLAMA, how=How(build=True))
    assert built.stack.contract == "own"
    assert built.serving.commits == (
        ("tt-metal", f"{'25305db':0<40}"), ("vllm", f"{'6e67d2d':0<40}"),
    )  # fmt: skip
    assert built.serving.cache.endswith("-own")
    assert "launch/model_spec.json" not in built.files


def test_a_checkout_stands_in_the_lock_and_in_the_stacks_images(scene: Scene) -> None:
    mine = desire(scene.world, replace(LLAMA, sources=("tt-metal=/src/tt-metal",)))
    marks = {one.name: one.unvalidated for one in mine.lock.images if one.unvalidated}
    assert set(marks.values()) == {"tt-metal=/src/tt-metal"}
    assert dict(mine.lock.commits)["tt-metal"].startswith("local-")


def test_a_checkout_is_nothing_for_the_processor(scene: Scene) -> None:
    with pytest.raises(UsageError, match="is not built from a checkout"):
        desire(scene.world, Request(model="demo", device="cpu", sources=("vllm=/src/vllm",)))


def test_a_stack_is_rendered_again_from_its_lock_without_asking_anybody(scene: Scene) -> None:
    up(scene.world, LLAMA)
    scene.registry.answers = scene.commits.answers = False
    scene.weights.offline = True
    again = as_locked(scene.world, NAME)
    assert again is not None
    assert again.spec == PINNED
    assert again.stack.services[0].image == PINNED_IMAGE


def test_an_entry_of_several_hosts_is_not_started_and_is_rendered_host_by_host() -> None:
    spec = named("id_deepseek-r1-galaxy_DeepSeek-R1-0528_dual_galaxy")
    scene = card_scene(spec)
    request = Request(model=spec.model, device=spec.device)
    with pytest.raises(NothingFitsError, match="is not started") as caught:
        desire(scene.world, request)
    assert caught.value.next_step.startswith(f"ttctl render {spec.model} --device dual_galaxy -o ")
    with pytest.raises(NothingFitsError, match="is not started"):
        plan_with_commands(scene.world, request)
    assert not scene.taken()
    whole = desire(scene.world, request, unlocked=True, rendering=True)
    assert whole.serving.further
    assert any(path.startswith("host-2/") for path in whole.files)


def test_until_boards_are_chosen_nothing_of_the_machine_changes_the_launch(scene: Scene) -> None:
    terms = replace(TERMS, leased=None)
    assert launch_host(scene.world, PINNED, LEGACY, terms) == WHOLE


def test_a_node_that_only_its_group_may_open_brings_that_group_into_the_container(
    scene: Scene,
) -> None:
    current = CONTRACTS["vllm-current"]
    scene.vitals.the_cards = replace(
        scene.vitals.the_cards, nodes=(node(0, mode=0o660), node(1, mode=0o660, gid=99))
    )
    assert launch_host(scene.world, PINNED, current, TERMS).groups == ("44",)
    assert launch_host(scene.world, PINNED, LEGACY, TERMS).groups == ()
    scene.vitals.the_cards = replace(scene.vitals.the_cards, nodes=(node(0, mode=0o666),))
    assert launch_host(scene.world, PINNED, current, TERMS).groups == ()


def test_one_chip_of_a_larger_board_is_told_that_it_is_one(scene: Scene) -> None:
    single = replace(PINNED, device="n150")
    terms = replace(TERMS, leased=replace(LEASED, part_of="n300"))
    host = launch_host(scene.world, single, LEGACY, terms)
    assert (host.part_of, host.nodes) == ("n300", 1)
    assert launch_host(scene.world, PINNED, LEGACY, TERMS).part_of == ""


def test_hugepages_are_mounted_with_and_without_an_iommu_while_no_pin_is_known_without(
    scene: Scene,
) -> None:
    for kind in ("DMA-FQ", "identity", ""):
        scene.vitals.the_cards = replace(scene.vitals.the_cards, iommu=(("0000:00:00.0", kind),))
        assert launch_host(scene.world, PINNED, LEGACY, TERMS).hugepages


def test_the_boards_are_in_the_labels_and_nothing_else_changes_with_them(
    scene: Scene, desired: Desired
) -> None:
    other = Leased(
        boards=("0000:01:00.0",),
        nodes=("/dev/tenstorrent/1",),
        values=("/dev/tenstorrent/1:/dev/tenstorrent/1",),
    )
    moved = on_boards(scene.world, desired, other)
    changed = {path for path in desired.files if desired.files[path] != moved.files[path]}
    assert changed == {".env", "compose.yaml", "ttctl.lock"}


def test_an_image_of_ours_is_built_for_the_user_that_was_asked_and_runs_as_that_one(
    scene: Scene,
) -> None:
    build = How(build=True)
    plain = desire(scene.world, LLAMA, how=build)
    mine = desire(scene.world, replace(LLAMA, image_uid=2001), how=build)
    usual, other = plain.stack.engine.confinement, mine.stack.engine.confinement
    assert (usual.user, other.user) == ("1000:1000", "2001:2001")
    assert unexplained(mine.stack.engine) == ()
    assert "ARG TTCTL_UID=2001\n" in mine.images[-1].dockerfile
    assert mine.images[-1].reference != plain.images[-1].reference
    assert mine.stack.services[-1] == plain.stack.services[-1]
    assert (plain.lock.image_uid, mine.lock.image_uid) == (0, 2001)


def test_a_second_start_keeps_the_user_until_another_is_asked_for(scene: Scene) -> None:
    up(scene.world, replace(LLAMA, image_uid=2001), how=How(build=True))
    again = desire(scene.world, LLAMA, how=How(build=True))
    assert (again.lock.image_uid, again.stack.engine.confinement.user) == (2001, "2001:2001")
    locked = as_locked(scene.world, NAME)
    assert locked is not None
    assert locked.lock.image_uid == 2001
    latest = desire(scene.world, replace(LLAMA, values="latest"), how=How(build=True))
    assert latest.lock.image_uid == 2001
    usual = desire(scene.world, replace(LLAMA, image_uid=1000), how=How(build=True))
    assert (usual.lock.image_uid, usual.stack.engine.confinement.user) == (0, "1000:1000")


def test_the_user_of_a_pulled_image_is_its_own_and_that_of_the_processors_the_usual(
    scene: Scene,
) -> None:
    asked = desire(scene.world, replace(LLAMA, image_uid=2001))
    plain = desire(scene.world, LLAMA)
    assert asked.stack == plain.stack
    assert asked.lock.image_uid == 2001
    demo = desire(scene.world, Request(model="demo", device="cpu", image_uid=2001))
    assert (demo.lock.image_uid, demo.stack.engine.confinement.user) == (0, "1000:1000")


def test_the_cache_of_an_image_of_ours_is_made_for_the_user_that_it_runs_as(scene: Scene) -> None:
    up(scene.world, replace(LLAMA, image_uid=2001), how=How(build=True))
    (prepared,) = (one for one in scene.taken() if one.startswith("prepare "))
    assert prepared.endswith("-own for 2001")
