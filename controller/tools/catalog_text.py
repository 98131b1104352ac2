# SPDX-License-Identifier: Apache-2.0
"""The text of a catalog file: TOML that a person can review, the same for the same entries."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ttctl.model.pins import Changed, Issue, Requirement, Target
    from ttctl.model.spec import ModelSpec

MIB = 1 << 20
SAID = frozenset(
    {
        "model_id", "impl", "hf_model_repo", "hf_weights_repo", "model_name", "inference_engine",
        "device_type", "device_model_spec", "system_requirements", "env_vars", "tt_metal_commit",
        "vllm_commit", "param_count", "min_disk_gb", "min_ram_gb", "model_type", "version",
        "docker_image", "status", "override_tt_config", "supported_modalities", "metadata",
    }
)  # fmt: skip
"""Keys of an export whose meaning has a field of its own here."""

Pairs = Sequence[tuple[str, object]]


def file_text(
    kind: str,
    specs: Sequence[ModelSpec],
    raw: Mapping[str, Mapping[str, object]],
    *,
    release: str,
    date: str,
    sha256: str,
) -> str:
    """Return a file's text.

    Args:
        kind: The type of all its models.
        specs: Its entries.
        raw: By id, the export's own objects.
        release: Of the export.
        date: The release's day.
        sha256: Of the export's bytes.
    """
    head = [
        f"# {kind} models that upstream validated. Made by `make catalog`; what is said by hand",
        "# stands in advice.toml and pins.toml. Arguments and environment are those of",
        "# `first_release`, the first that listed the identical image; `changed` is what the",
        "# release above says otherwise. Not run on a card by this project.",
        "schema = 2",
        f"type = {_quoted(kind)}",
        f"release = {_quoted(release)}",
        f"source = {_quoted(specs[0].source)}",
        f"date = {date}",
        f"sha256 = {_quoted(sha256)}",
    ]
    return "\n".join([*head, *(line for one in specs for line in _entry(one, raw[one.id]))]) + "\n"


def _entry(spec: ModelSpec, raw: Mapping[str, object]) -> Iterator[str]:
    yield ""
    yield "[[spec]]"
    yield from (f"{name} = {_scalar(value)}" for name, value in _scalars(spec))
    for name, rows in _rows(spec):
        yield f"{name} = ["
        yield from (f"  {row}," for row in rows)
        yield "]"
    further = [(key, raw[key]) for key in raw if key not in SAID and _kept(raw[key])]
    tables: tuple[tuple[str, Pairs], ...] = (
        ("arguments", spec.engine_args),
        ("environment", spec.environment),
        ("upstream", further),
    )
    for name, pairs in tables:
        if pairs:
            yield f"[spec.{name}]"
            yield from (f"{_key(key)} = {_scalar(value)}" for key, value in pairs)


def _scalars(spec: ModelSpec) -> Pairs:
    """Return what is said on one line each, without what has its default."""
    pins = spec.pins
    assert pins is not None  # noqa: S101 - every upstream entry has pins
    pairs: Pairs = (
        ("id", spec.id),
        ("model", spec.model),
        ("device", spec.device),
        ("engine", spec.engine),
        ("implementation", spec.implementation),
        ("status", spec.status),
        ("default", spec.default),
        ("image", pins.image),
        ("version", pins.version),
        ("tt_metal", pins.tt_metal),
        ("vllm", pins.vllm),
        ("contract", pins.contract),
        ("recipe", pins.recipe),
        ("flag", pins.flag),
        ("inferred", list(pins.inferred)),
        ("reason", pins.reason),
        ("first_release", pins.first_release),
        ("weights", spec.weights.repository),
        ("size_mib", spec.weights.size_bytes // MIB),
        ("parameters", spec.parameters),
        ("memory_mib", spec.memory_mib),
        ("disk_mib", spec.disk_mib),
        ("start_s", spec.start_s),
        ("tool_parser", spec.tool_parser),
        ("reasoning_parser", spec.reasoning_parser),
        ("modalities", [] if spec.modalities == ("text",) else list(spec.modalities)),
        (
            "limits",
            {
                "max_model_len": spec.limits.max_model_len,
                "max_num_seqs": spec.limits.max_num_seqs,
                "block_size": spec.limits.block_size,
            },
        ),
    )
    return [(name, value) for name, value in pairs if value or name == "image"]


def _rows(spec: ModelSpec) -> Iterator[tuple[str, list[str]]]:
    rows = {
        "requirements": [_inline(_requirement(one)) for one in spec.requirements],
        "suspect": [_quoted(one) for one in spec.suspect],
        "changed": [_inline(_changed(one)) for one in spec.changed],
        "issues": [_inline(_issue(one)) for one in spec.issues],
        "targets": [_inline(_target(one)) for one in spec.targets],
    }
    yield from ((name, found) for name, found in rows.items() if found)


def _requirement(one: Requirement) -> Pairs:
    return (("what", one.what), ("specifier", one.specifier), ("strict", one.strict))


def _changed(one: Changed) -> Pairs:
    pairs = [("kind", one.kind), ("name", one.name), ("first", one.first), ("latest", one.latest)]
    return [*pairs, ("option", True)] if one.option else pairs


def _issue(one: Issue) -> Pairs:
    return (("workflow", one.workflow), ("task", one.task), ("reason", one.reason))


def _target(one: Target) -> Pairs:
    figures = {"ttft_ms": one.ttft_ms, "tput_user": one.tput_user, "tput": one.tput}
    return (
        ("task", one.task),
        *((("shape", one.shape),) if one.shape else ()),
        ("concurrency", one.concurrency),
        ("tier", one.tier),
        *((name, value) for name, value in figures.items() if value is not None),
        *((("tolerance", one.tolerance),) if one.tolerance else ()),
    )


def _inline(pairs: Pairs) -> str:
    return "{ " + ", ".join(f"{_key(name)} = {_scalar(value)}" for name, value in pairs) + " }"


def _scalar(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case list():
            return "[" + ", ".join(_scalar(one) for one in value) + "]"
        case dict():
            return _inline(list(value.items()))
        case _:
            return _quoted(str(value))


def _kept(value: object) -> bool:
    return isinstance(value, str | int | float) and value != ""


def _quoted(text: str) -> str:
    """Quote as TOML does; a literal string where that spares JSON its backslashes."""
    if '"' in text and "'" not in text and text.isprintable():
        return f"'{text}'"
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _key(name: str) -> str:
    bare = name.replace("_", "").replace("-", "")
    return name if bare.isascii() and bare.isalnum() else _quoted(name)
