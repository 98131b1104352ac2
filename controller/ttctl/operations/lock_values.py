# SPDX-License-Identifier: Apache-2.0
"""What is written down of a resolved request, so that the next command asks nobody?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ttctl.model.lock import Lock, LockedEngine, LockedImage
from ttctl.rules.recipe import DEFAULT_UID
from ttctl.rules.stack import BIND

if TYPE_CHECKING:
    from ttctl.model.image import ImageSpec
    from ttctl.model.protocols import World
    from ttctl.model.service import Stack
    from ttctl.model.spec import ModelSpec, Request
    from ttctl.model.tls import Tls
    from ttctl.operations.choice import Beside, Choice
    from ttctl.operations.serving import Serving


def lock_of(
    world: World,
    request: Request,
    choice: Choice,
    *,
    spec: ModelSpec,
    stack: Stack,
    serving: Serving,
    tls: Tls,
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
        derived_from=spec.derived_from,
        bind="" if stack.bind == BIND else stack.bind,
        tls=tls,
        image_uid=_image_uid(request, spec),
        services=choice.services,
        beside=tuple(_locked_engine(one, dict(serving.beside)) for one in choice.beside),
        values="latest" if request.values == "latest" and choice.spec.changed else "",
    )


def _locked_engine(one: Beside, beside: dict[str, Serving]) -> LockedEngine:
    choice, serving = one.choice, beside.get(one.service)
    engine = LockedEngine(
        service=one.service,
        requested=one.requested,
        model=choice.spec.model,
        device=choice.spec.device,
        engine=choice.spec.engine,
        reason=choice.reason,
        weights=choice.weights,
    )
    if serving is None:
        return engine
    return replace(
        engine,
        image=serving.stack.engine.image,
        commits=serving.commits,
        implementation=choice.spec.implementation,
        contract=serving.stack.contract,
        experimental=choice.spec.experimental,
        derived_from=choice.spec.derived_from,
    )


def _image_uid(request: Request, spec: ModelSpec) -> int:
    """Return what was asked for, though the image may be pulled: the next one may be built."""
    asked = request.image_uid or DEFAULT_UID
    return 0 if asked == DEFAULT_UID or spec.pins is None else asked


def _locked_image(image: ImageSpec) -> LockedImage:
    return LockedImage(
        name=image.name,
        reference=image.reference,
        fingerprint=image.fingerprint,
        user=image.user,
        yours=image.yours,
        unvalidated=f"{image.source.component}={image.source.path}" if image.source else "",
    )
