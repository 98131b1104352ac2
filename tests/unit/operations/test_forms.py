# SPDX-License-Identifier: Apache-2.0
"""Does a folder hold the forms that were asked for, and does an unlocked one ask nobody?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.unit.cards import LLAMA as ON_CARD
from tests.unit.cards import SERVER, card_scene
from tests.unit.fakes import Scene
from tests.unit.rules.stacks import CARD

from ttctl.model.spec import Request
from ttctl.operations import plan as operations
from ttctl.operations.desire import desire
from ttctl.operations.render_folder import render_files
from ttctl.rules.override import override_of
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


def test_a_readme_of_a_card_begins_with_what_has_to_be_made_and_explains_every_variable(
    tmp_path: Path,
) -> None:
    scene = card_scene(SERVER)
    request = Request(model=SERVER.model, device="n300")
    operations.render(scene.world, request, output=tmp_path / "one", forms=FORMS)
    (files,) = scene.store.rendered.values()
    readme, env = files["README.md"][0], files[".env"][0]
    first = readme.index("sh prepare.sh")
    assert 0 < first < readme.index("docker compose up")
    assert "cp -R .env prepare.sh gateway launch " in readme
    # What docker saves by its digest has no name for podman.
    (pulled,) = [line for line in readme.splitlines() if line.startswith("podman pull ")]
    assert pulled.endswith(f"@sha256:{'d' * 64}")
    assert pulled.split()[-1] not in readme[readme.index("docker save") : readme.index("| podman")]
    names = [line.partition("=")[0] for line in env.splitlines()[1:]]
    assert {"TTCTL_CACHE", "TTCTL_ENGINE_SECRETS", "TTCTL_NODE_0"} <= set(names)
    for name in names:
        assert f"| `{name}` | " in readme
    assert files["prepare.sh"][1]
    for folder in desire(scene.world, request).serving.cache_folders:
        assert folder == "." or f'"$TTCTL_CACHE"/{folder}\n' in files["prepare.sh"][0]


def test_a_folder_for_the_processor_needs_nothing_made(scene: Scene, tmp_path: Path) -> None:
    operations.render(scene.world, LLAMA, output=tmp_path / "one", forms=FORMS)
    (files,) = scene.store.rendered.values()
    assert "prepare.sh" not in files
    assert not [path for path, (text, _) in files.items() if "prepare.sh" in text]


def test_scripts_and_units_say_what_of_the_users_own_file_they_do_without(tmp_path: Path) -> None:
    scene = card_scene()
    own = override_of("/x", {"services": {"vllm": {"mem_limit": "1g", "restart": "always"}}})
    pages = {}
    for form in FORMS:
        scene.store.overrides[str(tmp_path / form)] = own
        made = operations.render(scene.world, ON_CARD, output=tmp_path / form, forms=(form,))
        pages[form] = scene.store.rendered[str(tmp_path / form)]["README.md"][0]
        assert made.override is not None
        assert "sets restart: always" in made.override.warnings[0]
    assert "do without what it says" not in pages["compose"]
    assert "| `compose.override.yaml` | yours, where you make one" in pages["compose"]
    assert "| `compose.override.yaml` |" not in pages["run"]
    for form in ("run", "quadlet"):
        assert "`vllm: mem_limit, restart`" in pages[form]
