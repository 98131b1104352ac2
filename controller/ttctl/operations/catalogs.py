# SPDX-License-Identifier: Apache-2.0
"""Search the catalog, show all of one entry, and compare two catalogs."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from ttctl.errors import NoDeviceError, NothingFitsError, SeveralDevicesError
from ttctl.model.match import Wanted
from ttctl.model.model_page import Hit, ModelPage, OtherEntry
from ttctl.model.spec import Request
from ttctl.operations.choose import choose
from ttctl.operations.listing import listed
from ttctl.rules.advised import reports
from ttctl.rules.cache_name import caches_of
from ttctl.rules.catalog_diff import compare
from ttctl.rules.find import find
from ttctl.rules.likeness import alike, names_of
from ttctl.rules.model_families import family_of
from ttctl.rules.model_filter import with_words
from ttctl.rules.set_aside import refuse_set_aside, set_aside, set_aside_text
from ttctl.rules.tasks import base_models, tasks_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ttctl.model.catalog import CatalogDiff
    from ttctl.model.model_page import Filter
    from ttctl.model.pins import Advice, Quarantined
    from ttctl.model.protocols import World
    from ttctl.model.spec import ModelSpec

NEAR = 5
"""Models that a search names where no word is found."""


def searched(world: World, words: Sequence[str], wanted: Filter) -> tuple[Hit, ...]:
    """Return the models in which all words are found; else those whose names are near.

    Of equally near ones, what answers is before the base model that it was made from.

    Near ones are compared with every name of a model by rapidfuzz, which only they load.
    """
    specs = listed(world, wanted)
    found = with_words(specs, words)
    if found:
        models = dict.fromkeys(spec.model for spec in found)
        return tuple(_hit(found, model, 100.0) for model in models)
    names = names_of(specs)
    scores: dict[str, float] = {}
    for name, score in alike(names, " ".join(words), limit=NEAR * 2):
        model = names[name].model
        scores[model] = max(score, scores.get(model, 0))
    base = base_models(specs)
    near = sorted(scores.items(), key=lambda one: (-one[1], one[0] in base))
    return tuple(_hit(specs, model, score) for model, score in near[:NEAR])


def page(
    world: World, model: str, *, device: str | None, delta: bool = False, raw: bool = False
) -> ModelPage:
    """Return all that is known of the entry that `model` means, and how it stands here.

    Raises:
        UsageError: There is no such model.
        NothingFitsError: It is not listed for `device`.
    """
    specs = world.catalog.specs()
    system = world.host.system()
    wanted = Wanted(word=model, device=device or system.device)
    aside = world.catalog.quarantined()
    refuse_set_aside(specs, aside, model)
    found = find(specs, wanted).specs
    missing = set_aside(aside, model, device or "")
    spec = _chosen(world, model, device) or _entry(
        found, model, device=device, here=system.device, aside=missing
    )
    # What a search does not need.
    from ttctl.operations.judge import fitness, shared_ground  # noqa: PLC0415

    advice = world.catalog.advice()
    return ModelPage(
        spec=spec,
        catalog=world.catalog.origin(),
        family=family_of(spec.model),
        tasks=tuple(one.task for one in tasks_of(spec, base=spec.model in base_models(specs))),
        others=tuple(_other(one) for one in specs if one.model == spec.model and one != spec),
        known_bad=reports(spec, advice),
        image_instead=_image_instead(spec, advice),
        downloaded=_is_downloaded(world, spec),
        here=fitness(world, spec, shared_ground(world)),
        ran=world.hardware.ran(spec),
        caches=caches_of(world.engine_files.caches(), spec.model) if spec.pins else (),
        delta=spec.changed if delta else (),
        raw=_raw(world, spec) if raw else "",
    )


def differences(world: World, before: str, after: str | None) -> CatalogDiff:
    """Compare two catalogs that are here; without the second, with the one in use.

    Raises:
        UsageError: One of them is not here.
        BadFileError: One of them is damaged.
    """
    old = world.catalogs.named(before)
    new = world.catalogs.named(after) if after is not None else world.catalog
    return compare(old.specs(), new.specs(), before_origin=old.origin(), after_origin=new.origin())


def _chosen(world: World, word: str, device: str | None) -> ModelSpec | None:
    """Return the entry that `plan` would take, None where it would take none."""
    try:
        return choose(world, Request(model=word, device=device)).spec
    except (NothingFitsError, NoDeviceError, SeveralDevicesError):
        return None


def _entry(
    found: Sequence[ModelSpec],
    word: str,
    *,
    device: str | None,
    here: str,
    aside: Sequence[Quarantined],
) -> ModelSpec:
    """Return the entry to show: of the named device, of this machine's, else the first one."""
    fitting = [spec for spec in found if spec.device == (device or here)]
    if not fitting and device is not None:
        raise NothingFitsError(
            f"No spec of {word!r} is validated on {device!r}.",
            why="The catalog has this model for other devices only.",
            evidence=f"Validated on: {', '.join(dict.fromkeys(one.device for one in found))}."
            + (f" {set_aside_text(aside)}" if aside else ""),
            next_step=f"ttctl models show {word}",
        )
    exact = [spec for spec in fitting or found if word.lower() in spec.model.lower()]
    among = exact or fitting or list(found)
    return next((spec for spec in among if spec.default), among[0])


def _hit(specs: Sequence[ModelSpec], model: str, score: float) -> Hit:
    return Hit(model=model, score=score, specs=tuple(one for one in specs if one.model == model))


def _other(spec: ModelSpec) -> OtherEntry:
    return OtherEntry(
        device=spec.device,
        engine=spec.engine,
        implementation=spec.implementation,
        status=spec.status,
    )


def _image_instead(spec: ModelSpec, advice: Advice) -> str:
    for one in advice.images:
        names = ((one.model, spec.model), (one.engine, spec.engine))
        if all(not pattern or fnmatchcase(name, pattern) for pattern, name in names):
            return one.image
    return ""


def _is_downloaded(world: World, spec: ModelSpec) -> bool:
    weights = spec.weights
    return weights.kind == "bundled" or any(
        one.repository == weights.repository and weights.revision in {"", one.revision}
        for one in world.weights_cache.snapshots()
    )


def _raw(world: World, spec: ModelSpec) -> str:
    return json.dumps(world.catalog.raw(spec.id), indent=2, default=str)
