# SPDX-License-Identifier: Apache-2.0
"""Can the lines of a plan be typed as they stand, on the processor and for cards?"""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.unit.cards import LLAMA as ON_CARD
from tests.unit.cards import NAME, PINNED, PINNED_IMAGE, SERVER, card_scene, without_cards
from tests.unit.fakes import REVISION, Scene

from tools.said_run import said_by_commands, told
from ttctl.cli.plan_text import command_lines
from ttctl.errors import OfflineError, UsageError
from ttctl.model.plan import How
from ttctl.model.spec import Request
from ttctl.operations import plan as operations
from ttctl.operations.desire import desire
from ttctl.operations.plan_commands import commands, plan_with_commands
from ttctl.rules.override import override_of

if TYPE_CHECKING:
    from pathlib import Path

LLAMA = Request(model="llama")


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_the_commands_of_a_plan_are_those_of_the_script_with_the_places_values(
    scene: Scene, tmp_path: Path
) -> None:
    plan = plan_with_commands(scene.world, LLAMA)[0]
    assert [shlex.split(shlex.join(words)) for words in plan.commands] == [
        list(words) for words in plan.commands
    ]
    operations.render(scene.world, LLAMA, output=tmp_path / "one", forms=("run",))
    (files,) = scene.store.rendered.values()
    lines = (line.partition("=") for line in files[".env"][0].splitlines()[1:])
    values = {name: value.strip("'") for name, _, value in lines} | {"PWD": "/usr"}
    script = said_by_commands(told(files["run.sh"][0], values, folder="/usr"), values)
    folder = str(scene.store.folder("llama"))
    typed = [[word.replace(folder, "/usr") for word in words] for words in plan.commands]
    assert said_by_commands(typed[:-1], values) == script


def test_on_the_processor_the_engines_own_line_comes_last(scene: Scene) -> None:
    desired = desire(scene.world, LLAMA)
    last = commands(scene.world, desired)[-1]
    assert last[:3] == ("vllm", "serve", "/models/Small-1B")
    assert last == (*desired.stack.services[0].entrypoint, *desired.stack.services[0].command)


def test_an_engine_on_cards_has_its_line_whatever_it_is_called_and_nobody_types_it() -> None:
    request = Request(model=SERVER.model, device="n300")
    found, refusal = plan_with_commands(card_scene(SERVER).world, request)
    assert refusal is None
    assert [one.words for one in found.serve] == [("/bin/bash", "/etc/ttctl/launch/start")]
    assert "/bin/bash" not in {words[0] for words in found.commands}


def test_what_a_prebuilt_image_composes_itself_is_said_as_the_serve_line_it_amounts_to() -> None:
    found, _ = plan_with_commands(card_scene().world, replace(ON_CARD, max_model_len=1024))
    gets, amounts = found.serve
    assert gets.words[:2] == ("/bin/bash", "-c")
    assert gets.words[2].endswith("exec python run_vllm_api_server.py")
    words = amounts.words[amounts.words.index("vllm") :]
    assert words[:5] == ("vllm", "serve", PINNED.model, "--port", "8000")
    assert words[words.index("--max-model-len") + 1] == "1024"
    assert amounts.words[0] == "env"
    assert "launch/model_spec.json" in amounts.what


def test_an_image_of_ours_serves_by_vllms_own_line() -> None:
    found, _ = plan_with_commands(card_scene().world, ON_CARD, How(build=True))
    words = found.serve[-1].words
    assert words[:2] == ("vllm", "serve")
    assert words[2].startswith("/models/")
    assert words[words.index("--served-model-name") + 1] == PINNED.model
    assert ("ttctl", "build", PINNED.model, "--name", NAME, "--device", "n300", "--again") in (
        found.commands
    )


