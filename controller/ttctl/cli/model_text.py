# SPDX-License-Identifier: Apache-2.0
"""Lay out one entry, for people. 80 columns are enough."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ttctl.rules.catalog_names import age_text
from ttctl.rules.concurrency import requests_text
from ttctl.rules.start_phase import size_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ttctl.model.acceptance import RanOn
    from ttctl.model.catalog import Refreshed
    from ttctl.model.engine_files import EngineCache
    from ttctl.model.model_page import ModelPage
    from ttctl.model.pins import Changed, Origin, Target
    from ttctl.model.spec import ModelSpec

SAID = {
    "fetched": "fetched",
    "unchanged": "has not changed",
    "young": "was asked less than an hour ago; --refresh asks again",
    "kept": "could not be fetched; the last good copy is used",
    "built-in": "the built-in catalog is used",
    "would-ask": "would be asked",
    "would-use": "would be read",
}
"""What a refresh did, in words."""

Rows = Iterator[tuple[str, str]]


def origin_text(origin: Origin) -> str:
    """Say which catalog this is."""
    age = "" if origin.age_s is None else f", as of {age_text(origin.age_s)} ago"
    return f"catalog: release {origin.release or 'unknown'}, {origin.source}, {origin.date}{age}"


def page_rows(page: ModelPage) -> Rows:
    """Yield what is known of an entry, as (key, value)."""
    spec = page.spec
    yield "model", spec.model
    yield "id", spec.id
    yield "description", spec.description
    yield "family", page.family
    yield "tasks", ", ".join(page.tasks)
    yield "aliases", ", ".join(spec.aliases)
    yield "device", spec.device
    yield "engine", " ".join(filter(None, (spec.engine, spec.image and f"image {spec.image}")))
    yield "implementation", spec.implementation
    yield "status", spec.status
    yield from _ran_rows(page)
    yield from _pin_rows(page)
    yield "weights", f"{spec.weights.kind} {spec.weights.repository}"
    yield "revision", spec.weights.revision or "unresolved until locked"
    yield "downloaded", "yes" if page.downloaded else "no"
    for cache in page.caches:
        yield "cache", cache_text(cache)
    yield from _need_rows(spec)
    yield from _judgement_rows(page)
    yield "license", spec.license
    yield "stand-in", spec.offline_model
    yield "source", spec.source
    yield "catalog", origin_text(page.catalog).removeprefix("catalog: ")


def delta_rows(changed: Sequence[Changed]) -> list[tuple[str, str, str, str]]:
    """Return what later releases changed for the same image."""
    return [(one.kind, one.name, one.first or "-", one.latest or "-") for one in changed]


def refreshed_text(told: Refreshed) -> str:
    """Say what a refresh did, and what is used now."""
    said = SAID[told.outcome]
    bad = f", {told.quarantined} not used" if told.quarantined else ""
    return "\n".join(
        (
            f"{told.address}: {said}" if told.address else said,
            f"in use   {origin_text(told.catalog).removeprefix('catalog: ')}",
            f"entries  {told.entries}{bad}",
            f"sha256   {told.sha256}",
        )
    )


def cache_text(cache: EngineCache) -> str:
    """Say how large a cache is, and of what."""
    parts = ", ".join(f"{name} {size_text(size)}" for name, size in cache.parts if name != ".")
    return f"{cache.name} {size_text(cache.size_bytes)}{f' ({parts})' if parts else ''}"


def _ran_rows(page: ModelPage) -> Rows:
    for one in page.ran:
        yield "ran on", ran_text(one)
    if not page.ran and page.spec.pins is not None:
        yield "ran on", "not yet run on a card"


def ran_text(ran: RanOn) -> str:
    """Say that an entry ran on cards: where, when, how, and by whose word."""
    # What an entry that ran nowhere does not need.
    from ttctl.rules.acceptance import marked  # noqa: PLC0415

    reached = f", tier {ran.reached} reached" if ran.reached else ""
    other = "" if ran.same_pins else ", with other pins than these"
    result = f"{marked(ran.verdict, modified=ran.modified, ahead=ran.ahead)}{reached}{other}"
    if ran.signature != "good":
        result = f"signature not checked (ssh-keygen is not installed); it says: {result}"
    return f"{ran.device}, {ran.date}, {ran.file}: {result}; signed by {ran.signer}"


def _pin_rows(page: ModelPage) -> Rows:
    pins = page.spec.pins
    if pins is None:
        return
    yield "tt-metal", pins.tt_metal
    yield "vllm", pins.vllm
    yield "prebuilt image", pins.image
    yield "image instead", page.image_instead
    yield "version", pins.version
    for name in ("contract", "recipe", "flag"):
        inferred = " (inferred)" if name in pins.inferred else ""
        yield name, f"{getattr(pins, name)}{inferred}" if getattr(pins, name) else ""
    yield "why", pins.reason
    yield "first validated", _first_text(page)


def _first_text(page: ModelPage) -> str:
    pins = page.spec.pins
    if pins is None or not pins.flag:
        return ""
    if pins.first_release:
        return f"release {pins.first_release}"
    return f"not known; the arguments are those of release {page.catalog.release or 'unknown'}"


def _need_rows(spec: ModelSpec) -> Rows:
    yield "max-model-len", str(spec.limits.max_model_len)
    yield "max-num-seqs", requests_text(spec)
    yield "block-size", str(spec.limits.block_size)
    yield "arguments", " ".join(f"--{name} {value}".rstrip() for name, value in spec.engine_args)
    yield "environment", " ".join(f"{name}={value}" for name, value in spec.environment)
    yield "tool parser", spec.tool_parser
    yield "reasoning parser", spec.reasoning_parser
    yield "parameters", f"{spec.parameters:g} billion" if spec.parameters else ""
    yield "memory", f"{spec.memory_mib} MiB" if spec.memory_mib else ""
    yield "disk", f"{spec.disk_mib} MiB" if spec.disk_mib else ""
    for one in spec.requirements:
        yield one.what, f"{one.specifier} ({'required' if one.strict else 'suggested'})"
    yield "first start", f"up to {spec.start_s} s" if spec.start_s else ""


def _judgement_rows(page: ModelPage) -> Rows:
    spec = page.spec
    for target in spec.targets:
        yield "target", _target_text(target)
    if spec.targets:
        yield "targets from", spec.source
    for issue in spec.issues:
        yield "known issue", f"{issue.workflow} {issue.task}: {issue.reason}"
    for bad in page.known_bad:
        only = f" with firmware {bad.firmware}" if bad.firmware else ""
        yield "known bad", f"{bad.reason}{only} ({bad.source}, {bad.date})"
    for one in spec.suspect:
        yield "suspect", one
    if spec.changed:
        yield "changed since", f"{len(spec.changed)} values; models show --delta lists them"
    for finding in page.here:
        step = f" -> {finding.next_step}" if finding.next_step else ""
        yield "here", f"{finding.verdict}: {finding.summary}{step}"
    others = (f"{one.device} {one.engine} {one.status}" for one in page.others)
    yield "other entries", ", ".join(others)


def _target_text(target: Target) -> str:
    figures = (
        (target.ttft_ms, "ms to the first token"),
        (target.tput_user, "a second for each user"),
        (target.tput, "a second in all"),
    )
    said = ", ".join(f"{value:g} {unit}" for value, unit in figures if value is not None)
    shape = f" {target.shape}" if target.shape else ""
    return f"{target.task}{shape} x {target.concurrency}, {target.tier}: {said or 'no figure'}"
