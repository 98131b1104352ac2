# SPDX-License-Identifier: Apache-2.0
"""Is a program of ours built on an entry's tt-metal, launched as ours, and marked everywhere?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.unit.cards import LLAMA, PINNED, card_scene
from tests.unit.cli.test_up_consent import RESULT
from tests.unit.rules.validated import PINS

from ttctl.adapters.lock_file import lock_text
from ttctl.cli.up import up_text
from ttctl.errors import OfflineError, UsageError
from ttctl.model.container import DERIVED_LABEL
from ttctl.model.plan import How
from ttctl.operations.acceptance import check_entry
from ttctl.operations.choice import kept_spec
from ttctl.operations.desire import desire
from ttctl.operations.steps import plan_for
from ttctl.rules.compose import labels_of

if TYPE_CHECKING:
    from tests.unit.fakes import Scene

DIRECT = replace(LLAMA, engine="direct")


@pytest.fixture
def scene() -> Scene:
    return card_scene()


def test_its_image_stands_on_the_entrys_tt_metal_and_no_registry_is_asked(scene: Scene) -> None:
    found = desire(scene.world, DIRECT)
    assert [one.name for one in found.images] == [
        "base", "gateway", "tt-metal-base", "tt-metal", "direct",
    ]  # fmt: skip
    assert scene.registry.asked == []
    assert [name for name, _ in found.lock.commits] == ["tt-metal"]
    assert found.lock.commits[0][1].startswith(PINS.tt_metal)
    reason = "no image of direct is published: it is built from the pinned commits"
    assert found.images[-1].reason == reason


def test_the_lock_the_labels_and_the_readme_say_what_it_is_derived_from(scene: Scene) -> None:
    found = desire(scene.world, DIRECT)
    assert (found.lock.engine, found.lock.contract) == ("direct", "direct")
    assert found.lock.derived_from == found.stack.derived_from == PINNED.id
    assert dict(labels_of(found.stack, found.stack.engine))[DERIVED_LABEL] == PINNED.id
    assert "Nobody validated this pairing." in found.files["README.md"][0]
    assert f'derived_from = "{PINNED.id}"' in lock_text(found.lock)
    assert found.choice.match is not None
    assert any("nobody validated" in text for text in found.choice.match.warnings)


def test_what_is_locked_is_found_again_without_its_engines_name(scene: Scene) -> None:
    lock = desire(scene.world, DIRECT).lock
    again = kept_spec(scene.world, lock, LLAMA)
    assert again is not None
    assert (again.engine, again.derived_from) == ("direct", PINNED.id)
    assert kept_spec(scene.world, lock, replace(LLAMA, engine="vllm")) is None


def test_the_validated_entry_says_nothing_of_it(scene: Scene) -> None:
    found = desire(scene.world, LLAMA)
    assert found.lock.derived_from == found.stack.derived_from == ""
    assert "derived" not in found.files["README.md"][0]
    assert "derived" not in lock_text(found.lock)


@pytest.mark.parametrize("how", [How(pull="always"), How(pull="never"), How(build=True)])
def test_it_is_built_whatever_is_said_of_pulling(scene: Scene, how: How) -> None:
    found = desire(scene.world, DIRECT, how=how)
    steps = plan_for(scene.world, found, How())
    assert ("build", "direct") in [(one.verb, one.subject) for one in steps.steps]


def test_where_nobody_knows_the_commit_it_cannot_be_had(scene: Scene) -> None:
    scene.commits.answers = False
    with pytest.raises(OfflineError, match="The full commits of x are not known here"):
        desire(scene.world, DIRECT)


def test_no_result_of_a_card_is_signed_for_it(scene: Scene) -> None:
    check_entry(desire(scene.world, LLAMA))
    with pytest.raises(UsageError, match="is no validated entry") as caught:
        check_entry(desire(scene.world, DIRECT))
    assert caught.value.evidence == f"derived from {PINNED.id}: nobody validated this pairing"


def test_up_ends_with_how_it_is_talked_to() -> None:
    result = replace(RESULT, engine="direct", derived_from="id_x", key_file=Path("/keys/k"))
    said = up_text(result, program="ttctl")
    assert f"base URL   {result.url}\n" in said
    assert f"curl {result.url}/chat " in said
    assert "Mind: derived from id_x: nobody validated this pairing." in said
    assert "/v1/" not in said
    assert "ttctl chat --stack llama" in said
