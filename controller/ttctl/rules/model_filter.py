# SPDX-License-Identifier: Apache-2.0
"""Which entries are wanted, and what do several have in common? Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.rules.model_families import family_of
from ttctl.rules.tasks import base_models, is_good_for, tasks_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ttctl.model.match import Finding
    from ttctl.model.model_page import Filter
    from ttctl.model.spec import ModelSpec


def filtered(specs: Sequence[ModelSpec], wanted: Filter) -> tuple[ModelSpec, ...]:
    """Return the entries that a filter lets through, in their order."""
    base = base_models(specs) if wanted.task else frozenset()
    return tuple(
        spec
        for spec in specs
        if wanted.device in {None, spec.device}
        and wanted.engine in {None, spec.engine}
        and wanted.status in {None, spec.status}
        and wanted.type in {None, spec.type}
        and (not wanted.experimental or spec.status == "EXPERIMENTAL")
        and (not wanted.task or is_good_for(spec, wanted.task, base=spec.model in base))
        and (wanted.fits is None or wanted.fits(spec))
    )


def with_words(specs: Sequence[ModelSpec], words: Sequence[str]) -> tuple[ModelSpec, ...]:
    """Return the entries in which all words are found, in whatever is said of them.

    The engine is a word of its own: `vl` looks for models that see, not for vllm.
    """
    base = base_models(specs)
    wanted = [word for given in words for word in given.lower().split()]

    def text(spec: ModelSpec) -> str:
        tasks = (one.task for one in tasks_of(spec, base=spec.model in base))
        names = (spec.model, *spec.aliases, family_of(spec.model))
        kinds = (spec.device, spec.type, spec.status, *tasks)
        return " ".join((*names, *kinds, spec.description, spec.license)).lower()

    found = ((spec, text(spec)) for spec in specs)
    return tuple(
        spec for spec, said in found if all(word == spec.engine or word in said for word in wanted)
    )


def fits(found: Sequence[Finding], *, named: bool) -> bool:
    """Return whether nothing of what an entry needs is in its way, as a plan judges it.

    What cannot be told fits; so does a device that is not here, but only where it was `named`.
    """
    verdicts = {one.verdict for one in found}
    absent = any(one.subject == "boards" and one.verdict == "unknown" for one in found)
    return "blocked" not in verdicts and (named or not absent)


def by_family(
    specs: Iterable[ModelSpec],
) -> tuple[tuple[str, tuple[tuple[str, tuple[ModelSpec, ...]], ...]], ...]:
    """Return (family, models) by name, where a model is (name, its entries in their order)."""
    families: dict[str, dict[str, list[ModelSpec]]] = {}
    for spec in specs:
        models = families.setdefault(family_of(spec.model), {})
        models.setdefault(spec.model, []).append(spec)
    return tuple(
        (family, tuple((name, tuple(models[name])) for name in sorted(models, key=_by_last_part)))
        for family, models in sorted(families.items())
    )


def _by_last_part(model: str) -> tuple[str, str]:
    return model.rpartition("/")[2].lower(), model
