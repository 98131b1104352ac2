# SPDX-License-Identifier: Apache-2.0
"""What moved from one catalog to another? Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.model.catalog import CatalogDiff, EntryMoved, FieldMoved
from ttctl.rules.concurrency import requests_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ttctl.model.catalog import Moved
    from ttctl.model.pins import Origin
    from ttctl.model.spec import ModelSpec

Key = tuple[str, str, str, str]


def compare(
    before: Iterable[ModelSpec],
    after: Iterable[ModelSpec],
    *,
    before_origin: Origin,
    after_origin: Origin,
) -> CatalogDiff:
    """Return the entries that came, went and changed, sorted by model and device.

    Entries are the same where model, device, engine and implementation are. An entry that a
    catalog has twice is compared in the order in which it stands there.
    """
    old, new = _keyed(before), _keyed(after)
    moved: list[EntryMoved] = []
    same = 0
    for key in sorted({*old, *new}):
        if key not in old or key not in new:
            move: Moved = "added" if key in new else "removed"
            moved.append(_moved(move, key))
        elif fields := tuple(_fields(old[key], new[key])):
            moved.append(_moved("changed", key, fields))
        else:
            same += 1
    return CatalogDiff(before=before_origin, after=after_origin, moved=tuple(moved), same=same)


def _keyed(specs: Iterable[ModelSpec]) -> dict[tuple[Key, int], ModelSpec]:
    found: dict[tuple[Key, int], ModelSpec] = {}
    for spec in specs:
        key = (spec.model, spec.device, spec.engine, spec.implementation)
        count = 0
        while (key, count) in found:
            count += 1
        found[key, count] = spec
    return found


def _moved(move: Moved, key: tuple[Key, int], fields: tuple[FieldMoved, ...] = ()) -> EntryMoved:
    model, device, engine, implementation = key[0]
    return EntryMoved(
        move=move,
        model=model,
        device=device,
        engine=engine,
        implementation=implementation,
        fields=fields,
    )


def _fields(old: ModelSpec, new: ModelSpec) -> Iterator[FieldMoved]:
    before, after = dict(_facts(old)), dict(_facts(new))
    for name in dict.fromkeys((*before, *after)):
        one, other = before.get(name, ""), after.get(name, "")
        if one != other:
            yield FieldMoved(name=name, before=one, after=other)


def _facts(spec: ModelSpec) -> Iterator[tuple[str, str]]:
    """Yield what two catalogs are compared by: what is run, and how well it is known to."""
    pins = spec.pins
    if pins is not None:
        yield "tt-metal", pins.tt_metal
        yield "vllm", pins.vllm
        yield "image", pins.image
        yield "version", pins.version
        yield "contract", pins.contract
        yield "recipe", pins.recipe
    yield "status", spec.status
    yield "max-model-len", str(spec.limits.max_model_len)
    yield "max-num-seqs", requests_text(spec)
    yield "block-size", str(spec.limits.block_size)
    yield "memory-mib", str(spec.memory_mib)
    yield "disk-mib", str(spec.disk_mib)
    yield "default", str(spec.default).lower()
    for one in spec.requirements:
        yield one.what, f"{one.specifier} {'STRICT' if one.strict else 'SUGGESTED'}"
