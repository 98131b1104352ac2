# SPDX-License-Identifier: Apache-2.0
"""What may run on a device though nobody validated it there? Pure. Not yet run on a card.

Two ways, both only with `--experimental`, both with two thirds of the limits: a model of the
architecture and generation of one that is validated there and is not smaller; and a model of a
smaller device of the same chips, where a model of its kind that is not smaller is validated. A
model of unknown size counts as large: it is never the smaller one. No context is longer than the
longest that the model itself was validated with.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from ttctl.rules.device_sizes import SIZES, is_larger
from ttctl.rules.model_families import architecture_of, generation_of, parameters_of
from ttctl.rules.tt_options import options_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ttctl.model.spec import Limits, ModelSpec

    Kind = tuple[str, str, str, str, tuple[int, ...]]
    Use = tuple[str, str]

PERCENT = 67
"""How much of a limit stays, whole percent."""
CONTEXT_STEP = 1024
"""Contexts are rounded down to a multiple of this, in tokens."""
_CONTEXTS = frozenset({"max_model_len", "MAX_MODEL_LENGTH", "VLLM__MAX_MODEL_LENGTH"})
_TOKENS = ("max_num_batched_tokens", "MAX_NUM_BATCHED_TOKENS", "MAX_TOKENS_ALL_USERS")
"""How names end that limit the tokens of several requests together."""
_SEQUENCES = frozenset({"max_num_seqs", "MAX_NUM_SEQS", "VLLM__MAX_NUM_SEQS", "MAX_BATCH_SIZE"})
_REPLICAS = "data-parallel-size"
MOST_DIGITS = 5
"""A count of replicas has fewer."""
_TALKS = frozenset({"LLM", "VLM"})
_OF_ONE_DEVICE = frozenset({"TT_MESH_GRAPH_DESC_PATH", "WH_ARCH_YAML"})
"""Environment that says how the chips of one device are connected."""


def experimental(
    wanted: Sequence[ModelSpec], specs: Sequence[ModelSpec], *, device: str
) -> tuple[ModelSpec, ...]:
    """Return what of `wanted` may be tried on `device`, one entry a model, marked with its reason.

    Args:
        wanted: Entries of the models that are asked for, of other devices.
        specs: The whole catalog.
        device: Where none of them is validated.
    """
    like, uses = _indexed(one for one in specs if one.device == device and one.pins is not None)
    longest = _longest(wanted)
    found: dict[str, ModelSpec] = {}
    for one in sorted(wanted, key=_nearest_first):
        if one.model in found or one.pins is None or not parameters_of(one):
            continue
        sibling = _not_smaller(one, like.get(_kind(one), ()))
        made = _same_architecture(one, sibling, longest[one.model])
        if made is None and is_larger(device, than=one.device):
            made = _on_larger_device(one, _not_smaller(one, uses.get(_use(one), ())), device)
        if made is not None:
            found[one.model] = made
    return tuple(found.values())


def fewer(number: int, *, replicas: int = 1) -> int:
    """Return two thirds of a number of requests, at least one: 16 becomes 10.

    Args:
        number: Requests at a time.
        replicas: Copies of the model that share them evenly: of 128 for 4, 84 stay.
    """
    less = max(1, number * PERCENT // 100) if number > 0 else number
    return max(replicas, less // replicas * replicas) if number >= replicas > 1 else less


def shorter(tokens: int) -> int:
    """Return two thirds of a context in whole steps: 65536 becomes 43008."""
    less = tokens * PERCENT // 100
    return less // CONTEXT_STEP * CONTEXT_STEP or less


def _indexed(
    there: Iterable[ModelSpec],
) -> tuple[dict[Kind, list[ModelSpec]], dict[Use, list[ModelSpec]]]:
    """Sort what is validated on the device by size: by kind of model, and by use of an engine."""
    like: defaultdict[Kind, list[ModelSpec]] = defaultdict(list)
    uses: defaultdict[Use, list[ModelSpec]] = defaultdict(list)
    for one in sorted(there, key=lambda one: (parameters_of(one), one.model, one.id)):
        like[_kind(one)].append(one)
        uses[_use(one)].append(one)
    return like, uses


def _kind(spec: ModelSpec) -> Kind:
    generation = generation_of(spec.model)[:1]
    family = architecture_of(spec.model)
    return (spec.engine, spec.implementation, spec.type, family, generation)


def _use(spec: ModelSpec) -> Use:
    """Return what an engine is used for: that vectors are made proves nothing for answers."""
    return (spec.engine, "answers" if spec.type in _TALKS else spec.type)


def _longest(specs: Iterable[ModelSpec]) -> dict[str, int]:
    """Return the longest context that each model was validated with, 0 where none is known."""
    longest: defaultdict[str, int] = defaultdict(int)
    for one in specs:
        longest[one.model] = max(longest[one.model], one.limits.max_model_len)
    return longest


def _not_smaller(one: ModelSpec, there: Sequence[ModelSpec]) -> ModelSpec | None:
    """Return the smallest of `there`, sorted by size, that is as large as `one` at least."""
    at = bisect_left(there, parameters_of(one), key=parameters_of)
    return there[at] if at < len(there) else None


def _same_architecture(one: ModelSpec, other: ModelSpec | None, longest: int) -> ModelSpec | None:
    if other is None:
        return None
    reason = (
        f"not validated on {other.device}; {other.model} of the same architecture is, "
        "and it is not smaller"
    )
    changed = replace(
        other,
        id="",
        model=one.model,
        aliases=one.aliases,
        description=one.description,
        weights=one.weights,
        parameters=one.parameters,
        memory_mib=one.memory_mib,
        disk_mib=one.disk_mib,
        license=one.license,
        tool_parser=one.tool_parser,
        reasoning_parser=one.reasoning_parser,
    )
    return _marked(changed, reason, longest)


def _on_larger_device(one: ModelSpec, larger: ModelSpec | None, device: str) -> ModelSpec | None:
    if larger is None:
        return None
    reason = (
        f"validated on {one.device}, not on {device}, which has more of the same chips "
        f"and runs {larger.model}, which is not smaller"
    )
    kept = ((name, value) for name, value in one.environment if name not in _OF_ONE_DEVICE)
    named = tuple(
        (name, SIZES[device].mesh if name == "MESH_DEVICE" else value) for name, value in kept
    )
    there_only = ((name, value) for name, value in larger.environment if name in _OF_ONE_DEVICE)
    changed = replace(
        one,
        id="",
        device=device,
        environment=(*named, *there_only),
        requirements=larger.requirements,
    )
    return _marked(changed, reason, one.limits.max_model_len)


def _marked(spec: ModelSpec, reason: str, longest: int) -> ModelSpec:
    replicas = _replicas(spec)

    def less(pairs: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
        return tuple(
            (name, _fewer(name, value, replicas) or _less(name, value, spec, longest))
            for name, value in pairs
        )

    return replace(
        spec,
        status="EXPERIMENTAL",
        experimental=reason,
        default=True,
        changed=(),
        targets=(),
        limits=_smaller(spec.limits, longest, replicas),
        engine_args=less(spec.engine_args),
        environment=less(spec.environment),
    )


def _smaller(limits: Limits, longest: int, replicas: int) -> Limits:
    return replace(
        limits,
        max_model_len=_within(longest, limits.max_model_len),
        max_num_seqs=fewer(limits.max_num_seqs, replicas=replicas),
    )


def _replicas(spec: ModelSpec) -> int:
    """Return how many copies of the model the engine makes, each with its share of requests."""
    option = options_of(spec.engine_args).get("data_parallel")
    named = [value for name, value in spec.engine_args if name.replace("_", "-") == _REPLICAS]
    told = [int(one) for one in (str(option), *named) if one.isdecimal() and len(one) < MOST_DIGITS]
    return max(told, default=1)


def _within(longest: int, tokens: int) -> int:
    less = shorter(tokens)
    return min(less, longest) if longest else less


def _fewer(name: str, value: str, replicas: int) -> str:
    """Return less of what limits requests at a time, empty for anything else."""
    known = name if name.isupper() else name.replace("-", "_")
    if known not in _SEQUENCES or not value.isdecimal():
        return ""
    return str(fewer(int(value), replicas=replicas))


def _less(name: str, value: str, spec: ModelSpec, longest: int) -> str:
    known = name if name.isupper() else name.replace("-", "_")
    if known == "model":
        return spec.model
    if not value.isdecimal():
        return value
    if known in _CONTEXTS:
        return str(_within(longest, int(value)))
    return str(shorter(int(value))) if known.endswith(_TOKENS) else value


def _nearest_first(spec: ModelSpec) -> tuple[object, ...]:
    """Of one model's entries, that of the largest device first: its pins are nearest."""
    chips = SIZES[spec.device].chips if spec.device in SIZES else 0
    return (spec.model, not spec.default, -chips, spec.device, spec.id, spec.implementation)
