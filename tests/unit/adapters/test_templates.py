# SPDX-License-Identifier: Apache-2.0
"""Does every template say what its values say, and nothing that a value smuggles in?"""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.unit.fakes import RECIPES

from ttctl.adapters import places
from ttctl.adapters.contracts import ShippedContracts
from ttctl.adapters.templates import ShippedRecipes
from ttctl.errors import BadFileError
from ttctl.model.image import ImageRecipe
from ttctl.rules.images import git_mount, site_mounts

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TEMPLATE = """\
# A comment
FROM {{ parent }} AS build
RUN {{ site_mounts }} \\
    make \\
    # in between
    && make install

FROM {{ parent }}
ENV A=1
"""


def recipe(template: str) -> ImageRecipe:
    return ImageRecipe(name="x", description="", parent="", template=template, files=())


def words(text: str) -> list[str]:
    """Return the instructions of a Dockerfile, read on its own terms."""
    found: list[str] = []
    goes_on = False
    for raw in text.split("\n"):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        if not goes_on:
            found.append(line.split()[0])
        goes_on = line.endswith("\\")
    return found


@pytest.mark.parametrize("name", RECIPES.names())
def test_every_recipe_renders_and_keeps_its_shape(name: str) -> None:
    one = RECIPES.recipe(name)
    declared = dict.fromkeys(one.values, "a1")
    mounts = {"site_mounts": site_mounts(), "git_mount": git_mount()}
    text = RECIPES.render(one, {"parent": "ttctl/x:1", **mounts, **declared})
    assert "FROM ttctl/x:1" in text
    assert "{{" not in text
    assert words(text) == words(one.template)
    assert one.description


@pytest.mark.parametrize("name", RECIPES.names())
def test_every_file_that_a_recipe_copies_is_in_the_dockerfile_and_the_other_way(name: str) -> None:
    one = RECIPES.recipe(name)
    copied = {
        word
        for line in one.template.splitlines()
        if line.startswith("COPY ") and "--from" not in line
        for word in line.split()[1:-1]
    }
    # A package is copied as its folder.
    assert copied == {path.partition("/")[0] for path, _, _ in one.files}


@pytest.mark.parametrize("name", RECIPES.names())
def test_a_recipe_declares_exactly_the_values_that_its_template_sees(name: str) -> None:
    one = RECIPES.recipe(name)
    seen = set(re.findall(r"{{ ([a-z_]+) }}", one.template))
    assert seen - {"parent", "site_mounts", "git_mount"} == set(one.values)


def test_a_name_that_a_template_does_not_get_is_refused() -> None:
    with pytest.raises(BadFileError, match="'x' cannot be rendered") as caught:
        RECIPES.render(recipe("FROM {{ parnet }}\n"), {"parent": "a"})
    assert "parnet" in caught.value.evidence


def test_a_template_of_a_stack_gets_no_name_by_chance() -> None:
    with pytest.raises(BadFileError, match="cannot be rendered"):
        RECIPES.template("gateway/haproxy.cfg.j2", {})


@settings(max_examples=200)
@given(st.text(min_size=1, max_size=30))
@example("a\nRUN evil")
@example("a\\")
@example("a\r\nRUN evil")
@example("a\u2028RUN evil")
@example("$(evil)")
@example("{{ 1 }}")
@example("x # comment")
def test_a_value_in_a_dockerfile_is_there_exactly_or_refused(value: str) -> None:
    try:
        text = RECIPES.render(recipe(TEMPLATE), {"parent": value, "site_mounts": "--x"})
    except BadFileError:
        return
    assert text == TEMPLATE.replace("{{ parent }}", value).replace("{{ site_mounts }}", "--x")
    assert words(text) == ["FROM", "RUN", "FROM", "ENV"]
    assert text.count("\n") == TEMPLATE.count("\n")


