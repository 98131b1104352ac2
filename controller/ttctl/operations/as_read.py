# SPDX-License-Identifier: Apache-2.0
"""Which of a model's files do the images of a stack read?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ttctl.model.pins import OWN

if TYPE_CHECKING:
    from ttctl.model.protocols import World
    from ttctl.operations.choice import Choice
    from ttctl.operations.serving import Serving


def as_read(world: World, choice: Choice, serving: Serving) -> Choice:
    """Return a choice with the files that its images read; itself where it has them.

    Images that we build read the hub's files, whatever the prebuilt one of the entry reads.
    """
    own, beside = _hubs(world, choice, serving), dict(serving.beside)
    others = tuple(
        replace(one, choice=_hubs(world, one.choice, beside.get(one.service)))
        for one in choice.beside
    )
    return choice if (own, others) == (choice, choice.beside) else replace(own, beside=others)


def _hubs(world: World, choice: Choice, serving: Serving | None) -> Choice:
    if serving is None or serving.stack.contract != OWN or not choice.weights.original:
        return choice
    weights = replace(choice.spec.weights, revision=choice.weights.revision)
    return replace(choice, weights=world.weights.resolve(weights, world.site))
