# SPDX-License-Identifier: Apache-2.0
"""Do `plan`, `render` and `lock` say the same as `up`, and start nothing?"""

from __future__ import annotations

import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.unit.cards import FIRST, NAME, PINNED, card_scene, held, killed, without_cards
from tests.unit.cards import LLAMA as ON_CARD
from tests.unit.fakes import Scene, at

from ttctl.errors import DirtyError, HeldError, UsageError
from ttctl.model.override import Override
from ttctl.model.site import Site
from ttctl.model.spec import Request
from ttctl.operations import plan as operations
from ttctl.operations.preview import is_for_another, look
from ttctl.operations.up import up

if TYPE_CHECKING:
    from pathlib import Path

LLAMA = Request(model="llama")


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_a_plan_names_every_step_that_up_then_takes(scene: Scene) -> None:
    _, plan = operations.plan(scene.world, LLAMA)
    assert scene.taken() == []
    assert [(step.verb, step.subject) for step in plan.changes] == [
        ("bootstrap", "ttctl/rootfs:bookworm"),
        ("build", "base"),
        ("build", "torch"),
        ("build", "vllm-cpu"),
        ("build", "gateway"),
        ("fetch", "weights acme/Small-1B"),
        ("key", "gateway key"),
        ("write", "rendered folder"),
        ("start", "vllm"),
        ("start", "gateway"),
    ]
    assert all(step.reason for step in plan.steps)


def test_after_up_every_step_of_the_plan_is_skipped_with_a_reason(scene: Scene) -> None:
    up(scene.world, LLAMA)
    _, plan = operations.plan(scene.world, LLAMA)
    assert plan.changes == ()
    assert {step.verb for step in plan.steps} == {"skip", "wait"}
    assert all(step.reason for step in plan.steps)


def test_what_would_stop_up_on_this_machine_is_known_to_the_plan(scene: Scene) -> None:
    desired, plan = operations.plan(scene.world, LLAMA)
    assert operations.obstacle(scene.world, desired, plan) is None
    scene.host.holders[desired.stack.port] = "pid 12 (nginx)"
    refusal = operations.obstacle(scene.world, desired, plan)
    assert isinstance(refusal, UsageError)
    assert refusal.why == "pid 12 (nginx) listens there."


def test_rendering_twice_gives_equal_files(scene: Scene, tmp_path: Path) -> None:
    operations.render(scene.world, LLAMA, output=tmp_path / "one")
    operations.render(scene.world, LLAMA, output=tmp_path / "two")
    first, second = scene.store.rendered.values()
    assert first == second


def test_what_is_rendered_is_what_up_writes(scene: Scene, tmp_path: Path) -> None:
    operations.render(scene.world, LLAMA, output=tmp_path / "one")
    up(scene.world, LLAMA)
    first, second = scene.store.rendered.values()
    assert first == second


def test_rendering_needs_no_engine_and_starts_nothing(scene: Scene, tmp_path: Path) -> None:
    made = operations.render(scene.world, LLAMA, output=tmp_path / "one")
    assert made.folder == tmp_path / "one"
    assert {"compose.yaml", ".env", "ttctl.lock", "build.sh", "README.md"} < set(made.files)
    assert scene.taken() == ["key", "write"]


def test_a_folder_with_other_files_is_not_written_to(scene: Scene, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(UsageError, match="is not empty"):
        operations.render(scene.world, LLAMA, output=tmp_path)
    assert scene.taken() == []


def test_what_was_typed_to_render_is_said_again_with_another_folder(
    scene: Scene, tmp_path: Path
) -> None:
    full = tmp_path / "my thesis"
    full.mkdir()
    (full / "a.tex").touch()
    asked = replace(LLAMA, device="cpu", name="one", engine_args=(("seed", "1"),))
    with pytest.raises(UsageError) as caught:
        operations.render(scene.world, asked, output=full, forms=("compose", "run"), unlocked=True)
    assert caught.value.next_step == (
        "ttctl render llama --name one --device cpu --to compose --to run --unlocked"
        f" -o '{full}/ttctl' -- --seed 1"
    )
    with pytest.raises(UsageError) as caught:
        operations.render(scene.world, asked, output=full / "a.tex")
    assert caught.value.next_step == (
        f"ttctl render llama --name one --device cpu -o '{full}/a.tex.d' -- --seed 1"
    )


def test_a_folder_that_was_rendered_before_is_written_again(scene: Scene, tmp_path: Path) -> None:
    (tmp_path / "ttctl.lock").touch()
    operations.render(scene.world, LLAMA, output=tmp_path)


def test_a_file_is_no_folder(scene: Scene, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="is not a folder"):
        operations.render(scene.world, LLAMA, output=tmp_path / "file")


def test_a_lock_is_written_and_nothing_is_started(scene: Scene) -> None:
    lock = operations.lock(scene.world, LLAMA, upgrade=False)
    assert scene.taken() == ["write and prune"]
    assert scene.store.locks["llama"] == lock
    assert lock.weights.revision
    assert len(lock.files_sha256) == 64


def test_the_hash_of_the_files_is_the_same_in_every_place(scene: Scene) -> None:
    here = operations.lock(scene.world, LLAMA, upgrade=False)
    there = Scene(site=Site(http_proxy=at("http://proxy.example.org:1")))
    there.builder.texts["site.env"] = "http_proxy=x\n"
    there.builder.wheels = ("/srv/wheels/a.whl",)
    assert operations.lock(there.world, LLAMA, upgrade=False) == here


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(replace(LLAMA, max_model_len=1024), id="a limit"),
        pytest.param(Request(model="demo-llama", name="llama"), id="another model"),
    ],
)
def test_the_hash_of_the_files_changes_with_what_is_rendered(
    scene: Scene, request_: Request
) -> None:
    before = operations.lock(scene.world, LLAMA, upgrade=False).files_sha256
    assert operations.lock(scene.world, request_, upgrade=False).files_sha256 != before


