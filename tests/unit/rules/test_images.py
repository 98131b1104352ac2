# SPDX-License-Identifier: Apache-2.0
"""Are images ordered parents first, and named by exactly what they are made of?"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.fakes import at

from ttctl.errors import BadFileError
from ttctl.model.image import BaseImage, ImageRecipe, ImageSpec
from ttctl.rules.images import (
    SITE_SECRETS,
    build_command,
    chain,
    check_reference,
    git_mount,
    prebuilt,
    pull_reference,
    site_mounts,
    specs_for,
)

BASE = BaseImage(origin="bootstrapped", reference="ttctl/rootfs:bookworm", source="debian bookworm")
DIGEST = f"sha256:{'a' * 64}"


def recipe(name: str, parent: str = "", **changes: Any) -> ImageRecipe:  # noqa: ANN401
    plain = ImageRecipe(
        name=name, description="", parent=parent, template="FROM {{ parent }}\n", files=()
    )
    return replace(plain, **changes)


def render(one: ImageRecipe, values: dict[str, str]) -> str:
    return one.template.replace("{{ parent }}", values["parent"])


RECIPES = {
    "base": recipe("base"),
    "torch": recipe("torch", "base", files=(("pins", "torch==2\n", False),)),
    "engine": recipe("engine", "torch"),
    "gateway": recipe("gateway", "base"),
}


def specs(recipes: dict[str, ImageRecipe], base: BaseImage = BASE) -> dict[str, ImageSpec]:
    found = specs_for(recipes, ("engine", "gateway"), base=base, render=render)
    return {one.name: one for one in found}


def test_parents_come_first_and_each_image_once() -> None:
    assert list(specs(RECIPES)) == ["base", "torch", "engine", "gateway"]


def test_a_chain_goes_from_the_base_up() -> None:
    assert chain(RECIPES, "engine") == ("base", "torch", "engine")


@pytest.mark.parametrize(
    ("recipes", "evidence"),
    [
        pytest.param({"a": recipe("a", "b"), "b": recipe("b", "a")}, "a <- b <- a", id="circle"),
        pytest.param({"a": recipe("a", "a")}, "a <- a", id="own parent"),
        pytest.param({"a": recipe("a", "gone")}, "a <- gone", id="no such parent"),
        pytest.param({}, "a", id="no such image"),
    ],
)
def test_parents_that_lead_nowhere_are_refused_with_the_way(
    recipes: dict[str, ImageRecipe], evidence: str
) -> None:
    with pytest.raises(BadFileError, match="'a' cannot be ordered") as caught:
        chain(recipes, "a")
    assert caught.value.evidence == evidence


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        pytest.param(
            {"torch": replace(RECIPES["torch"], template="FROM {{ parent }}\nUSER 1\n")},
            {"torch", "engine"},
            id="text: it and what stands on it",
        ),
        pytest.param(
            {"torch": replace(RECIPES["torch"], files=(("pins", "torch==3\n", False),))},
            {"torch", "engine"},
            id="a file's text",
        ),
        pytest.param(
            {"torch": replace(RECIPES["torch"], files=(("pins", "torch==2\n", True),))},
            {"torch", "engine"},
            id="a file's mode",
        ),
        pytest.param(
            {"engine": replace(RECIPES["engine"], template="FROM {{ parent }}\nUSER 1\n")},
            {"engine"},
            id="a leaf: only it",
        ),
        pytest.param({"engine": recipe("engine", "base")}, {"engine"}, id="another parent"),
        pytest.param(
            {"torch": replace(RECIPES["torch"], description="other words")}, set(), id="words"
        ),
        pytest.param({}, set(), id="nothing"),
    ],
)
def test_a_name_changes_exactly_with_what_the_image_is_made_of(
    changed: dict[str, ImageRecipe], expected: set[str]
) -> None:
    before, after = specs(RECIPES), specs(RECIPES | changed)
    assert {name for name in after if after[name].fingerprint != before[name].fingerprint} == (
        expected
    )
    assert {name for name in after if after[name].reference != before[name].reference} == expected


def test_another_base_image_renames_everything() -> None:
    other = specs(RECIPES, replace(BASE, reference="ttctl/rootfs:bookworm-1"))
    assert all(other[name].reference != one.reference for name, one in specs(RECIPES).items())


def test_why_a_base_image_was_chosen_renames_nothing() -> None:
    assert specs(RECIPES, replace(BASE, reason="other")) == specs(RECIPES)


def test_each_image_says_its_parents_name() -> None:
    found = specs(RECIPES)
    assert found["engine"].dockerfile == f"FROM {found['torch'].reference}\n"
    assert found["base"].dockerfile == "FROM ttctl/rootfs:bookworm\n"


def test_the_build_names_the_engines_builder_the_secrets_and_the_tag() -> None:
    image = specs(RECIPES)["base"]
    command = build_command(image, context="a context", secrets="/s")
    assert command[:4] == ("docker", "buildx", "build", "--builder=default")
    assert command[-1] == "a context"
    for secret in SITE_SECRETS:
        assert f"--secret=id={secret},src=/s/{secret}" in command
    assert f"--tag={image.reference}" in command
    assert f"--label=dev.ttctl.fingerprint={image.fingerprint}" in command


def test_only_a_step_that_clones_sees_the_git_mirrors_where_git_looks_for_them() -> None:
    assert "gitconfig" not in site_mounts()
    others = set(SITE_SECRETS) - {"gitconfig"}
    assert all(f"id={other}," in site_mounts() for other in others)
    assert git_mount() == "--mount=type=secret,id=gitconfig,target=/etc/gitconfig,mode=0444"
    given: list[set[str]] = []

    def note(one: ImageRecipe, values: dict[str, str]) -> str:
        given.append(set(values))
        return render(one, values)

    specs_for(RECIPES, ("engine",), base=BASE, render=note)
    assert given[0] == {"parent", "site_mounts", "git_mount"}


def test_an_image_of_the_site_is_never_built() -> None:
    image = prebuilt("vllm-cpu", "registry.example.org/vllm:1")
    assert (image.prebuilt, image.dockerfile) == (True, "")


@pytest.mark.parametrize(
    ("base", "expected"),
    [
        pytest.param(
            BaseImage(
                origin="registry",
                reference="ttctl/rootfs:x",
                source="h.example.org:5000/library/debian:bookworm-slim",
                digest=DIGEST,
            ),
            f"h.example.org:5000/library/debian@{DIGEST}",
            id="a tag whose digest the registry gave",
        ),
        pytest.param(
            BaseImage(
                origin="site",
                reference=f"h.example.org:5000/debian@{DIGEST}",
                source=f"h.example.org:5000/debian@{DIGEST}",
                digest=DIGEST,
            ),
            f"h.example.org:5000/debian@{DIGEST}",
            id="named by its digest",
        ),
        pytest.param(
            BaseImage(
                origin="site",
                reference="h.example.org:5000/debian",
                source="h.example.org:5000/debian",
            ),
            "h.example.org:5000/debian",
            id="without a tag",
        ),
        pytest.param(
            BaseImage(
                origin="registry",
                reference="x",
                source="h.example.org:5000/debian",
                digest=DIGEST,
            ),
            f"h.example.org:5000/debian@{DIGEST}",
            id="a port is no tag",
        ),
    ],
)
def test_a_base_image_is_pulled_by_its_digest_where_it_has_one(
    base: BaseImage, expected: str
) -> None:
    assert pull_reference(base) == expected


@pytest.mark.parametrize(
    "good",
    ["debian", "debian:12", "h.example.org:5000/a/b:1.2-x_y", f"a/b:1@{DIGEST}"],
)
def test_an_image_reference_is_taken(good: str) -> None:
    check_reference(at(good))


@pytest.mark.parametrize("bad", ["", " ", "a b", "a\n", "-v", "$x", "a;b", "\u00e9", "a" * 600])
def test_what_is_no_image_reference_is_refused_with_its_source(bad: str) -> None:
    with pytest.raises(BadFileError, match="is no image reference") as caught:
        check_reference(at(bad, "TTCTL_BASE_IMAGE"))
    assert caught.value.why.startswith("TTCTL_BASE_IMAGE")
