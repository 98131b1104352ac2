# SPDX-License-Identifier: Apache-2.0
"""Which entries can a program of ours serve, on the tt-metal of their own server? Pure.

`direct` keeps a language model in memory by tt-metal's Generator API, `sd` a diffusion pipeline.
Each stands on the tt-metal commit that upstream validated with another server. That pairing was
validated by nobody: it is derived, and each file and screen that shows one says so.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal, cast

from ttctl.errors import NothingFitsError
from ttctl.model.pins import DERIVED
from ttctl.rules.find import meant_by

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ttctl.model.match import Wanted
    from ttctl.model.pins import Pins
    from ttctl.model.spec import ModelSpec, Request

DerivedEngine = Literal["direct", "sd"]

GENERATOR = "tt_transformers"
"""The implementation whose Generator API `direct` speaks.

Source: tenstorrent/tt-metal:models/tt_transformers/tt/generator.py
"""
DIFFUSION = "stable-diffusion"
"""What the names of the models hold whose pipelines `sd` knows."""
OVER_A_PICTURE = ("img-2-img", "inpainting")
"""What the names of those among them hold that want a picture to begin with.

Source: tenstorrent/tt-inference-server, the media entries of 0.20.0.
"""
DRAWS_OVER = "it draws over a picture, and sd draws from words alone"
SERVERS_OWN = "VLLM_"
"""How variables begin that only the other server reads."""
MIB_IN = {"M": 1, "G": 1024}
NOT_VALIDATED = "nobody validated this pairing"


def derived(specs: Sequence[ModelSpec], engine: str) -> tuple[ModelSpec, ...]:
    """Return every entry that `engine` serves, each on the tt-metal of the entry it is from.

    On the processor it stands on nothing but the libraries of its own image.
    """
    ours = cast("DerivedEngine", engine)
    served = (spec for spec in specs if not why_not(spec, engine))
    return tuple(
        _on_processor(spec, ours) if spec.pins is None else _on(spec, spec.pins, ours)
        for spec in served
    )


def entries_of(specs: Sequence[ModelSpec], engine: str) -> tuple[ModelSpec, ...]:
    """Return the entries among which those of an engine are: all, or what one of ours serves."""
    return derived(specs, engine) if engine in DERIVED else tuple(specs)


def derived_for(
    specs: Sequence[ModelSpec], request: Request, wanted: Wanted
) -> tuple[ModelSpec, ...]:
    """Return what the engine of ours that was asked for serves.

    Args:
        specs: The catalog's entries.
        request: One that names `direct` or `sd` as its engine.
        wanted: The same as words to look for.

    Raises:
        NothingFitsError: What the word means is in the catalog, and none of it can be served so.
    """
    engine = request.engine or ""
    asked = {None, request.implementation}
    found = tuple(
        one
        for one in derived(specs, engine)
        if request.implementation is None or one.implementation in asked
    )
    meant = meant_by(specs, wanted)
    here = [one for one in meant if one.device == request.device] or meant
    served = {one.id for one in found}
    if meant and not served.intersection(one.id for one in here):
        raise _refused(here, request)
    return found


def derived_text(entry: str) -> str:
    """Return the sentence that marks what is derived from an entry."""
    return f"derived from {entry}: {NOT_VALIDATED}"


def why_not(spec: ModelSpec, engine: str) -> str:
    """Return why an engine of ours does not serve an entry; empty where it does."""
    origin = DERIVED[engine]
    if spec.pins is None:
        return _not_on_processor(spec, engine)
    if spec.engine != origin:
        return f"{spec.engine} serves it, and {engine} takes the tt-metal of a {origin} entry"
    if spec.pins.contract == "multihost":
        return f"it spans several hosts, and {engine} runs on one"
    if spec.device == "gpu":
        return "upstream measures against a GPU with it"
    if not spec.pins.tt_metal:
        return "the entry pins no commit of tt-metal"
    return _not_of_its_kind(spec, engine)


def _not_on_processor(spec: ModelSpec, engine: str) -> str:
    origin = {"direct": "vllm", "sd": "sd"}[engine]
    kind = {"direct": "language models", "sd": "pictures"}[engine]
    return "" if spec.engine == origin else f"{spec.engine} serves it, and {engine} is for {kind}"


def _not_of_its_kind(spec: ModelSpec, engine: str) -> str:
    if engine == "sd":
        return _not_drawn(spec.model.lower() if spec.type == "IMAGE" else "")
    if spec.type != "LLM":
        return f"it is a model of the type {spec.type}, and direct reads text alone"
    if spec.implementation != GENERATOR:
        own = spec.implementation or "not said"
        return f"its implementation is {own}, and direct speaks the Generator API of {GENERATOR}"
    return ""


def _not_drawn(model: str) -> str:
    if DIFFUSION not in model:
        return "it is no model of Stable Diffusion"
    return DRAWS_OVER if any(word in model for word in OVER_A_PICTURE) else ""


def _on(spec: ModelSpec, pins: Pins, engine: DerivedEngine) -> ModelSpec:
    """Return an entry as an engine of ours serves it: one request at a time, on the same commit.

    The limit of tokens stays: vLLM's cache has room for one whole context at least, and a single
    request needs no more. What the arguments of another server say is left out, and its speeds.
    """
    why = f"{derived_text(spec.id)}; tt-metal is that of its {spec.engine} image"
    own = replace(
        pins,
        vllm="",
        contract=engine,
        recipe=engine,
        flag="",
        inferred=(),
        first_release="",
        reason=why,
    )
    return replace(
        spec,
        engine=engine,
        pins=own,
        limits=replace(spec.limits, max_num_seqs=1, block_size=0),
        engine_args=(),
        environment=tuple(one for one in spec.environment if not one[0].startswith(SERVERS_OWN)),
        changed=(),
        targets=(),
        issues=(),
        suspect=tuple(one for one in spec.suspect if one.startswith("status ")),
        warms_up=True,
    )


def _on_processor(spec: ModelSpec, engine: DerivedEngine) -> ModelSpec:
    """Return an entry of the processor as an engine of ours serves it there."""
    if spec.engine == engine:
        return spec
    return replace(
        spec,
        engine=engine,
        image=f"{engine}-cpu",
        memory_mib=spec.memory_mib - _reserved_mib(spec),
        limits=replace(spec.limits, max_num_seqs=1, block_size=0),
        engine_args=(),
    )


def _reserved_mib(spec: ModelSpec) -> int:
    """Return what vLLM sets aside for the caches of many at once; ours holds one at a time.

    Source: vLLM 0.32.0, `human_readable_int`: capital letters are powers of 1024.
    """
    said = dict(spec.engine_args).get("kv-cache-memory-bytes", "")
    number, unit = said[:-1], said[-1:]
    return int(number) * MIB_IN[unit] if unit in MIB_IN and number.isdecimal() else 0


def _refused(here: Sequence[ModelSpec], request: Request) -> NothingFitsError:
    engine = request.engine or ""
    reasons = {
        f"{one.model} on {one.device}: {why}" for one in here if (why := why_not(one, engine))
    }
    if request.implementation is not None:
        reasons |= {f"{one.model} on {one.device}: {one.implementation}" for one in here}
    device = f" --device {request.device}" if request.device else ""
    return NothingFitsError(
        f"{request.model!r} cannot be served by {engine}.",
        why=f"{engine} is built on the tt-metal that an entry of {DERIVED[engine]} pins.",
        evidence="\n".join(sorted(reasons)),
        next_step=f"ttctl plan {request.model}{device}",
    )