def test_before_docker_runs_anything_all_that_it_needs_is_made() -> None:
    scene = card_scene()
    found, _ = plan_with_commands(scene.world, ON_CARD)
    first = [words for words in found.commands if words[:2] != ("docker", "run")]
    folder = str(scene.store.folder(NAME))
    cache = scene.world.engine_files.cache(desire(scene.world, ON_CARD).serving.cache)
    assert first[0] == (
        "ttctl", "render", PINNED.model, "--name", NAME, "--device", "n300", "--output", folder,
    )  # fmt: skip
    assert first[1:3] == [("docker", "pull", PINNED_IMAGE), ("sh", f"{folder}/build.sh")]
    weights = first[3]
    assert weights[:5] == ("hf", "download", PINNED.weights.repository, "--revision", REVISION)
    assert weights[-2:] == ("--local-dir", str(scene.weights.path(
        desire(scene.world, ON_CARD).weights)))  # fmt: skip
    assert first[4] == ("install", "-d", "-m", "0700", str(cache.parent))
    assert first[5][:5] == ("install", "-d", "-m", "0777", str(cache))
    assert first[6][:3] == ("docker", "network", "create")
    made = set(first[5][4:])
    for words in found.commands:
        mounts = [word for word in words if word.startswith("type=bind") and str(cache) in word]
        assert {one.split("source=")[1].split('"')[0] for one in mounts} <= made
    assert found.unresolved == ()


def test_what_is_here_already_is_not_fetched_again() -> None:
    scene = card_scene()
    desired = desire(scene.world, ON_CARD)
    scene.engine.images |= {image.reference for image in desired.images}
    scene.weights.here.add((desired.weights.repository, desired.weights.revision))
    scene.engine_files.made[desired.serving.cache] = desired.serving.cache_folders
    assert [words[:2] for words in plan_with_commands(scene.world, ON_CARD)[0].commands] == [
        ("ttctl", "render"),
        *[("docker", "network")] * 2,
        *[("docker", "run")] * 2,
        ("docker", "network"),
    ]


def test_a_card_of_this_machine_without_a_network_is_said_with_what_is_open() -> None:
    scene = card_scene()
    scene.registry.answers = scene.commits.answers = False
    scene.weights.offline = True
    found, refusal = plan_with_commands(scene.world, ON_CARD)
    assert isinstance(refusal, OfflineError)
    said = " ".join(found.unresolved)
    assert f"the commit of {PINNED.weights.repository}" in said
    assert PINNED.pins is not None
    assert f"the digest of {PINNED.pins.image}" in said
    assert "which boards" not in said
    assert "--unlocked" in found.commands[0]
    assert ("docker", "pull", PINNED.pins.image) in found.commands


def test_the_processors_plan_is_refused_where_what_it_needs_cannot_be_asked_for(
    scene: Scene,
) -> None:
    scene.weights.offline = True
    scene.catalog.entries = tuple(replace(one, offline_model="") for one in scene.catalog.entries)
    with pytest.raises(OfflineError):
        plan_with_commands(scene.world, LLAMA)


def test_the_commands_for_a_card_of_another_machine_are_complete_and_ask_nobody() -> None:
    scene = without_cards()
    scene.engine.refuses = UsageError("The engine was asked.")
    scene.registry.answers = scene.commits.answers = False
    scene.weights.offline = True
    found, refusal = plan_with_commands(scene.world, ON_CARD)
    assert (found.steps, refusal) == ((), None)
    whole = [" ".join(words) for words in found.commands]
    assert any("--device /dev/tenstorrent/0:/dev/tenstorrent/0" in one for one in whole)
    assert PINNED.pins is not None
    assert f"docker pull {PINNED.pins.image}" in whole
    assert not [one for one in whole if "${TTCTL" in one]
    assert any("which boards are taken" in one for one in found.unresolved)
    assert (scene.registry.asked, scene.commits.asked, scene.taken()) == ([], [], [])


def test_lines_say_what_of_the_users_own_file_they_do_without() -> None:
    scene = card_scene()
    own = override_of("/x", {"services": {"vllm": {"mem_limit": "1g"}}})
    scene.store.overrides[str(scene.store.folder(NAME))] = own
    found, _ = plan_with_commands(scene.world, ON_CARD)
    (line,) = [one for one in command_lines(found) if one.startswith("# not here")]
    assert line.endswith("run.sh and units do without vllm: mem_limit")
