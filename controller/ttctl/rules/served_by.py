# SPDX-License-Identifier: Apache-2.0
"""Which entries are served by the engine and implementation that were asked for? Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ttctl.errors import NothingFitsError, UsageError
from ttctl.rules.find import meant_by
from ttctl.rules.typed_request import typed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ttctl.model.match import Wanted
    from ttctl.model.spec import ModelSpec, Request


def served_by(
    specs: Sequence[ModelSpec], request: Request, wanted: Wanted
) -> tuple[ModelSpec, ...]:
    """Return the entries of one engine or implementation where that was asked, else all.

    Raises:
        UsageError: No entry at all has them.
        NothingFitsError: What the word means is served by others.
    """
    if request.engine is None and request.implementation is None:
        return tuple(specs)
    found = tuple(
        one
        for one in specs
        if request.engine in {None, one.engine}
        and request.implementation in {None, one.implementation}
    )
    asked = f"{request.engine or ''} {request.implementation or ''}".strip()
    others = meant_by(specs, wanted)
    if others and not meant_by(found, wanted):
        raise _by_others(others, request, asked)
    if not found:
        raise UsageError(
            f"No entry of the catalog is served by {asked!r}.",
            why="--engine and --impl name what serves a model: an engine and upstream's impl_id.",
            evidence=f"There are: {', '.join(sorted(set(map(_pair, specs))))}.",
            next_step="ttctl models ls",
        )
    return found


def _by_others(others: Sequence[ModelSpec], request: Request, asked: str) -> NothingFitsError:
    here = [one for one in others if one.device == request.device] or others
    serving = _most_first(
        one.engine if request.implementation is None else _pair(one) for one in here
    )
    first = next(one for one in here if serving[0] in {one.engine, _pair(one)})
    asked_impl = request.implementation is not None
    known = replace(
        request,
        engine=first.engine,
        implementation=(first.implementation or None) if asked_impl else None,
    )
    return NothingFitsError(
        f"{request.model!r} is served by {' and '.join(serving)}, not by {asked}.",
        why="Upstream validated a model with the engines that its entries name, and no other.",
        evidence="\n".join(sorted({f"{one.model} on {one.device}: {_pair(one)}" for one in here})),
        next_step=typed("plan", known),
    )


def _most_first(names: Iterable[str]) -> list[str]:
    each = list(names)
    return sorted(set(each), key=lambda one: (-each.count(one), one))


def _pair(spec: ModelSpec) -> str:
    return f"{spec.engine} {spec.implementation}".strip()
