# SPDX-License-Identifier: Apache-2.0
"""What is said of each of the 225 entries by upstream's exports alone: `entries.tsv`, and its tool.

`python -m tests.unit.rules.entry_table FOLDER > tests/unit/rules/entries.tsv` writes it anew from a
folder that holds the export of every release, 0.1.0 to 0.20.0; the difference is reviewed. Nothing
of ttctl's own rules is used here, so that the table can judge them.

Source: tenstorrent/tt-inference-server at the tags: the exports; workflows/utils.py@v0.20.0 (images
below 0.11.0 take no arguments); workflows/workflow_types.py@v0.20.0 (devices); tt-kmd (one node for
each chip on PCIe: the second chip of an n300 has none).
"""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

PATH = Path(__file__).with_name("entries.tsv")
COLUMNS = (
    "id", "contract", "nodes", "flag", "refusal", "first", "subdevice", "arguments", "environment",
)  # fmt: skip
NODES = {
    "GPU": 0, "N150": 1, "N300": 1, "P100": 1, "P150": 1, "P300": 2, "N150X4": 4, "T3K": 4,
    "P150X4": 4, "P300X2": 4, "GALAXY_T3K": 8, "P150X8": 8, "GALAXY": 32, "DUAL_GALAXY": 32,
    "QUAD_GALAXY": 32,
}  # fmt: skip
"""Nodes of /dev/tenstorrent on one host."""
SEVERAL_HOSTS = {"DUAL_GALAXY", "QUAD_GALAXY"}
OPTIONS = ("override_tt_config", "plugin_config", "additional_config")
NEWEST = "0.20.0"
RELEASE = re.compile(r"v(\d+\.\d+\.\d+)\.")


@dataclass(frozen=True, kw_only=True)
class Row:
    """One entry, as upstream says it."""

    id: str
    contract: str
    nodes: int
    flag: str
    refusal: str
    """`gpu`, `several hosts` or empty."""
    first: str
    """First release that lists the entry with its present image."""
    subdevice: str
    """Device whose mesh the model uses, in small letters; empty where it is the entry's own."""
    arguments: dict[str, str]
    """vLLM's, of `first`; a bare flag is `true`."""
    environment: dict[str, str]
    """vLLM's: of `first`; of the other engines: the newest release's."""


@cache
def rows() -> dict[str, Row]:
    """Return the committed table, by entry."""
    head, *lines = PATH.read_text(encoding="utf-8").splitlines()
    assert tuple(head.split("\t")) == COLUMNS
    return {line.split("\t")[0]: _row(line) for line in lines}


def table(folder: Path) -> str:
    """Return the table's text from the exports of a folder."""
    listed = {release: list(_entries(path)) for release, path in _exports(folder)}
    first: dict[tuple[str, str], tuple[str, dict[str, Any]]] = {}
    for release, entries in listed.items():
        for one in entries:
            first.setdefault((one["model_id"], one["docker_image"]), (release, one))
    lines = [_line(one, *first[one["model_id"], one["docker_image"]]) for one in listed[NEWEST]]
    return "".join(f"{line}\n" for line in ("\t".join(COLUMNS), *sorted(lines)))


def has_every_release(folder: Path) -> bool:
    """Return whether a folder holds exports from the first release to the newest."""
    releases = [release for release, _ in _exports(folder)]
    return len(releases) == 22 and {"0.1.0", NEWEST} <= set(releases)


def entries_of(data: bytes) -> Iterator[dict[str, Any]]:
    """Return the entries of an export of either shape."""
    found = json.loads(data)
    if "model_specs" not in found:
        return iter(found.values())
    return (
        one
        for devices in found["model_specs"].values()
        for engines in devices.values()
        for implementations in engines.values()
        for one in implementations.values()
    )


def _exports(folder: Path) -> list[tuple[str, Path]]:
    named = [(RELEASE.search(path.name), path) for path in folder.glob("*.json")]
    found = [
        (name[1], path)
        for name, path in named
        if name and b'"device_model_spec"' in path.read_bytes()
    ]
    return sorted(found, key=lambda pair: [int(part) for part in pair[0].split(".")])


def _entries(path: Path) -> Iterator[dict[str, Any]]:
    return entries_of(path.read_bytes())


def _line(newest: dict[str, Any], release: str, first: dict[str, Any]) -> str:
    vllm, device = newest["inference_engine"] == "vLLM", newest["device_type"]
    arguments = _said(first["device_model_spec"]["vllm_args"]) if vllm else {}
    contract = _contract(newest)
    cells = (
        newest["model_id"],
        contract,
        str(NODES[device]),
        _flag(arguments, _version(newest)) if vllm else "",
        "gpu" if device == "GPU" else "several hosts" if device in SEVERAL_HOSTS else "",
        release,
        (newest["subdevice_type"] or "").lower(),
        json.dumps(arguments, sort_keys=True),
        json.dumps(_said((first if vllm else newest)["env_vars"]), sort_keys=True),
    )
    return "\t".join(cells)


def _contract(entry: dict[str, Any]) -> str:
    engine = entry["inference_engine"]
    if entry["device_type"] in SEVERAL_HOSTS:
        return "multihost"
    if engine != "vLLM":
        return str(engine)
    return "vllm-legacy" if _version(entry) < (0, 11) else "vllm-current"


def _version(entry: dict[str, Any]) -> tuple[int, ...]:
    tag = entry["docker_image"].rpartition(":")[2]
    return tuple(int(part) for part in tag.partition("-")[0].split("."))


def _flag(arguments: dict[str, str], version: tuple[int, ...]) -> str:
    """Return the option that the arguments hold; of those with none, that of their time."""
    told = [name for name in OPTIONS if name in arguments]
    name = told[0] if told else OPTIONS[0] if version < (0, 15) else OPTIONS[2]
    return f"--{name.replace('_', '-')}" if name == OPTIONS[2] else f"--{name}"


def _said(values: dict[str, Any]) -> dict[str, str]:
    """Return what is set, as text: `true` for a bare flag, JSON for what has parts."""
    # Not `in`: 0 is equal to False, and is said.
    told = {k: v for k, v in values.items() if v is not None and v is not False}
    return {name: value if isinstance(value, str) else _text(value) for name, value in told.items()}


def _text(value: object) -> str:
    return json.dumps(value) if isinstance(value, (bool, dict, list)) else str(value)


def _row(line: str) -> Row:
    cells = dict(zip(COLUMNS, line.split("\t"), strict=True))
    return Row(
        nodes=int(cells.pop("nodes")),
        arguments=json.loads(cells.pop("arguments")),
        environment=json.loads(cells.pop("environment")),
        **cells,
    )


if __name__ == "__main__":
    sys.stdout.write(table(Path(sys.argv[1])))
