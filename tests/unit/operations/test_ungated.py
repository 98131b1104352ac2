# SPDX-License-Identifier: Apache-2.0
"""Is a refusal of the hub said before anything is built, with what needs no token?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.unit.fakes import Scene

from ttctl.errors import OfflineError, PrivilegeError
from ttctl.model.site import Sourced
from ttctl.model.spec import Request
from ttctl.operations.stacks import down
from ttctl.operations.up import up

if TYPE_CHECKING:
    from ttctl.model.lock import LockedWeights
    from ttctl.model.site import Site
    from ttctl.model.spec import Weights


def refuse(scene: Scene, monkeypatch: pytest.MonkeyPatch, repository: str) -> None:
    plain = scene.weights.resolve

    def resolve(weights: Weights, site: Site) -> LockedWeights:
        if weights.repository == repository:
            raise PrivilegeError(
                f"The hub does not let this user read {repository!r}.",
                why=f"terms: https://hub.example.org/{repository}",
                evidence="It answered 403; the token in HF_TOKEN was sent.",
                next_step="hf auth whoami",
            )
        return plain(weights, site)

    monkeypatch.setattr(scene.weights, "resolve", resolve)


def test_a_gated_model_is_refused_before_a_build_and_another_is_offered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scene = Scene()
    refuse(scene, monkeypatch, "acme/Small-1B")
    with pytest.raises(PrivilegeError) as caught:
        up(scene.world, Request(model="llama"))
    assert "It answered 403; the token in HF_TOKEN was sent." in caught.value.evidence
    assert "Without a token: demo" in caught.value.evidence
    assert "ttctl plan demo-llama --device cpu" in caught.value.evidence
    assert "https://hub.example.org/acme/Small-1B" in caught.value.why
    assert not [one for one in scene.taken() if one.startswith(("build", "pull", "fetch"))]


def test_locked_weights_that_are_gone_are_asked_for_before_a_build(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scene = Scene()
    up(scene.world, Request(model="llama"))
    scene.taken()
    scene.weights.here.clear()
    refuse(scene, monkeypatch, "acme/Small-1B")
    with pytest.raises(PrivilegeError):
        up(scene.world, Request(model="llama"))
    assert not [one for one in scene.taken() if one.startswith(("build", "pull", "fetch"))]


def test_an_offline_place_starts_with_weights_that_another_tool_has() -> None:
    scene = Scene()
    up(scene.world, Request(model="llama"))
    down(scene.world, "llama", volumes=False, dry_run=False)
    scene.weights.here.clear()
    scene.site = replace(scene.site, offline=Sourced(value="1", source="TTCTL_OFFLINE"))
    with pytest.raises(OfflineError):
        up(scene.world, Request(model="llama"))
    scene.weights.elsewhere = "~/.cache/huggingface/hub"
    scene.taken()
    up(scene.world, Request(model="llama"))
    assert "fetch acme/Small-1B" in scene.taken()
