# SPDX-License-Identifier: Apache-2.0
"""Which names can be typed here? Read off local files line by line, for completion.

A parser would cost more than the whole answer may. What a line does not show plainly is not
offered; the tests compare these readers with the real ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.adapters import places

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

NOT_MODELS = frozenset({"sources.toml", "golden.toml"})


def model_names(catalog: Path) -> tuple[str, ...]:
    """Return the models of a catalog's folder and their aliases, in the order of the files."""
    found: dict[str, None] = {}
    for path in (*sorted(catalog.glob("*.toml")), *sorted(catalog.glob("*/*.toml"))):
        if path.name not in NOT_MODELS:
            found |= dict.fromkeys(_names_of_specs(path.read_text(encoding="utf-8")))
    return tuple(found)


def stack_names(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the stacks of this user that have a lock."""
    stacks = places.state(environ) / "stacks"
    return tuple(sorted(path.parts[-3] for path in stacks.glob("*/rendered/ttctl.lock")))


def service_names(environ: Mapping[str, str], stack: str) -> tuple[str, ...]:
    """Return the services of one stack, or where it is not given, of all."""
    stacks = places.state(environ) / "stacks"
    files = stacks.glob(f"{stack or '*'}/rendered/compose.yaml")
    texts = [path.read_text(encoding="utf-8") for path in sorted(files)]
    return tuple(dict.fromkeys(name for text in texts for name in _keys_of_services(text)))


def role_names(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the roles of a conversation: the shipped ones, and those beside the settings file."""
    shipped = places.shipped()
    folders = (shipped / "talk", shipped / "controller" / "talk", places.config(environ).parent)
    files = [path for folder in folders for path in (folder / "roles").glob("*.md")]
    return tuple(sorted({path.stem for path in files}))


def _names_of_specs(text: str) -> Iterator[str]:
    """Yield what stands between quotes behind `model =` and `aliases =` of each `[[spec]]`."""
    in_spec = in_list = False
    for whole in text.splitlines():
        # Most lines of a long catalog are none of these.
        if not in_list and not whole.lstrip().startswith(("[", "model", "aliases")):
            continue
        line = whole.partition("#")[0].strip()
        key, _, value = line.partition("=")
        if in_list:
            key, value = "aliases", line
        elif line.startswith("["):
            in_spec = line == "[[spec]]"
            continue
        if in_spec and key.strip() in {"model", "aliases"}:
            yield from value.replace("'", '"').split('"')[1::2]
            in_list = key.strip() == "aliases" and "]" not in value


def _keys_of_services(text: str) -> Iterator[str]:
    """Yield the keys one step under `services:`, as the rendered file writes them."""
    inside = False
    for line in text.splitlines():
        if line[:1] not in {" ", "#", ""}:
            inside = line.rstrip() == "services:"
        elif inside and line[:2] == "  " and line[2:3] not in {" ", "#"} and line.endswith(":"):
            yield line[2:-1].strip("\"'")
