# SPDX-License-Identifier: Apache-2.0
"""Does an image that we build get the files that it reads, whatever the prebuilt one reads?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tests.unit.fakes import Scene
from tests.unit.rules.launching import contract_of, entries

from ttctl.model.lock import LockedFile, LockedWeights
from ttctl.model.plan import How
from ttctl.model.spec import Request
from ttctl.operations.desire import desire
from ttctl.rules.launch_values import reads_original

if TYPE_CHECKING:
    from ttctl.model.site import Site
    from ttctl.model.spec import Weights


def test_an_image_of_ours_gets_the_hubs_files() -> None:
    spec = next(one for one in entries() if reads_original(one, contract_of(one)))
    scene = Scene()
    scene.catalog.entries = (spec,)

    def resolve(weights: Weights, site: Site) -> LockedWeights:  # noqa: ARG001
        path = "original/consolidated.00.pth" if weights.original else "model.safetensors"
        return LockedWeights(
            kind="hub",
            repository=weights.repository,
            revision="1" * 40,
            files=(LockedFile(path=path, size_bytes=1, sha256="0" * 64),),
        )

    scene.weights.resolve = resolve  # type: ignore[method-assign]
    assert spec.pins is not None
    scene.registry.digests[spec.pins.image] = f"sha256:{'a' * 64}"
    request = Request(model=spec.model, device=spec.device)
    pulled = desire(scene.world, request)
    assert pulled.weights.original
    assert pulled.lock.contract == "vllm-legacy"
    built = desire(scene.world, replace(request, name="built"), how=How(build=True))
    assert built.lock.contract == "own"
    assert not built.weights.original
