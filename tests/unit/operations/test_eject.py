# SPDX-License-Identifier: Apache-2.0
"""Does a user get a service whole, and is nothing that is already theirs overwritten?"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
import yaml
from tests.unit.cards import LLAMA, card_scene
from tests.unit.fakes import RECIPES, Scene

from ttctl.errors import TtctlError, UsageError
from ttctl.model.ejected import SERVICE_FILE
from ttctl.model.spec import Request
from ttctl.operations.desire import desire
from ttctl.operations.eject import eject
from ttctl.operations.ejected_of import request_of
from ttctl.operations.up import up
from ttctl.rules.eject import SERVICES, asked_of, service_of

if TYPE_CHECKING:
    from pathlib import Path

ON_PROCESSOR = ("vllm", "api", "chat", "gateway")


def request_for(service: str, model: str | None = None) -> Request:
    asked = asked_of(service, model)
    return Request(model=asked.model, engine=asked.engine, services=asked.services, device="cpu")


def text_of(folder: Path, name: str) -> str:
    return (folder / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("service", ON_PROCESSOR)
def test_a_service_comes_with_its_source_its_dockerfile_and_its_compose_file(
    tmp_path: Path, service: str
) -> None:
    folder = tmp_path / "mine"
    made = eject(Scene().world, request_for(service), service=service, output=folder)
    found = (path for path in folder.rglob("*") if path.is_file())
    assert {path.relative_to(folder).as_posix() for path in found} == {*made.files}
    assert {"Dockerfile", "compose.yaml", "README.md", SERVICE_FILE} < {*made.files}
    assert any(name.startswith("src/") for name in made.files)
    assert f"\nFROM {made.image}\n" in text_of(folder, "Dockerfile")
    assert not list(tmp_path.glob(".ttctl-*"))


@pytest.mark.parametrize("service", ON_PROCESSOR)
def test_everything_that_the_dockerfile_copies_is_there_and_nothing_else_is_in_src(
    tmp_path: Path, service: str
) -> None:
    folder = tmp_path / "mine"
    eject(Scene().world, request_for(service), service=service, output=folder)
    copied = re.findall(r"^COPY (\S+) \S+$", text_of(folder, "Dockerfile"), re.MULTILINE)
    assert copied
    assert all((folder / one).exists() for one in copied)
    if copied != ["src/"]:
        sources = {path.relative_to(folder).as_posix() for path in (folder / "src").rglob("*")}
        assert sources == {*copied}


def test_the_api_comes_with_its_package_and_what_it_borrows_as_the_product_has_them(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "mine"
    eject(Scene().world, request_for("api"), service="api", output=folder)
    of_product = {name: text for name, text, _ in RECIPES.recipe("direct-cpu").files}
    del of_product["warm.py"]
    found = {
        path.relative_to(folder / "src").as_posix(): path.read_text(encoding="utf-8")
        for path in (folder / "src").rglob("*.py")
    }
    assert found == of_product
    assert "COPY src/ /opt/yours/" in text_of(folder, "Dockerfile")


def test_on_a_card_the_api_has_the_same_packages_and_no_node_is_named(tmp_path: Path) -> None:
    scene, folder = card_scene(), tmp_path / "mine"
    request = Request(model=LLAMA.model, device=LLAMA.device, engine="direct")
    made = eject(scene.world, request, service="api", output=folder)
    assert "src/ttctl_direct/tenstorrent.py" in made.files
    assert "src/ttctl_serving/door.py" in made.files
    assert not any(name.endswith(("install", "requirements.txt")) for name in made.files)
    assert "devices" in text_of(folder, "compose.yaml")
    assert "NODE" not in text_of(folder, ".env")
    assert "only `ttctl up` leases boards" in text_of(folder, "README.md")


@pytest.mark.parametrize("service", ON_PROCESSOR)
def test_alone_a_service_is_held_in_as_in_its_stack_and_reached_from_this_machine_only(
    tmp_path: Path, service: str
) -> None:
    folder = tmp_path / "mine"
    eject(Scene().world, request_for(service), service=service, output=folder)
    found = yaml.safe_load(text_of(folder, "compose.yaml"))
    body = found["services"][service]
    assert body["build"] == {"context": "."}
    assert body["cap_drop"] == ["ALL"]
    assert body["read_only"] is True
    assert body["user"] == "1000:1000"
    assert body["security_opt"] == ["no-new-privileges:true"]
    assert body["ports"][0]["host_ip"] == "${TTCTL_BIND:-127.0.0.1}"
    assert "labels" not in body
    asked = set(re.findall(r"\$\{([A-Z_]+):\?", text_of(folder, "compose.yaml")))
    assert asked == set(re.findall(r"^([A-Z_]+)=", text_of(folder, ".env"), re.MULTILINE)) - {
        "TTCTL_BIND"
    }


def test_what_the_page_mounts_lies_beside_it(tmp_path: Path) -> None:
    made = eject(Scene().world, request_for("chat"), service="chat", output=tmp_path / "mine")
    assert "chat/engines.json" in made.files


def test_the_gateways_settings_are_said_to_be_rendered_and_not_owned(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    made = eject(Scene().world, request_for("gateway"), service="gateway", output=folder)
    assert "gateway/haproxy.cfg" in made.files
    assert "rendered at each `up`" in text_of(folder, "README.md")


def test_a_folder_that_holds_anything_is_not_written_to(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    for force in (False, True):
        with pytest.raises(UsageError, match="is not an empty folder") as caught:
            eject(
                Scene().world, request_for("gateway"), service="gateway",
                output=tmp_path, force=force,
            )  # fmt: skip
        assert "what ttctl did not write" in caught.value.why
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_with_force_an_earlier_one_is_moved_aside_with_every_edit(tmp_path: Path) -> None:
    folder, world = tmp_path / "mine", Scene().world
    eject(world, request_for("gateway"), service="gateway", output=folder)
    (folder / "src" / "health").write_text("edited", encoding="utf-8")
    with pytest.raises(UsageError, match="is not an empty folder"):
        eject(world, request_for("gateway"), service="gateway", output=folder)
    made = [
        eject(world, request_for("gateway"), service="gateway", output=folder, force=True).before
        for _ in range(2)
    ]
    assert [path.name for path in made if path] == ["mine.before", "mine.before1"]
    assert text_of(tmp_path / "mine.before", "src/health") == "edited"
    assert text_of(folder, "src/health") != "edited"


def test_a_dry_run_says_what_would_be_written_and_writes_nothing(tmp_path: Path) -> None:
    output = tmp_path / "mine"
    made = eject(Scene().world, request_for("chat"), service="chat", output=output, dry_run=True)
    assert "src/index.html" in made.files
    assert list(tmp_path.iterdir()) == []


def test_nobody_outside_is_asked(tmp_path: Path) -> None:
    scene = Scene()
    scene.weights.offline = True
    eject(scene.world, request_for("vllm"), service="vllm", output=tmp_path / "mine")
    assert scene.calls == []


def test_a_service_that_the_stack_does_without_is_refused_with_those_that_it_has(
    tmp_path: Path,
) -> None:
    request = Request(model="llama", device="cpu")
    with pytest.raises(UsageError, match="has no service 'chat'") as caught:
        eject(Scene().world, request, service="chat", output=tmp_path / "mine")
    assert caught.value.evidence == "It has: vllm, gateway."


def test_a_disk_that_refuses_leaves_nothing_behind(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.write_text("a file", encoding="utf-8")
    with pytest.raises(TtctlError, match="could not be written"):
        eject(
            Scene().world, request_for("gateway"), service="gateway", output=closed / "a" / "mine"
        )
    assert [path.name for path in tmp_path.iterdir()] == ["closed"]


def test_the_name_of_an_engine_is_that_of_its_service() -> None:
    assert service_of("direct") == "api"
    assert {service_of(one) for one in SERVICES} == {*SERVICES}


def locked(scene: Scene, *services: str, name: str | None = None) -> None:
    up(scene.world, Request(model="llama", name=name, services=services or None))


def line_of(scene: Scene, folder: Path, service: str, **named: str | None) -> str:
    words = {"model": None, "name": None, "device": None, **named}
    request = request_of(scene.world, service, **words)
    made = eject(scene.world, request, service=service, output=folder)
    text = text_of(folder, "README.md")
    assert made.command in text
    return made.command.removesuffix(f" --from {folder}")


def test_what_else_a_stack_has_stays_in_it(tmp_path: Path) -> None:
    scene = Scene()
    locked(scene, "chat", "api", name="mine")
    before = desire(scene.world, Request(model="llama", name="mine")).stack
    line = line_of(scene, tmp_path / "page", "chat", name="mine")
    assert line == "ttctl up llama --name mine"
    after = desire(
        scene.world, Request(model="llama", name="mine", ejected=(str(tmp_path / "page"),))
    )
    assert [one.name for one in after.stack.services] == [one.name for one in before.services]
    assert line_of(scene, tmp_path / "api", "api", name="mine") == "ttctl up llama --name mine"
    assert line_of(scene, tmp_path / "vllm", "vllm", model="mine") == "ttctl up llama --name mine"


def test_a_service_that_a_stack_lacks_is_added_to_what_it_has(tmp_path: Path) -> None:
    scene = Scene()
    locked(scene, "api")
    assert line_of(scene, tmp_path / "page", "chat") == "ttctl up llama --with api,chat"
    assert line_of(scene, tmp_path / "api", "api") == "ttctl up llama"


def test_another_model_under_a_stacks_name_is_not_that_stack() -> None:
    scene = Scene()
    locked(scene, "api", name="mine")
    found = request_of(scene.world, "vllm", model="acme/Tiny-1B", name="mine", device=None)
    assert (found.model, found.name, found.services) == ("acme/Tiny-1B", "mine", None)


def test_alone_it_listens_beside_the_stack_that_it_is_taken_from(tmp_path: Path) -> None:
    scene = Scene()
    scene.host.holders[8100] = "pid 9 (other)"
    eject(scene.world, request_for("chat"), service="chat", output=tmp_path / "mine")
    assert "TTCTL_PORT='8101'" in text_of(tmp_path / "mine", ".env")


def test_alone_an_engine_finds_the_weights_that_stand_in_where_no_hub_answers(
    tmp_path: Path,
) -> None:
    scene, folder = Scene(), tmp_path / "mine"
    eject(scene.world, request_for("api"), service="api", output=folder)
    assert re.search(r"^TTCTL_WEIGHTS='/.+'$", text_of(folder, ".env"), re.MULTILINE)
    assert "ttctl models pull " in text_of(folder, "README.md")
    assert "ttctl models pull" not in page_text(tmp_path)


def page_text(tmp_path: Path) -> str:
    eject(Scene().world, request_for("chat"), service="chat", output=tmp_path / "page")
    return text_of(tmp_path / "page", "README.md")
