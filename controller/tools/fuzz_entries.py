# SPDX-License-Identifier: Apache-2.0
"""Make mutated catalog entries, and files of them. The same chance gives the same mutations."""

from __future__ import annotations

import copy
import json
import tomllib
from typing import TYPE_CHECKING, Any

from tools.catalog import FOLDER, exports_in
from ttctl.adapters.upstream_export import read_export

if TYPE_CHECKING:
    import random
    from pathlib import Path

ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 1 << 31, 1 << 63, 10**30, 0.5, -0.0, 1e300, "", " ", "0", "-1",
    "8.0", "1e9", "nan", "inf", "NaN", "true", "null", "{}", "[]", '{"tt": []}', '{"tt": {"a": 1}}',
    "\n", "\x00", "\x1b[2J", "\ud800", "\u202e", "a" * 20000, "../../etc/passwd", "a/b/c", "main",
    "v0.62.0-rc33", "c49bb76\nRUN x", "$(reboot)", "`x`", "-x", "--x", "CPU", "E150", "ROBOT",
    "ghcr.io/a/b:1", "ghcr.io/a/b@sha256:" + "0" * 64, [], {}, [None], [[]], {"": None}, [{}, 1],
    {"tt": {}}, {"functional": {"ttft_ms": "x"}}, {"LD_PRELOAD": "x"}, {"trace_region_size": "30"},
    {"specifier": ">=1", "mode": 3}, {"firmware": {"specifier": ">=x"}}, {"\ud800": 1}, {"a\nb": 1},
)  # fmt: skip


def entries_of(folder: Path | None) -> list[dict[str, Any]]:
    """Return the entries to mutate: those of a folder's exports, else of the built-in catalog."""
    if folder is None:
        texts = [path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.toml"))]
        return [_as_upstream(raw) for text in texts for raw in tomllib.loads(text)["spec"]]
    exports = [read_export(path.read_bytes(), name=path.name) for path in exports_in(folder)]
    return [dict(one.raw) for export in exports for one in export.listed]


def mutated(entry: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """Return an entry with one to four things changed, anywhere in it."""
    whole: dict[str, Any] = copy.deepcopy(entry)
    # Ids differ, or one would be left of a batch.
    whole["model_id"] = f"id_{chance.randrange(1 << 48)}"
    for _ in range(chance.randint(1, 4)):
        if not whole:
            break
        holder, key = _somewhere(whole, chance)
        match chance.randrange(6):
            case 0:
                del holder[key]
            case 1 if isinstance(holder, dict):
                holder[chance.choice([str(key).upper(), str(key).replace("_", "-"), "x\n", ""])] = (
                    holder[key]
                )
            case 2:
                holder[key] = [holder[key]]
            case 3:
                holder[key] = _broken_text(str(holder[key]), chance)
            case _:
                holder[key] = copy.deepcopy(chance.choice(ODD))
    return whole


def file_of(entries: list[dict[str, Any]], chance: random.Random) -> bytes:
    """Return a file with these entries, flat or nested; one in twenty has its bytes broken, too."""
    if chance.random() < 0.5:  # noqa: PLR2004 - half of them
        whole: dict[str, Any] = {f"id{number}": one for number, one in enumerate(entries)}
    else:
        tree = {f"acme/M{n}": {"N150": {"vLLM": {"x": one}}} for n, one in enumerate(entries)}
        whole = {"release_version": chance.choice(["0.20.0", 3, None, "x"]), "model_specs": tree}
    data = bytearray(json.dumps(whole).encode())
    if chance.random() < 0.05:  # noqa: PLR2004 - one in twenty
        for _ in range(chance.randint(1, 5)):
            data[chance.randrange(len(data))] = chance.randrange(256)
    return bytes(data)


def _somewhere(value: Any, chance: random.Random) -> tuple[Any, Any]:  # noqa: ANN401 - JSON
    """Return a container in `value` and a key of it, deeper ones as likely as shallow ones."""
    while True:
        key = (
            chance.choice(list(value)) if isinstance(value, dict) else chance.randrange(len(value))
        )
        inner = value[key]
        if not isinstance(inner, dict | list) or not inner or chance.random() < 0.2:  # noqa: PLR2004 - one in five
            return value, key
        value = inner


def _broken_text(text: str, chance: random.Random) -> str:
    place = chance.randrange(len(text) + 1)
    return text[:place] + chance.choice(["", "\n", ";", "..", "\x00", "\u2028", " "]) + text[place:]


def _as_upstream(raw: dict[str, Any]) -> dict[str, Any]:
    """Return an entry of the built-in catalog in upstream's shape."""
    return {
        **raw["upstream"],
        "model_id": raw["id"],
        "impl": {"impl_id": raw.get("implementation")},
        "hf_model_repo": raw["model"],
        "hf_weights_repo": raw["weights"],
        "inference_engine": raw["engine"],
        "device_type": raw["device"].upper(),
        "tt_metal_commit": raw["tt_metal"],
        "vllm_commit": raw.get("vllm"),
        "version": raw.get("version"),
        "docker_image": raw["image"],
        "status": raw["status"],
        "param_count": raw.get("parameters"),
        "min_ram_gb": raw.get("memory_mib", 0) / 1024,
        "env_vars": raw["environment"],
        "system_requirements": {one["what"]: one for one in raw.get("requirements", ())},
        "device_model_spec": {
            "vllm_args": raw["arguments"],
            "max_context": raw["limits"]["max_model_len"],
            "max_concurrency": raw["limits"]["max_num_seqs"],
            "perf_reference": [{"targets": {one["tier"]: one}} for one in raw.get("targets", ())],
            "known_issues": raw.get("issues", []),
        },
    }
