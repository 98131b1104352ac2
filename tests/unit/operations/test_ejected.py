# SPDX-License-Identifier: Apache-2.0
"""Does a service that a user edited run in place of ours, and is it marked wherever it shows?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.unit.fakes import Scene

from ttctl.cli.lock import lock_text
from ttctl.cli.up import up_text
from ttctl.errors import BadFileError, UsageError
from ttctl.model.ejected import SERVICE_FILE
from ttctl.model.spec import Request
from ttctl.operations.desire import desire
from ttctl.operations.eject import eject
from ttctl.operations.lock_check import check_lock
from ttctl.operations.steps import plan_for
from ttctl.operations.up import up
from ttctl.rules.ejected import folders_named
from ttctl.rules.images import build_command
from ttctl.rules.typed_request import typed

if TYPE_CHECKING:
    from pathlib import Path

    from ttctl.model.plan import Step

LLAMA = Request(model="llama", device="cpu")


@pytest.fixture
def scene() -> Scene:
    return Scene()


@pytest.fixture
def mine(scene: Scene, tmp_path: Path) -> Path:
    folder = tmp_path / "mine"
    eject(scene.world, LLAMA, service="gateway", output=folder)
    return folder


def from_(*folders: Path) -> Request:
    return replace(LLAMA, ejected=tuple(map(str, folders)))


def edit(folder: Path, text: str = "#!/bin/sh\nexit 0\n") -> None:
    (folder / "src" / "health").write_text(text, encoding="utf-8")


def changing(scene: Scene, request: Request) -> list[Step]:
    plan = plan_for(scene.world, desire(scene.world, request))
    return [step for step in plan.steps if step.verb not in {"skip", "wait"}]


def test_the_folder_is_built_over_our_image_and_runs_in_its_place(scene: Scene, mine: Path) -> None:
    up(scene.world, from_(mine))
    builds = [call for call in scene.calls if call.startswith("build")]
    assert builds[-2:] == ["build gateway", "build gateway-yours"]
    images = {state.service: state.image for state in scene.engine.states.values()}
    assert images["gateway"].startswith("ttctl/gateway-yours:")
    assert images["vllm"].startswith("ttctl/vllm-cpu:")


def test_a_second_time_nothing_changes_with_the_folder_said_or_not(
    scene: Scene, mine: Path
) -> None:
    up(scene.world, from_(mine))
    scene.calls.clear()
    assert not up(scene.world, from_(mine)).changed
    again = up(scene.world, LLAMA)
    assert not again.changed
    assert again.yours == (f"gateway={mine}",)
    assert scene.calls == []


def test_an_edit_builds_one_image_and_recreates_one_container(scene: Scene, mine: Path) -> None:
    up(scene.world, from_(mine))
    edit(mine)
    found = [(step.verb, step.subject) for step in changing(scene, LLAMA)]
    assert ("build", "gateway-yours") in found
    assert {subject for verb, subject in found if verb == "build"} == {"gateway-yours"}
    assert {subject for verb, subject in found if verb == "start"} == {"gateway"}


def test_what_the_image_does_not_take_changes_nothing(scene: Scene, mine: Path) -> None:
    up(scene.world, from_(mine))
    (mine / "README.md").write_text("mine", encoding="utf-8")
    (mine / "src" / ".swap").write_bytes(b"\xff")
    (mine / "src" / "__pycache__").mkdir()
    (mine / "src" / "__pycache__" / "a.pyc").write_bytes(b"\xff")
    assert changing(scene, LLAMA) == []


def test_none_takes_our_own_again_and_is_remembered(scene: Scene, mine: Path) -> None:
    up(scene.world, from_(mine))
    assert not up(scene.world, replace(LLAMA, ejected=())).yours
    images = {state.service: state.image for state in scene.engine.states.values()}
    assert images["gateway"].startswith("ttctl/gateway:")
    assert not up(scene.world, LLAMA).changed


def test_it_is_marked_in_the_plan_the_lock_the_labels_and_at_the_end(
    scene: Scene, mine: Path
) -> None:
    desired = desire(scene.world, from_(mine))
    steps = plan_for(scene.world, desired).steps
    (step,) = (step for step in steps if step.subject == "gateway-yours")
    assert step.reason.endswith(f"is not here; yours: from {mine}")
    (locked,) = (one for one in desired.lock.images if one.yours)
    assert locked.yours == f"gateway={mine}"
    assert f"yours: gateway={mine}" in lock_text(desired.lock)
    (image,) = (one for one in desired.images if one.yours)
    assert "--label=dev.ttctl.yours=gateway" in build_command(image, context=".", secrets="s")
    said = up_text(up(scene.world, from_(mine)), program="ttctl")
    assert f"Yours: gateway is from {mine}; --from none takes ttctl's own again." in said


def test_the_rendered_folder_holds_all_that_builds_it(scene: Scene, mine: Path) -> None:
    files = desire(scene.world, from_(mine)).files
    assert files["images/gateway-yours/src/health"][1]
    assert "COPY src/health" in files["images/gateway-yours/Dockerfile"][0]
    assert "images/gateway-yours" in files["build.sh"][0]


def test_a_lock_of_it_is_found_as_it_was_written(scene: Scene, mine: Path) -> None:
    up(scene.world, from_(mine))
    assert any(one.yours for one in check_lock(scene.world, LLAMA).images)


def test_made_for_another_image_it_stands_on_the_one_of_now_and_that_is_said(
    scene: Scene, mine: Path
) -> None:
    for name in ("Dockerfile", SERVICE_FILE):
        text = (mine / name).read_text(encoding="utf-8")
        now = desire(scene.world, LLAMA).images[-1].reference
        assert now in text
        text = text.replace(now, "ttctl/gateway:0000000000000000")
        lines = [
            f'sources_sha256 = "{"0" * 64}"' if line.startswith("sources") else line
            for line in text.splitlines()
        ]
        (mine / name).write_text("\n".join([*lines, ""]), encoding="utf-8")
    desired = desire(scene.world, from_(mine))
    (image,) = (one for one in desired.images if one.yours)
    assert f"FROM {now}\n" in image.dockerfile
    steps = plan_for(scene.world, desired).steps
    (step,) = (step for step in steps if step.subject == "gateway-yours")
    assert step.reason.endswith("ttctl's own has changed since it was ejected")


def test_stages_of_the_users_are_left_as_they_are(scene: Scene, mine: Path) -> None:
    path = mine / "Dockerfile"
    text = path.read_text(encoding="utf-8").replace("FROM ttctl", "FROM x AS tools\nFROM ttctl")
    path.write_text(text, encoding="utf-8")
    (image,) = (one for one in desire(scene.world, from_(mine)).images if one.yours)
    assert image.dockerfile == text


@pytest.mark.parametrize("line", ["FROM debian:12", "# FROM nothing"])
def test_a_dockerfile_on_something_else_is_refused(scene: Scene, mine: Path, line: str) -> None:
    (mine / "Dockerfile").write_text(f"{line}\n", encoding="utf-8")
    with pytest.raises(BadFileError, match="does not stand on ttctl's image"):
        desire(scene.world, from_(mine))


def test_a_service_that_the_stack_does_without_is_refused_with_those_that_it_has(
    scene: Scene, tmp_path: Path
) -> None:
    folder = tmp_path / "page"
    eject(scene.world, replace(LLAMA, services=("chat",)), service="chat", output=folder)
    with pytest.raises(UsageError, match="has no service 'chat'") as caught:
        desire(scene.world, from_(folder))
    assert caught.value.evidence.endswith("is chat; the stack has vllm, gateway.")
    assert caught.value.next_step == (f"ttctl up llama --device cpu --with chat --from {folder}")
    up(scene.world, replace(LLAMA, services=("chat",), ejected=(str(folder),)))
    # What is only remembered goes with its service.
    assert not up(scene.world, replace(LLAMA, services=())).yours


def test_two_folders_for_one_service_are_refused(scene: Scene, mine: Path, tmp_path: Path) -> None:
    eject(scene.world, LLAMA, service="gateway", output=tmp_path / "other")
    with pytest.raises(UsageError, match="Two folders stand for the service 'gateway'"):
        desire(scene.world, from_(mine, tmp_path / "other"))


def test_a_remembered_folder_that_is_gone_is_refused_with_the_way_back(
    scene: Scene, mine: Path
) -> None:
    up(scene.world, from_(mine))
    mine.rename(mine.with_name("elsewhere"))
    with pytest.raises(UsageError, match="holds no service that was ejected") as caught:
        up(scene.world, LLAMA)
    assert caught.value.next_step.startswith("ttctl up llama --device cpu --from none")


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        pytest.param("logo.png", b"\x89PNG", "UTF-8", id="no text"),
        pytest.param("a b", b"x", "a character", id="a blank in its name"),
    ],
)
def test_what_cannot_be_carried_is_refused_by_its_name(
    scene: Scene, mine: Path, name: str, content: bytes, why: str
) -> None:
    (mine / "src" / name).write_bytes(content)
    with pytest.raises(BadFileError, match="cannot be taken") as caught:
        desire(scene.world, from_(mine))
    assert why in caught.value.why
    assert name in caught.value.message


def test_a_link_is_refused(scene: Scene, mine: Path) -> None:
    (mine / "src" / "link").symlink_to("/etc/passwd")
    with pytest.raises(BadFileError, match="cannot be taken"):
        desire(scene.world, from_(mine))


def test_a_line_end_of_the_users_is_carried_as_it_is(scene: Scene, mine: Path) -> None:
    (mine / "src" / "health").write_bytes(b"#!/bin/sh\r\nexit 0\r\n")
    (image,) = (one for one in desire(scene.world, from_(mine)).images if one.yours)
    assert {name: text for name, text, _ in image.files}["src/health"].count("\r\n") == 2


def test_ejecting_from_a_stack_with_ones_own_gives_what_is_ours(
    scene: Scene, mine: Path, tmp_path: Path
) -> None:
    up(scene.world, from_(mine))
    made = eject(scene.world, LLAMA, service="gateway", output=tmp_path / "fresh")
    assert made.image.startswith("ttctl/gateway:")


def test_the_words_are_read_and_typed_again() -> None:
    assert folders_named(["a", "b", "a"]) == ("a", "b")
    assert folders_named(["none"]) == ()
    with pytest.raises(UsageError, match="no folder at all"):
        folders_named(["none", "a"])
    assert typed("up", replace(LLAMA, ejected=("a b",))).endswith("--from 'a b'")
    assert typed("up", replace(LLAMA, ejected=())).endswith("--from none")
