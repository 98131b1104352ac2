# SPDX-License-Identifier: Apache-2.0
"""What does one entry of an upstream export say? Lenient in shape, strict in what could do harm."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from pydantic import ValidationError

from ttctl.adapters.strict_json import keys_twice, numbers_that_are_none
from ttctl.adapters.upstream_arguments import arguments_of, environment_of, spelled_twice
from ttctl.adapters.upstream_requirements import requirements_of
from ttctl.adapters.upstream_shape import DeviceEntry, Entry, same_keys
from ttctl.adapters.upstream_speed import issues_of, targets_of
from ttctl.adapters.upstream_values import (
    CONTROL,
    ID,
    IMAGE,
    PIN,
    REPOSITORY,
    WORD,
    HarmError,
    checked,
    is_odd_map,
    is_odd_number,
    shown,
    text_of,
)
from ttctl.model.export import Listed
from ttctl.model.spec import MODEL_TYPES, ODD_STATUS, STATUSES, Limits, ModelSpec, Weights
from ttctl.rules.contract import repository

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ttctl.model.spec import CatalogEngine, ModelType

MIB = 1 << 20
BYTES_PER_PARAMETER = 2
"""Weights are mostly 16 bits wide; upstream computes `min_disk_gb` with the same factor."""
ENGINES = ("vllm", "media", "forge")
OWN_DEVICE = "cpu"


def listed_entry(raw: Mapping[str, object], *, path: tuple[str, ...], source: str) -> Listed:
    """Return what an entry says.

    Args:
        raw: The entry's object.
        path: The keys above it, (model, device, engine, implementation) or (id,).
        source: Where the export comes from.

    Raises:
        HarmError: A value could do harm, or the entry names nothing that could be started.
    """
    _only_values(raw)
    try:
        entry = Entry.model_validate(same_keys(raw))
        _refuse_odd_maps(entry.device_model_spec, raw)
        of_device = DeviceEntry.model_validate(same_keys(entry.device_model_spec))
    except ValidationError as exc:
        raise HarmError(f"a value is not understood: {exc.error_count()} faults") from exc
    image = checked(entry.docker_image.strip(" "), IMAGE, "image")
    tt_metal = checked(entry.tt_metal_commit.strip(" "), PIN, "tt-metal commit")
    vllm = checked(entry.vllm_commit.strip(" "), PIN, "vLLM commit")
    if not image and not tt_metal:
        raise HarmError("it names neither an image nor a tt-metal commit")
    if not image or not tt_metal:
        raise HarmError(f"it names no {'tt-metal commit' if image else 'image'}")
    spec = _spec(entry, of_device, path=path, image=image, source=source)
    return Listed(
        spec=replace(spec, suspect=(*spec.suspect, *_odd_values(raw))),
        tt_metal=tt_metal,
        vllm=vllm,
        image=image,
        version=checked(entry.version.strip(" "), WORD, "version"),
        raw=raw,
    )


def _spec(
    entry: Entry, of_device: DeviceEntry, *, path: tuple[str, ...], image: str, source: str
) -> ModelSpec:
    nested = path if len(path) == 4 else ("", "", "", "")  # noqa: PLR2004 - the nested shape's keys
    model = checked(entry.hf_model_repo or nested[0], REPOSITORY, "model")
    if not model:
        raise HarmError("it names no model")
    device = _device(entry.device_type or of_device.device or nested[1])
    implementation = text_of(entry.impl.get("impl_id")) or nested[3]
    status = entry.status.upper()
    weights = checked(entry.hf_weights_repo, REPOSITORY, "weights") or model
    arguments = tuple(arguments_of(of_device.vllm_args, repositories=frozenset({model, weights})))
    requirements, odd = requirements_of(entry.system_requirements or of_device.system_requirements)
    return ModelSpec(
        id=checked(entry.model_id or _made_id(path, implementation, model, device), ID, "id"),
        model=model,
        device=device,
        engine=_engine(entry.inference_engine or nested[2], image),
        implementation=checked(implementation, WORD, "implementation"),
        type=_type(entry.model_type),
        image="",
        weights=Weights(
            kind="hub",
            repository=weights,
            size_bytes=round(entry.param_count * BYTES_PER_PARAMETER * 1e9 / MIB) * MIB,
        ),
        limits=_limits(of_device, dict(arguments)),
        engine_args=arguments,
        environment=tuple(environment_of(entry.env_vars or of_device.env_vars)),
        memory_mib=math.ceil(entry.min_ram_gb * 1024),
        disk_mib=math.ceil(entry.min_disk_gb * 1024),
        parameters=entry.param_count,
        status=status if status in STATUSES else STATUSES[0],
        default=of_device.default_impl,
        source=source,
        requirements=requirements,
        tool_parser=_parser(entry.metadata, "tool_call_parser_name"),
        reasoning_parser=_parser(entry.metadata, "reasoning_parser_name"),
        modalities=tuple(_modalities(entry.supported_modalities)) or ("text",),
        start_s=of_device.tensor_cache_timeout,
        warms_up=entry.has_builtin_warmup,
        targets=targets_of(of_device.perf_reference),
        issues=issues_of(of_device.known_issues),
        suspect=(*_unknown_words(entry), *odd, *spelled_twice(of_device.vllm_args)),
    )


def _refuse_odd_maps(of_device: Mapping[str, object], raw: Mapping[str, object]) -> None:
    """Refuse an entry that would be launched without what it says, as that cannot be read."""
    for fields in (same_keys(raw), same_keys(of_device)):
        for name in ("device_model_spec", "vllm_args", "env_vars", "system_requirements"):
            if is_odd_map(fields.get(name)):
                raise HarmError(f"{name} is no map of names to values")


def _only_values(raw: object) -> None:
    """Refuse what no entry has, wherever it stands: endless numbers, and halves of characters.

    Neither can be written or kept.
    """
    if bad := next(numbers_that_are_none(raw), None):
        raise HarmError(f"it holds a number that no catalog has: {shown(bad.text)}")
    try:
        json.dumps(raw, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError as exc:
        raise HarmError("it holds half a character (a lone surrogate)") from exc


def _made_id(path: tuple[str, ...], implementation: str, model: str, device: str) -> str:
    if len(path) == 1:
        return path[0]
    return f"id_{implementation.replace('_', '-')}_{model.rpartition('/')[2]}_{device}"


def _device(word: str) -> str:
    device = checked(word.lower(), WORD, "device")
    if not device:
        raise HarmError("it names no device")
    if device == OWN_DEVICE:
        raise HarmError("device cpu is ttctl's own target; no Tenstorrent image runs there")
    return device


def _engine(word: str, image: str) -> CatalogEngine:
    """Return the engine; entries before release 0.5 do not name it, their images do."""
    engine = word.lower()
    if not engine:
        name = repository(image)
        media = "forge" if name.endswith("-forge") else "media"
        engine = media if name.startswith("tt-media-inference-server") else "vllm"
    if engine not in ENGINES:
        raise HarmError(f"engine {shown(word)} is not known to this version of ttctl")
    return cast("CatalogEngine", engine)


def _type(word: str) -> ModelType:
    known = word.upper() in MODEL_TYPES
    return cast("ModelType", word.upper() if known else "OTHER")


def _odd_values(raw: Mapping[str, object]) -> Iterator[str]:
    """Say what is not taken as it stands, since it can be read in no way or in two."""
    fields = same_keys(raw)
    for name in ("param_count", "min_disk_gb", "min_ram_gb"):
        if is_odd_number(fields.get(name)):
            told = shown(str(fields[name]))
            yield f"{name} {told} is no number of 0 or more: taken as not given"
    for key in keys_twice(raw):
        yield f"key {shown(key)} stands twice in the entry: the last is taken"


def _unknown_words(entry: Entry) -> Iterator[str]:
    if entry.status.upper() not in STATUSES:
        told = shown(entry.status) if entry.status else "missing"
        yield f"{ODD_STATUS}{told} was not understood: taken as {STATUSES[0]}"
    if entry.model_type.upper() not in MODEL_TYPES:
        told = shown(entry.model_type) if entry.model_type else "missing"
        yield f"type {told} is not known here: taken as OTHER"


def _limits(of_device: DeviceEntry, arguments: Mapping[str, str]) -> Limits:
    block = arguments.get("block_size") or arguments.get("block-size") or "64"
    return Limits(
        max_model_len=of_device.max_context,
        max_num_seqs=of_device.max_concurrency,
        block_size=int(block) if block.isascii() and block.isdecimal() and len(block) < 6 else 64,  # noqa: PLR2004 - a block's tokens
    )


def _parser(metadata: Mapping[str, object], key: str) -> str:
    return checked(text_of(metadata.get(key)), WORD, key)


def _modalities(found: list[object]) -> Iterator[str]:
    for one in found:
        if (word := text_of(one).lower()) and not CONTROL.search(word):
            yield checked(word, WORD, "modality")