def test_no_key_stands_in_any_rendered_file(scene: Scene) -> None:
    up(scene.world, LLAMA)
    for path, (text, _) in scene.store.rendered[str(scene.store.folder("llama"))].items():
        assert "k" * 64 not in text, path


def test_only_the_build_script_is_executable_beside_the_images(scene: Scene) -> None:
    desired, _ = operations.plan(scene.world, LLAMA)
    runs = {path for path, (_, executable) in desired.files.items() if executable}
    assert {path for path in runs if not path.startswith("images/")} == {"build.sh"}
    assert "images/base/with-site" in runs


DIGEST = f"sha256:{'b' * 64}"


@pytest.mark.parametrize(
    "image",
    [
        pytest.param("h.example.org:5000/debian:12", id="by tag"),
        pytest.param("h.example.org:5000/debian", id="without a tag"),
        pytest.param(f"h.example.org/debian@{DIGEST}", id="by digest"),
        pytest.param(f"h.example.org/debian:12@{DIGEST}", id="by both"),
    ],
)
def test_the_build_script_pulls_a_sites_base_image_as_it_is_named(image: str) -> None:
    scene = Scene(site=Site(base_image=at(image)))
    desired, _ = operations.plan(scene.world, LLAMA)
    script = desired.files["build.sh"][0]
    assert f"    docker pull {image}\n" in script
    assert "docker tag" not in script


