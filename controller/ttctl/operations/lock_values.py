# SPDX-License-Identifier: Apache-2.0
"""What is written down of a resolved request, so that the next command asks nobody?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.model.lock import Lock, LockedImage

if TYPE_CHECKING:
    from ttctl.model.image import ImageSpec
    from ttctl.model.protocols import World
    from ttctl.model.service import Stack
    from ttctl.model.spec import ModelSpec, Request
    from ttctl.operations.choice import Choice
    from ttctl.operations.serving import Serving


def lock_of(
    world: World,
    request: Request,
    choice: Choice,
    *,
    spec: ModelSpec,
    stack: Stack,
    serving: Serving,
) -> Lock:
    """Return the lock of what serves a request; the hash of its files comes with them."""
    return Lock(
        stack=stack.name,
        requested=request.model,
        model=spec.model,
        device=spec.device,
        engine=spec.engine,
        reason=choice.reason,
        max_model_len=spec.limits.max_model_len,
        max_num_seqs=spec.limits.max_num_seqs,
        block_size=spec.limits.block_size,
        port=stack.port,
        base=choice.base,
        images=tuple(_locked_image(one) for one in serving.images),
        weights=choice.weights,
        catalog_sha256=world.catalog.sha256(),
        engine_args=request.engine_args or (),
        commits=serving.commits,
        implementation=spec.implementation,
        contract=stack.contract,
        experimental=spec.experimental,
        values="latest" if request.values == "latest" and choice.spec.changed else "",
    )


def _locked_image(image: ImageSpec) -> LockedImage:
    return LockedImage(
        name=image.name,
        reference=image.reference,
        fingerprint=image.fingerprint,
        unvalidated=f"{image.source.component}={image.source.path}" if image.source else "",
    )