@given(st.text(min_size=1, max_size=30))
@example("x\n    server evil")
@example("'")
@example("a b")
@example("#")
def test_a_value_in_the_gateways_configuration_is_one_word_or_refused(value: str) -> None:
    values: dict[str, object] = {
        "engine": "vllm",
        "engine_port": 8000,
        "paths": [value],
        "max_body_bytes": 1,
        "retry_after_s": 1,
    }
    try:
        text = RECIPES.template("gateway/haproxy.cfg.j2", values)
    except BadFileError:
        return
    plain = RECIPES.template("gateway/haproxy.cfg.j2", {**values, "paths": ["/x"]})
    assert text == plain.replace("acl known path /x\n", f"acl known path {value}\n")
    assert len(value.split()) == 1


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A copy of what is shipped, to be damaged."""
    shutil.copytree(places.shipped() / "compose", tmp_path / "compose")
    shutil.copytree(places.shipped() / "images/base", tmp_path / "images/base")
    return tmp_path


@pytest.mark.parametrize(
    ("file", "old", "new", "key"),
    [
        pytest.param("images/base/image.toml", "parent", "paernt", "paernt", id="unknown key"),
        pytest.param(
            "images/base/image.toml", '"with-site"', '"../x"', "files.0", id="a path out"
        ),
        pytest.param("images/base/image.toml", '"with-site"', '"/etc/x"', "files.0", id="absolute"),
        pytest.param("images/base/image.toml", '"with-site"', '"a/../../x"', "files.0", id="dots"),
        pytest.param("images/base/image.toml", '"with-site"', '"gone"', "", id="a file is gone"),
        pytest.param(
            "compose/services.toml", "stop_grace_s = 120", "stop_grace_s = 10",
            "processor.stop_grace_s", id="a short grace",
        ),
        pytest.param(
            "compose/services.toml", 'restart = "no" ', 'restart = "always" ',
            "processor.restart", id="an engine that comes back",
        ),
        pytest.param(
            "compose/services.toml", 'like = "processor"', 'like = "nobody"', "",
            id="like nobody",
        ),
        pytest.param(
            "compose/services.toml", 'like = "processor"', 'like = "direct-cpu"', "",
            id="like one that is like another",
        ),
        pytest.param(
            "compose/services.toml", "port = 8000", "port = 80", "processor.port", id="a low port"
        ),
    ],
)  # fmt: skip
def test_a_damaged_recipe_is_refused_with_file_and_key(
    copied: Path, file: str, old: str, new: str, key: str
) -> None:
    text = (copied / file).read_text(encoding="utf-8")
    assert old in text
    (copied / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    recipes = ShippedRecipes(copied)
    read: Callable[[str], object] = recipes.recipe
    name = "base"
    if file.startswith("compose"):
        read, name = recipes.defaults, "vllm-cpu"
    with pytest.raises(BadFileError) as caught:
        read(name)
    assert str(copied / "images/base" if "gone" in new else copied / file) in caught.value.evidence
    assert f"key {key}" in caught.value.evidence or not key


def test_a_recipe_or_a_service_that_is_not_shipped_is_refused(copied: Path) -> None:
    recipes = ShippedRecipes(copied)
    with pytest.raises(BadFileError):
        recipes.recipe("gone")
    with pytest.raises(BadFileError):
        recipes.defaults("gone")


def test_servers_on_the_processor_are_launched_alike_and_have_their_own_paths() -> None:
    engine, direct, sd = map(RECIPES.defaults, ("vllm-cpu", "direct-cpu", "sd-cpu"))
    alike = {"environment": engine.environment, "paths": (), "max_body_bytes": 0}
    assert engine == replace(direct, **alike) == replace(sd, **alike)
    names = {name for name, _ in set(engine.environment) - set(direct.environment)}
    assert names == {
        "TORCHDYNAMO_DISABLE",
        "VLLM_CACHE_ROOT",
        "VLLM_ENABLE_V1_MULTIPROCESSING",
        "VLLM_NO_USAGE_STATS",
    }
    contracts = ShippedContracts(places.shipped()).contracts()
    for ours, theirs in ((direct, contracts["direct"]), (sd, contracts["sd"])):
        assert (ours.paths, ours.max_body_bytes) == (theirs.paths, theirs.max_body_bytes)


def test_a_script_is_executable_by_its_first_bytes_since_a_wheel_keeps_no_mode(
    copied: Path,
) -> None:
    (copied / "images/base/with-site").chmod(0o644)
    (path, text, executable) = ShippedRecipes(copied).recipe("base").files[0]
    assert (path, text[:2], executable) == ("with-site", "#!", True)


def test_a_package_of_another_folder_lies_in_the_context_with_each_of_its_modules(
    copied: Path,
) -> None:
    for name in ("__init__.py", "wire.py", "notes.txt"):
        (copied / "images/other/small").mkdir(parents=True, exist_ok=True)
        (copied / "images/other/small" / name).write_text(name, encoding="utf-8")
    own = copied / "images/base/image.toml"
    text = own.read_text(encoding="utf-8")
    own.write_text(f'{text}packages = ["other/small"]\n', encoding="utf-8")
    files = ShippedRecipes(copied).recipe("base").files[1:]
    assert files == (
        ("small/__init__.py", "__init__.py", False), ("small/wire.py", "wire.py", False),
    )  # fmt: skip


def test_a_package_that_is_not_there_is_refused(copied: Path) -> None:
    own = copied / "images/base/image.toml"
    text = own.read_text(encoding="utf-8")
    own.write_text(f'{text}packages = ["other/gone"]\n', encoding="utf-8")
    with pytest.raises(BadFileError, match="gone"):
        ShippedRecipes(copied).recipe("base")


def test_a_sites_own_file_stands_in_for_a_shipped_one(copied: Path) -> None:
    own = copied / "own"
    own.write_text("text", encoding="utf-8")
    recipes = ShippedRecipes(copied, replaced={("base", "with-site"): own})
    assert recipes.recipe("base").files == (("with-site", "text", False),)