def test_the_build_script_names_what_a_registry_gave() -> None:
    scene = Scene()
    scene.builder.registry_answers = True
    desired, _ = operations.plan(scene.world, LLAMA)
    pulled = f"registry.example.org/library/debian@sha256:{'a' * 64}"
    assert f"docker pull {pulled}\n" in desired.files["build.sh"][0]
    assert f"docker tag {pulled} {desired.base.reference}\n" in desired.files["build.sh"][0]


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        pytest.param("deb https://a/d bookworm main\n", "https://a/d", id="plain"),
        pytest.param("deb [signed-by=/k] https://a/d bookworm main\n", "https://a/d", id="options"),
        pytest.param(
            "deb https://s/s bookworm-security main\ndeb https://a/d bookworm main\n",
            "https://a/d",
            id="the updates' first",
        ),
        pytest.param("", "", id="none"),
    ],
)
def test_the_build_script_finds_the_mirror_as_up_does(
    tmp_path: Path, sources: str, expected: str
) -> None:
    desired, _ = operations.plan(Scene().world, LLAMA)
    (line,) = [one for one in desired.files["build.sh"][0].splitlines() if "mirror=" in one]
    (tmp_path / "site").mkdir()
    (tmp_path / "site/sources.list").write_text(sources, encoding="utf-8")
    script = f'{line}\nprintf %s "$mirror"'
    done = subprocess.run(
        ["sh", "-eu", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == expected


def test_a_dry_lock_and_a_dry_rendering_write_nothing(scene: Scene, tmp_path: Path) -> None:
    dry = operations.lock(scene.world, LLAMA, upgrade=False, dry_run=True)
    made = operations.render(scene.world, LLAMA, output=tmp_path / "one", dry_run=True)
    assert scene.taken() == []
    assert not (tmp_path / "one").exists()
    assert "compose.yaml" in made.files
    assert operations.lock(scene.world, LLAMA, upgrade=False) == dry


OWN = Override(
    path="/state/compose.override.yaml",
    services=(("vllm", "0" * 64),),
    warnings=("compose.override.yaml makes a container privileged (vllm)",),
)


def test_what_the_user_laid_over_a_running_stack_is_shown_and_recreates_what_it_names(
    scene: Scene,
) -> None:
    up(scene.world, LLAMA)
    scene.store.overrides[str(scene.store.folder("llama"))] = OWN
    _, plan = operations.plan(scene.world, LLAMA)
    assert plan.override == OWN
    assert [(step.verb, step.subject) for step in plan.changes] == [
        ("write", "rendered folder"),
        ("start", "vllm"),
    ]
    up(scene.world, LLAMA)
    assert OWN.warnings[0] in scene.reporter.notes
    _, again = operations.plan(scene.world, LLAMA)
    assert again.changes == ()


def test_rendering_tells_of_the_users_own_file_in_that_folder(scene: Scene, tmp_path: Path) -> None:
    scene.store.overrides[str(tmp_path / "one")] = OWN
    assert operations.render(scene.world, LLAMA, output=tmp_path / "one").override == OWN
    assert operations.render(scene.world, LLAMA, output=tmp_path / "two").override is None


def verbs(scene: Scene, request: Request = ON_CARD) -> list[tuple[str, str]]:
    _, plan = operations.plan(scene.world, request)
    return [(step.verb, step.subject) for step in plan.steps]


def test_a_plan_for_a_card_that_is_here_names_the_boards_that_are_free_now() -> None:
    scene = card_scene()
    assert ("lease", "0") in verbs(scene)
    assert [one for one in verbs(scene, replace(ON_CARD, boards=("2",))) if one[0] == "lease"] == [
        ("lease", "2")
    ]
    assert scene.taken() == []
    up(scene.world, ON_CARD)
    assert ("skip", "0") in verbs(scene)
    assert {verb for verb, _ in verbs(scene)} == {"skip", "wait"}


def test_a_plan_for_held_boards_shows_the_steps_and_says_who_has_them() -> None:
    scene = card_scene()
    held(scene, FIRST)
    request = replace(ON_CARD, boards=("0",))
    desired, plan = operations.plan(scene.world, request)
    assert ("lease", "n300") in [(step.verb, step.subject) for step in plan.steps]
    refusal = operations.obstacle(scene.world, desired, plan)
    assert isinstance(refusal, HeldError)
    assert "stack chat (container ttctl-chat-vllm-1)" in refusal.evidence
    assert scene.taken() == []
    scene.leases.containers = ()
    assert operations.obstacle(scene.world, desired, plan) is None


def test_a_plan_for_dirty_boards_has_the_reset_that_needs_consent() -> None:
    scene = card_scene()
    killed(scene)
    request = replace(ON_CARD, boards=("0",))
    steps = verbs(scene, request)
    assert steps.index(("reset", "0")) + 1 == steps.index(("lease", "0"))
    with pytest.raises(DirtyError):
        up(scene.world, request)


def test_a_dirty_board_that_is_not_taken_is_named_with_what_resets_it() -> None:
    scene = card_scene()
    killed(scene)
    _, plan = operations.plan(scene.world, ON_CARD)
    [lease] = [step for step in plan.steps if step.verb == "lease"]
    said = "board 0 needs a reset and is not taken"
    assert lease.subject == "1"
    assert said in lease.reason
    up(scene.world, ON_CARD)
    [note] = [one for one in scene.reporter.notes if said in one]
    assert note.endswith(": ttctl devices reset 0")


def test_the_head_names_what_runs_where_the_images_are_built_from_a_checkout() -> None:
    scene = card_scene()
    request = replace(ON_CARD, sources=("tt-metal=/src/tt-metal",))
    desired, plan = operations.plan(scene.world, request)
    assert plan.match is not None
    pins = plan.match.spec.pins
    assert pins is not None
    assert (pins.contract, pins.image) == ("own", desired.images[-1].reference)
    assert pins.tt_metal.startswith("local-")
    assert not (pins.vllm or "").startswith("local-")
    mark = "unvalidated: tt-metal is of a checkout, not of the pinned commit"
    assert plan.match.warnings[-1] == mark
    _, validated = operations.plan(scene.world, ON_CARD)
    assert validated.match is not None
    assert validated.match.spec.pins == PINNED.pins


def silent() -> Scene:
    """Return a machine without a card, on which neither an engine nor a network answers."""
    scene = without_cards()
    scene.engine.refuses = UsageError("The engine was asked.")
    scene.registry.answers = scene.commits.answers = False
    scene.weights.offline = True
    return scene


def test_a_plan_for_a_card_of_another_machine_asks_no_engine_and_no_network() -> None:
    scene = silent()
    found = look(scene.world, ON_CARD)
    assert found is not None
    assert found.match is not None
    assert (found.match.spec, found.steps) == (PINNED, ())
    assert is_for_another(scene.world, found)
    assert (scene.registry.asked, scene.commits.asked, scene.taken()) == ([], [], [])
    assert not is_for_another(card_scene().world, found)


def test_rendering_for_a_card_of_another_machine_asks_nobody_where_it_is_unlocked(
    tmp_path: Path,
) -> None:
    scene = silent()
    made = operations.render(scene.world, ON_CARD, output=tmp_path / "one", unlocked=True)
    assert "launch/model_spec.json" in made.files
    assert scene.taken() == ["key", "write"]
    (files,) = scene.store.rendered.values()
    assert "TTCTL_NODE_0='/dev/tenstorrent/0:/dev/tenstorrent/0'" in files[".env"][0]
    assert f"ttctl-{NAME}" in files["compose.yaml"][0]
