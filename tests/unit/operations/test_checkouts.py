# SPDX-License-Identifier: Apache-2.0
"""Is a checkout either built and marked as unvalidated wherever it shows, or refused?"""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING

import pytest
from tests.unit.cards import LLAMA, PINNED, SERVER, card_scene
from tests.unit.rules.validated import PINS

from ttctl.cli.up import up_text
from ttctl.errors import OfflineError, UsageError
from ttctl.model.container import UNVALIDATED_LABEL
from ttctl.model.plan import How
from ttctl.model.spec import Request
from ttctl.operations.desire import desire
from ttctl.operations.steps import plan_for
from ttctl.operations.up import up
from ttctl.rules.images import build_command
from ttctl.rules.source_tree import tree_command

if TYPE_CHECKING:
    from tests.unit.fakes import Scene

    from ttctl.model.spec import ModelSpec
    from ttctl.operations.desire import Desired

METAL = "tt-metal=/src/tt-metal"
MINE = replace(LLAMA, sources=(METAL,))
FORGE = replace(
    SERVER,
    engine="forge",
    pins=replace(PINS, image="registry.example.org/x-forge:1", contract="forge", recipe="forge"),
)
SEVERAL_HOSTS = replace(
    PINNED, pins=replace(PINS, contract="multihost", recipe="multihost"), device="dual_galaxy"
)
UNBUILT = [
    pytest.param(SERVER, id="media"),
    pytest.param(FORGE, id="forge"),
    pytest.param(SEVERAL_HOSTS, id="several hosts"),
]


@pytest.fixture
def scene() -> Scene:
    return card_scene()


@pytest.mark.parametrize("rendering", [True, False], ids=["render", "up"])
@pytest.mark.parametrize("spec", UNBUILT)
def test_a_checkout_is_refused_where_nothing_is_built_from_source(
    spec: ModelSpec,
    rendering: bool,  # noqa: FBT001
) -> None:
    scene = card_scene(spec)
    request = Request(model=spec.model, device=spec.device, sources=(METAL,))
    with pytest.raises(UsageError) as caught:
        desire(scene.world, request, rendering=rendering)
    assert "cannot be built from source, because" in caught.value.why
    assert caught.value.message.startswith("--source tt-metal=")


def test_a_checkout_is_refused_though_the_validated_image_is_locked_and_here() -> None:
    scene = card_scene(SERVER)
    request = Request(model=SERVER.model, device=SERVER.device)
    up(scene.world, request)
    with pytest.raises(UsageError, match="has nothing to build"):
        desire(scene.world, replace(request, sources=(METAL,)))


def test_a_checkout_is_looked_at_before_anything_is_built(scene: Scene) -> None:
    desire(scene.world, replace(LLAMA, sources=(METAL, "vllm=/src/vllm")))
    assert scene.commits.checked == [
        ("tt-metal", "tt-metal-base"), ("tt-metal", "tt-metal"), ("vllm", "vllm-fork"),
    ]  # fmt: skip
    scene.commits.checked.clear()
    desire(scene.world, replace(MINE, engine="direct"))
    assert scene.commits.checked[-1] == ("tt-metal", "direct")
    scene.commits.checked.clear()
    desire(scene.world, LLAMA)
    assert scene.commits.checked == []


def test_a_checkout_is_built_though_the_validated_image_is_there_and_locked(scene: Scene) -> None:
    up(scene.world, LLAMA)
    desired = desire(scene.world, MINE)
    assert desired.stack.contract == "own"
    assert desired.serving.found is not None
    assert desired.serving.found.obtain.way == "build"


def test_a_checkout_is_not_passed_over_where_the_other_commit_cannot_be_asked_for(
    scene: Scene,
) -> None:
    up(scene.world, LLAMA)
    scene.commits.answers = False
    with pytest.raises(OfflineError, match="The full commits"):
        desire(scene.world, MINE)


def test_a_checkout_is_unvalidated_in_plan_lock_labels_readme_and_in_what_up_says(
    scene: Scene,
) -> None:
    desired = desire(scene.world, MINE)
    steps = {one.subject: one.reason for one in plan_for(scene.world, desired).steps}
    assert steps["tt-metal"].endswith("; unvalidated: from /src/tt-metal")
    assert steps["vllm-fork"].endswith("; unvalidated: on a checkout of tt-metal")
    assert {one.unvalidated for one in desired.lock.images} == {"", METAL}
    assert "**Unvalidated**: tt-metal is built from a checkout" in desired.files["README.md"][0]
    label = f"{UNVALIDATED_LABEL}=tt-metal"
    image = desired.images[-1]
    assert f"--label={label}" in build_command(image, context="x", secrets="y")
    for bake in (True, False):
        words = tree_command(image, tree="x", bake=bake)
        assert [one for one in words if one.endswith(label)]
    result = up(scene.world, MINE)
    assert result.unvalidated == ("tt-metal",)
    assert "Unvalidated: tt-metal is of a checkout" in up_text(result, program="ttctl")


def test_a_checkout_that_was_built_before_says_so_in_the_plan(scene: Scene) -> None:
    scene.engine.images |= {one.reference for one in desire(scene.world, MINE).images}
    steps = {
        one.subject: one.reason for one in plan_for(scene.world, desire(scene.world, MINE)).steps
    }
    assert steps["image tt-metal"].endswith("; unvalidated: from /src/tt-metal")


def kernels(desired: Desired) -> tuple[str, str]:
    environment = dict(desired.stack.engine.environment)
    return desired.serving.place["TTCTL_CACHE"], environment["TT_METAL_CACHE"]


def test_neither_a_validated_start_nor_a_checkout_reads_what_the_other_has_compiled(
    scene: Scene,
) -> None:
    pinned = desire(scene.world, LLAMA, how=How(build=True))
    mine = desire(scene.world, MINE)
    same = desire(scene.world, MINE)
    scene.commits.tree = "b" * 64
    edited = desire(scene.world, MINE)
    after = desire(scene.world, LLAMA, how=How(build=True))
    assert kernels(pinned) == kernels(after)
    assert kernels(mine) == kernels(same)
    for one, other in combinations((pinned, mine, edited), 2):
        assert all(a != b for a, b in zip(kernels(one), kernels(other), strict=True))


def test_pinned_commits_are_marked_nowhere(scene: Scene) -> None:
    desired = desire(scene.world, LLAMA, how=How(build=True))
    words = build_command(desired.images[-1], context="x", secrets="y")
    assert not [one for one in words if UNVALIDATED_LABEL in one]
    assert "nvalidated" not in desired.files["README.md"][0]
    plan = plan_for(scene.world, desired, How(build=True))
    assert not [one for one in plan.steps if "unvalidated" in one.reason]
    result = up(scene.world, LLAMA, how=How(build=True))
    assert "nvalidated" not in up_text(result, program="ttctl")
