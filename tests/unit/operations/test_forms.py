# SPDX-License-Identifier: Apache-2.0
"""Does a folder hold the forms that were asked for, and does an unlocked one ask nobody?"""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.unit.fakes import Scene
from tests.unit.rules.stacks import CARD

from tools.said_run import said_by_commands, told
from ttctl.model.spec import Request
from ttctl.operations import plan as operations
from ttctl.operations.desire import desire
from ttctl.operations.forms import commands
from ttctl.operations.render_folder import render_files
from ttctl.rules.renderings import FORMS

if TYPE_CHECKING:
    from pathlib import Path

    from ttctl.rules.renderings import Form

LLAMA = Request(model="llama")
UNITS = {
    "ttctl-llama-back.network",
    "ttctl-llama-front.network",
    "ttctl-llama-gateway.container",
    "ttctl-llama-vllm.container",
}


@pytest.fixture
def scene() -> Scene:
    return Scene()


@pytest.mark.parametrize(
    ("forms", "own"),
    [
        pytest.param(("compose",), {"compose.yaml"}, id="compose"),
        pytest.param(("run",), {"run.sh", "stop.sh"}, id="run"),
        pytest.param(("quadlet",), UNITS, id="quadlet"),
        pytest.param(FORMS, {"compose.yaml", "run.sh", "stop.sh", *UNITS}, id="all"),
    ],
)
def test_a_folder_holds_the_forms_that_were_asked_for_and_no_other(
    scene: Scene, tmp_path: Path, forms: tuple[Form, ...], own: set[str]
) -> None:
    made = operations.render(scene.world, LLAMA, output=tmp_path / "one", forms=forms)
    every = {"compose.yaml", "run.sh", "stop.sh", *UNITS}
    assert set(made.files) & every == own
    (files,) = scene.store.rendered.values()
    assert {name for name, (_, executable) in files.items() if executable} >= own & {"run.sh"}
    assert made.forms == forms
    readme = files["README.md"][0]
    assert ("docker compose up" in readme) == ("compose" in forms)
    assert ("./stop.sh" in readme) == ("run" in forms)
    assert ("systemctl start" in readme) == ("quadlet" in forms)


def test_the_hash_of_the_lock_is_that_of_the_forms_in_the_folder(
    scene: Scene, tmp_path: Path
) -> None:
    operations.render(scene.world, LLAMA, output=tmp_path / "one")
    operations.render(scene.world, LLAMA, output=tmp_path / "two", forms=("run",))
    one, two = (
        scene.store.pending[files["ttctl.lock"][0]] for files in scene.store.rendered.values()
    )
    assert one.files_sha256 != two.files_sha256
    assert replace(one, files_sha256="") == replace(two, files_sha256="")


def test_an_unlocked_folder_asks_no_hub_and_says_what_is_open(scene: Scene, tmp_path: Path) -> None:
    scene.weights.offline = True
    made = operations.render(scene.world, LLAMA, output=tmp_path / "one", unlocked=True)
    assert made.unlocked
    (files,) = scene.store.rendered.values()
    assert "UNLOCKED" in files
    lock = scene.store.pending[files["ttctl.lock"][0]]
    assert (lock.model, lock.weights.revision, lock.weights.files) == ("acme/Small-1B", "", ())
    assert "TTCTL_WEIGHTS=''" in files[".env"][0]


def test_a_readme_of_cards_says_what_is_lost_without_leases(scene: Scene) -> None:
    desired = desire(scene.world, LLAMA)
    files = render_files(
        scene.world,
        lock=desired.lock,
        stack=replace(CARD, name="llama"),
        serving=desired.serving,
        base=desired.base,
        forms=FORMS,
    )
    readme = " ".join(files["README.md"][0].split())
    assert "This stack has 2 device nodes of n300." in readme
    assert "nobody leases the boards" in readme
    assert "TTCTL_NODE_1='/dev/tenstorrent/1:/dev/tenstorrent/1'" in files[".env"][0]


def test_the_commands_of_a_plan_are_those_of_the_script_with_the_places_values(
    scene: Scene, tmp_path: Path
) -> None:
    plan = operations.plan_with_commands(scene.world, LLAMA)
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


def test_the_engines_own_line_comes_last(scene: Scene) -> None:
    desired = desire(scene.world, LLAMA)
    last = commands(scene.world, desired)[-1]
    assert last[:3] == ("vllm", "serve", "/models/Small-1B")
    assert last == (*desired.stack.services[0].entrypoint, *desired.stack.services[0].command)
