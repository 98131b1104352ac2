# SPDX-License-Identifier: Apache-2.0
"""Are the weights asked for in the layout that the entry's image reads?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tests.unit.fakes import Scene
from tests.unit.rules.launching import contract_of, entries

from ttctl.adapters import places
from ttctl.adapters.contracts import ShippedContracts
from ttctl.model.spec import Request
from ttctl.operations.choice import new_choice
from ttctl.rules.derived import derived
from ttctl.rules.launch_values import reads_original

if TYPE_CHECKING:
    import pytest

    from ttctl.model.lock import LockedWeights
    from ttctl.model.site import Site
    from ttctl.model.spec import ModelSpec, Weights


def asked(spec: ModelSpec, monkeypatch: pytest.MonkeyPatch) -> Weights:
    scene = Scene()
    scene.catalog.entries = (spec,)
    seen: list[Weights] = []
    resolve = scene.weights.resolve

    def noted(weights: Weights, site: Site) -> LockedWeights:
        seen.append(weights)
        return resolve(weights, site)

    monkeypatch.setattr(scene.weights, "resolve", noted)
    new_choice(scene.world, Request(model=spec.model, device=spec.device))
    return seen[-1]


def test_nine_entries_of_old_images_read_metas_own_files(monkeypatch: pytest.MonkeyPatch) -> None:
    old = [spec for spec in entries() if reads_original(spec, contract_of(spec))]
    assert len(old) == 9
    for spec in old:
        assert asked(spec, monkeypatch) == replace(spec.weights, original=True)


def test_the_other_entries_of_the_same_owner_read_the_hubs(monkeypatch: pytest.MonkeyPatch) -> None:
    new = [
        spec
        for spec in entries()
        if spec.model.startswith("meta-llama/") and not reads_original(spec, contract_of(spec))
    ]
    for spec in new[:3]:
        assert asked(spec, monkeypatch) == spec.weights


def test_our_own_servers_read_the_hubs_files_of_every_entry_whatever_its_image_reads() -> None:
    contracts = ShippedContracts(places.shipped()).contracts()
    for engine in ("direct", "sd"):
        ours = derived(tuple(entries()), engine)
        assert ours
        assert not [one for one in ours if reads_original(one, contracts[engine])]
