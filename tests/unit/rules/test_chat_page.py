# SPDX-License-Identifier: Apache-2.0
"""The chat page is told which engines there are and which roles, and holds nothing else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from ttctl.adapters import places
from ttctl.adapters.roles import read_roles
from ttctl.adapters.templates import ShippedRecipes
from ttctl.model.image import ImageSpec
from ttctl.model.talk import Role
from ttctl.rules.chat_page import engines_json, page_behind, page_files
from ttctl.rules.gateway_routes import Behind, several_values
from ttctl.rules.services_chat import chat_service
from ttctl.rules.talk import speaks

if TYPE_CHECKING:
    from pathlib import Path

    from ttctl.model.service import ServiceSpec

RECIPES = ShippedRecipes(places.shipped())
DEFAULTS = RECIPES.defaults("chat")
SHIPPED = places.shipped() / "controller" / "talk" / "roles"
CODING = Role(name="coding", text="Code.\n", source="shipped")
DOTTED = Role(name="my.role", text="Mine.", source="my/roles/my.role.md")
VLLM = Behind(name="vllm", port=8000, paths=("/v1/chat/completions",), models=("llama",))
IMAGE = ImageSpec(
    name="chat", reference="ttctl/chat:1", fingerprint="1", parent="base", dockerfile="", files=()
)


def service(**files: str) -> ServiceSpec:
    return chat_service(image=IMAGE, defaults=DEFAULTS, files=files)


def test_the_page_is_told_each_engine_that_talks_with_its_prefix() -> None:
    text = engines_json([("vllm", "openai"), ("api", "chat"), ("sd", "")])
    assert json.loads(text) == [
        {"name": "vllm", "base": "/vllm", "speaks": "openai"},
        {"name": "api", "base": "/api", "speaks": "chat"},
    ]


@pytest.mark.parametrize(
    ("engine", "how"), [("vllm", "openai"), ("forge", "openai"), ("direct", "chat")]
)
def test_an_engine_that_talks_is_known(engine: str, how: str) -> None:
    assert speaks(engine) == how


@pytest.mark.parametrize("engine", ["sd", "media"])
def test_an_engine_that_holds_no_conversation_is_not_offered(engine: str) -> None:
    assert speaks(engine) == ""


def test_each_role_is_a_file_as_the_user_has_it(tmp_path: Path) -> None:
    (tmp_path / "coding.md").write_text("My way.\n\n")
    (tmp_path / "pirate.md").write_text("Arr.")
    files = page_files([], read_roles(SHIPPED, tmp_path))
    assert (files["roles/coding.md"], files["roles/pirate.md"]) == ("My way.\n", "Arr.\n")
    assert "roles/teacher.md" in files
    assert files["engines.json"] == "[]\n"


def test_the_gateway_lets_the_page_and_its_lists_through_and_the_page_without_a_key() -> None:
    behind = page_behind([CODING], defaults=DEFAULTS)
    assert behind.open_paths == ("/",)
    assert {"/", "/engines.json", "/roles", "/roles/", "/roles/*.md"} == set(behind.paths)
    values = several_values([VLLM, behind], gateway=RECIPES.defaults("gateway"), max_body_bytes=9)
    config = RECIPES.template("gateway/haproxy.cfg.j2", values)
    assert "server chat chat:8080 check" in config


@pytest.mark.parametrize("path", ["/roles", "/roles/"])
def test_the_list_of_roles_is_had_with_a_slash_at_its_end_and_without(path: str) -> None:
    behind = page_behind([], defaults=DEFAULTS)
    values = several_values([VLLM, behind], gateway=RECIPES.defaults("gateway"), max_body_bytes=9)
    lines = RECIPES.template("gateway/haproxy.cfg.j2", values).splitlines()
    assert f"    acl known path {path}" in lines
    assert f"    acl known path /chat{path}" in lines
    assert f"    http-request set-var(txn.to) str(chat) if !meant {{ path {path} }}" in lines


def test_a_role_whose_name_holds_a_dot_has_a_path_of_its_own() -> None:
    behind = page_behind([CODING, DOTTED], defaults=DEFAULTS)
    assert [path for path in behind.paths if "role." in path] == ["/roles/my.role.md"]


def test_the_page_is_held_in_and_reached_through_the_gateway_alone() -> None:
    one = service(**{"engines.json": "[]"})
    assert (one.name, one.image, one.networks, one.publish) == (
        "chat", "ttctl/chat:1", ("back",), None,
    )  # fmt: skip
    assert one.confinement.read_only
    assert one.confinement.exemptions == ()
    assert [(mount.source, mount.target, mount.read_only) for mount in one.mounts] == [
        ("./chat", "/etc/ttctl/chat", True)
    ]
    assert one.restart == "unless-stopped"
    assert one.memory_mib > one.tmpfs_mib + one.shm_mib


def test_another_role_makes_another_container_and_the_same_ones_the_same() -> None:
    roles = {"roles/a.md": "A.", "roles/b.md": "B."}
    turned = dict(reversed(roles.items()))
    assert service(**roles) == service(**turned)
    assert service(**roles).inputs != service(**{**roles, "roles/a.md": "Other."}).inputs
