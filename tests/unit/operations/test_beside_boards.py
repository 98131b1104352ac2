# SPDX-License-Identifier: Apache-2.0
"""Do several engines of one stack get boards of their own? Not yet run on a card."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.unit.cards import LLAMA, NAME, PINNED, card_scene, held
from tests.unit.fakes import FakeResets, Scene
from tests.unit.rules.leasing import stack
from tests.unit.rules.validated import board, entry, machine
from tests.unit.swapping import Live, swapped

from ttctl.adapters.lock_file import lock_text, read_lock
from ttctl.adapters.store import StateFolder
from ttctl.cli.plan_text import beside_lines
from ttctl.errors import (
    BadFileError,
    DirtyError,
    HeldError,
    NoDeviceError,
    NothingFitsError,
    UsageError,
)
from ttctl.model.container import BOARDS_LABEL, CONTRACT_LABEL, DERIVED_LABEL
from ttctl.model.device import Formed
from ttctl.model.plan import How
from ttctl.operations.desire import desire
from ttctl.operations.forms import in_forms
from ttctl.operations.lock_check import check_lock
from ttctl.operations.plan import obstacle, plan
from ttctl.operations.plan_commands import plan_with_commands
from ttctl.operations.start import on_free_boards
from ttctl.operations.up import up
from ttctl.rules.compose import compose_of, labels_of

if TYPE_CHECKING:
    from pathlib import Path

BOTH = replace(LLAMA, services=("api",))
ALL = replace(LLAMA, services=("api", "chat"))


@pytest.fixture
def scene() -> Scene:
    scene = card_scene()
    scene.leases = Live(scene)
    scene.resets = FakeResets(scene.calls, scene.leases)
    return scene


def with_boards(scene: Scene, count: int) -> Scene:
    boards = tuple(board(str(at), "n300") for at in range(count))
    forms = [Formed(device="n300", boards=(one.id,), reason="1 x n300") for one in boards]
    scene.host.found = machine("n300" if count == 1 else "", *forms, boards=boards)
    return scene


def labels(scene: Scene) -> dict[str, tuple[str, ...]]:
    return {one.service: one.boards for one in scene.engine.states.values() if one.boards}


def test_each_engine_opens_its_own_boards_and_no_other(scene: Scene) -> None:
    desired = on_free_boards(scene.world, desire(scene.world, ALL))
    assert [one.name for one in desired.stack.services] == ["vllm", "api", "chat", "gateway"]
    services = compose_of(desired.stack)["services"]
    assert isinstance(services, dict)
    opened = {name: body.get("devices") for name, body in services.items()}
    assert opened == {
        "vllm": ["${TTCTL_NODE_0:?the node of a leased board}"],
        "api": ["${TTCTL_NODE_1:?the node of a leased board}"],
        "chat": None,
        "gateway": None,
    }
    said = {one.name: dict(labels_of(desired.stack, one)) for one in desired.stack.services}
    assert {name: one.get(BOARDS_LABEL) for name, one in said.items()} == {
        "vllm": "0000:00:00.0",
        "api": "0000:01:00.0",
        "chat": None,
        "gateway": None,
    }
    assert said["api"][CONTRACT_LABEL] == "direct"
    assert said["api"][DERIVED_LABEL] == PINNED.id
    assert DERIVED_LABEL not in said["vllm"]
    dotenv = desired.files[".env"][0]
    assert "TTCTL_NODE_0='/dev/tenstorrent/0:/dev/tenstorrent/0'" in dotenv
    assert "TTCTL_NODE_1='/dev/tenstorrent/1:/dev/tenstorrent/1'" in dotenv


def test_each_has_weights_a_cache_and_files_of_its_own(scene: Scene) -> None:
    desired = on_free_boards(scene.world, desire(scene.world, BOTH))
    services = {one.name: one for one in desired.stack.services}
    own = {mount.source.partition(":")[0] for mount in services["vllm"].mounts}
    beside = {mount.source.partition(":")[0] for mount in services["api"].mounts}
    assert {"${TTCTL_CACHE", "${TTCTL_WEIGHTS"} <= own
    assert {"${TTCTL_API_CACHE", "${TTCTL_API_WEIGHTS"} <= beside
    assert not own & beside - {"${TTCTL_HUGEPAGES"}
    place = desired.serving.place
    assert place["TTCTL_CACHE"] != place["TTCTL_API_CACHE"]
    script = desired.files["prepare.sh"][0]
    for name in ("TTCTL_CACHE", "TTCTL_API_CACHE", "TTCTL_NODE_0", "TTCTL_NODE_1"):
        assert f"${{{name}" in script or f'"${name}"' in script
    assert "TTCTL_API_WEIGHTS" in script


def test_every_form_names_the_same_nodes(scene: Scene) -> None:
    desired = desire(scene.world, BOTH, rendering=True)
    forms = in_forms(scene.world, desired, ("compose", "run", "quadlet"), unlocked=False)
    for path in ("run.sh", "compose.yaml", "prepare.sh"):
        assert forms.files[path][0].count("TTCTL_NODE_1") >= 1
    units = {path: text for path, (text, _) in forms.files.items() if path.endswith(".container")}
    opened = {
        path: [line for line in text.splitlines() if line.startswith("AddDevice")]
        for path, text in units.items()
    }
    assert {path.removesuffix(".container"): lines for path, lines in opened.items() if lines} == {
        "ttctl-llama-8b-instruct-vllm": ["AddDevice=${TTCTL_NODE_0}"],
        "ttctl-llama-8b-instruct-api": ["AddDevice=${TTCTL_NODE_1}"],
    }


def test_a_plan_says_which_services_take_which_boards_and_which_none(scene: Scene) -> None:
    desired, made = plan(scene.world, ALL)
    leases = [
        (one.subject, one.reason.partition(";")[0]) for one in made.steps if one.verb == "lease"
    ]
    assert leases == [("0", "for vllm: nobody has it"), ("1", "for api: nobody has it")]
    assert [one.rpartition("; ")[0] for one in beside_lines(desired.choice)] == [
        "beside    api: acme/Llama-8B-Instruct on n300, boards of its own",
        "",
    ]
    assert beside_lines(desired.choice)[-1] == "beside    chat: a page for a browser, no board"


def test_the_lock_keeps_of_each_engine_what_it_keeps_of_the_stacks_own(
    scene: Scene, tmp_path: Path
) -> None:
    lock = desire(scene.world, BOTH).lock
    (api,) = lock.beside
    assert (api.contract, api.derived_from, api.device) == ("direct", PINNED.id, "n300")
    assert api.image in {one.reference for one in lock.images}
    assert [name for name, _ in api.commits] == ["tt-metal"]
    path = tmp_path / "ttctl.lock"
    path.write_text(lock_text(lock), encoding="utf-8")
    assert read_lock(path) == lock


def test_up_leases_for_all_and_a_second_one_changes_nothing(scene: Scene) -> None:
    assert up(scene.world, BOTH).changed
    assert labels(scene) == {"vllm": ("0000:00:00.0",), "api": ("0000:01:00.0",)}
    scene.weights.offline = True
    assert not up(scene.world, LLAMA).changed
    assert labels(scene) == {"vllm": ("0000:00:00.0",), "api": ("0000:01:00.0",)}


def test_an_engine_that_comes_later_leaves_the_other_where_it_is(scene: Scene) -> None:
    up(scene.world, replace(LLAMA, boards=("1",)))
    assert labels(scene) == {"vllm": ("0000:01:00.0",)}
    up(scene.world, BOTH)
    assert labels(scene) == {"vllm": ("0000:01:00.0",), "api": ("0000:00:00.0",)}
    up(scene.world, replace(LLAMA, services=()))
    assert labels(scene) == {"vllm": ("0000:01:00.0",)}


def test_the_boards_that_are_named_are_shared_out(scene: Scene) -> None:
    up(scene.world, replace(BOTH, boards=("2", "3")))
    assert labels(scene) == {"vllm": ("0000:02:00.0",), "api": ("0000:03:00.0",)}
    with pytest.raises(UsageError, match="do not do for all engines of the stack: 2") as caught:
        up(scene.world, replace(BOTH, boards=("2",), name="other"))
    assert "vllm takes the n300 (1 x n300); api takes the n300 (1 x n300)" in caught.value.evidence


def test_what_does_not_fit_together_is_refused_before_the_hub_is_asked(scene: Scene) -> None:
    with_boards(scene, 1)
    # Whoever asks it now gets an OfflineError.
    scene.weights.offline = True
    with pytest.raises(NothingFitsError, match="do not do for all engines") as caught:
        plan(scene.world, ALL)
    error = caught.value
    assert scene.registry.asked == []
    assert scene.calls == []
    assert error.evidence == (
        "vllm takes the n300 (1 x n300); api takes the n300 (1 x n300). "
        "Boards: 0 (n300, /dev/tenstorrent/0)."
    )
    assert error.next_step == (
        f"ttctl up {PINNED.model} --name llama-8b-instruct-api --engine direct   "
        "# while 'llama-8b-instruct' is up: ttctl swap llama-8b-instruct "
        f"{PINNED.model} --name llama-8b-instruct-api --engine direct"
    )


def test_a_plan_for_another_machine_says_in_its_obstacle_what_is_not_here(scene: Scene) -> None:
    with_boards(scene, 1)
    scene.host.found = replace(scene.host.found, forms=(), device="p150")
    desired, made = plan(scene.world, BOTH)
    assert [one.name for one in desired.stack.services] == ["vllm", "api", "gateway"]
    leases = [one for one in made.steps if one.verb == "lease"]
    assert [one.reason.partition(":")[0] for one in leases] == ["for vllm", "for api"]
    assert isinstance(obstacle(scene.world, desired, made), NoDeviceError)


def test_boards_that_another_stack_has_are_named_with_their_holder(scene: Scene) -> None:
    with_boards(scene, 2)
    held(scene, "0000:00:00.0")
    with pytest.raises(HeldError, match="No boards for a n300 and a n300 are free") as caught:
        up(scene.world, BOTH)
    assert "stack chat" in caught.value.evidence
    assert labels(scene) == {}


def test_the_page_alone_takes_no_board_on_a_machine_with_one(scene: Scene) -> None:
    with_boards(scene, 1)
    up(scene.world, replace(LLAMA, services=("chat",)))
    assert labels(scene) == {"vllm": ("0000:00:00.0",)}


def test_the_boards_of_each_engine_are_reset_with_consent(scene: Scene) -> None:
    with_boards(scene, 2)
    scene.leases.containers = (
        stack(
            "old", "0000:01:00.0", phase="exited", exit_code=137, finished_at="2026-01-31T10:00:00Z"
        ),
    )
    with pytest.raises(DirtyError, match="need a reset"):
        up(scene.world, BOTH)
    up(scene.world, BOTH, how=How(reset=True))
    assert len(labels(scene)) == 2


def test_the_lines_to_type_name_the_weights_and_caches_of_all(scene: Scene) -> None:
    made, _ = plan_with_commands(scene.world, BOTH)
    typed = [" ".join(words) for words in made.commands]
    made_folders = [line for line in typed if line.startswith("install -d -m 0777")]
    assert len(made_folders) == 2
    assert [line for line in typed if "--device /dev/tenstorrent/1:" in line]
    elsewhere, _ = plan_with_commands(with_boards(scene, 0).world, BOTH)
    assert any("/path/to/Llama-8B-Instruct" in " ".join(one) for one in elsewhere.commands)


def test_what_was_rendered_for_two_engines_is_known_again_after_a_start(
    scene: Scene, tmp_path: Path
) -> None:
    store = StateFolder(tmp_path / "stacks")
    world = replace(scene.world, store=store, folders=store, keys=store)
    desired = on_free_boards(world, desire(world, replace(BOTH, boards=("2", "3"))))
    folder = store.folder(desired.stack.name)
    store.write_folder(folder, desired.files, prune=True)
    assert check_lock(world, BOTH) == desired.lock
    (folder / "prepare.sh").write_text("exit 0\n")
    with pytest.raises(BadFileError, match=r"prepare\.sh"):
        check_lock(world, BOTH)


def test_a_stack_of_two_engines_makes_room_for_another_one(scene: Scene) -> None:
    with_boards(scene, 2)
    up(scene.world, BOTH)
    third = replace(LLAMA, name="third")
    with pytest.raises(HeldError) as caught:
        up(scene.world, third)
    assert caught.value.next_step.startswith(f"ttctl swap {NAME} {PINNED.model}")
    swapped(scene, NAME, third)
    assert labels(scene) == {"vllm": ("0000:00:00.0",)}
    swapped(scene, "third", BOTH)
    assert labels(scene) == {"vllm": ("0000:00:00.0",), "api": ("0000:01:00.0",)}


def test_what_is_on_several_hosts_shares_no_stack(scene: Scene) -> None:
    assert PINNED.pins is not None
    pins = replace(PINNED.pins, contract="multihost")
    far = entry("acme/Far-70B", "n300", pins=pins)
    scene.catalog.entries = (*scene.catalog.entries, far)
    with pytest.raises(NothingFitsError):
        desire(scene.world, replace(LLAMA, services=(far.model,)), rendering=True)
