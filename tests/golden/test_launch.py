# SPDX-License-Identifier: Apache-2.0
"""Is what each contract renders on each device the text that was reviewed?

`TTCTL_GOLDEN=write` rewrites it; the difference is what a reviewer reads. A start script is copied
from compose/launch and is named with its hash, not repeated.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from tests.unit.rules.launching import (
    contract_of,
    contracts,
    entries,
    files_of,
    gateway_config,
    parts_of,
    pins_of,
    recipes,
    stack_of,
)

from ttctl.model.pins import DERIVED
from ttctl.rules.compose import compose_of
from ttctl.rules.derived import derived
from ttctl.rules.device_sizes import SIZES
from ttctl.rules.device_stack import host_stacks
from ttctl.rules.fingerprint import sha256_text
from ttctl.rules.launch import GPU

if TYPE_CHECKING:
    from ttctl.model.service import Stack
    from ttctl.model.spec import ModelSpec

FOLDER = Path(__file__).parent / "launch"
SDXL = "stabilityai/stable-diffusion-xl-base-1.0"


def with_contract(spec: ModelSpec, contract: str, image: str) -> ModelSpec:
    return replace(spec, pins=replace(pins_of(spec), contract=contract, image=image))  # type: ignore[arg-type]


def family_of(spec: ModelSpec) -> str:
    """Return what a device is like: one board, several, or a Galaxy of one kind of chip."""
    size = SIZES[spec.device]
    many = f"{size.hosts}-hosts" if size.hosts > 1 else "board" if size.boards == 1 else "boards"
    return (
        "galaxy" if size.board.startswith("galaxy") and size.hosts == 1 else f"{size.arch}-{many}"
    )


def kind_of(spec: ModelSpec) -> tuple[str, str, str]:
    """Return recipe, contract and device family: of each kind of entry one text is reviewed."""
    return pins_of(spec).recipe, pins_of(spec).contract, family_of(spec)


def rendered() -> list[ModelSpec]:
    """Return what can be rendered: each entry as prebuilt, and as built where it can be.

    SDXL is there once more, on an image that has the C++ server; the catalog has none.
    """
    started = [spec for spec in entries() if spec.device != GPU]
    cpp = [
        with_contract(spec, "media-cpp", "registry.example.org/media:0.20.0-de59f8a")
        for spec in started
        if spec.model == SDXL
    ]
    own = [
        with_contract(spec, "own", "ttctl/vllm:0123456789abcdef")
        for spec in started
        if pins_of(spec).recipe.startswith("vllm-")
    ]
    ours = [
        with_contract(spec, engine, f"ttctl/{engine}:0123456789abcdef")
        for engine in DERIVED
        for spec in derived(entries(), engine)
    ]
    return [*started, *cpp, *own, *ours]


def chosen() -> dict[str, ModelSpec]:
    """Return the first entry of each kind; the name of a second recipe's ends in the recipe."""
    first: dict[tuple[str, str, str], ModelSpec] = {}
    for spec in rendered():
        first.setdefault(kind_of(spec), spec)
    found: dict[str, ModelSpec] = {}
    for (recipe, contract, family), spec in first.items():
        plain = f"{contract}-{family}"
        found[f"{plain}-{recipe}" if plain in found else plain] = spec
    return found


CHOSEN = chosen()


def stacks_of(spec: ModelSpec) -> tuple[Stack, ...]:
    if contract_of(spec).name != "multihost":
        return (stack_of(spec, boards=("BOARD",)),)
    return host_stacks(spec, contract_of(spec), parts_of(spec))


def text_of(spec: ModelSpec) -> str:
    """Return everything that is rendered for the engine, each file under its name."""
    parts = [f"# {spec.id}\n"]
    for rank, stack in enumerate(stacks_of(spec)):
        engines = tuple(one for one in stack.services if one.name != "gateway")
        composed = compose_of(replace(stack, services=engines))
        text = recipes().yaml(composed)
        assert yaml.safe_load(text) == composed
        parts.append(f"--- compose.yaml of host {rank}\n{text}")
    for path, text in sorted(files_of(spec).items()):
        copied = text == contract_of(spec).script
        parts.append(f"--- {path}\n{sha256_text(text) if copied else text.rstrip()}\n")
    config = gateway_config(spec).splitlines()
    lines = [line for line in config if "acl known" in line or "replace-path" in line]
    return "".join((*parts, "--- gateway/haproxy.cfg\n", *(f"{line}\n" for line in lines)))


@pytest.mark.parametrize("name", sorted(CHOSEN))
def test_what_is_rendered_is_what_was_reviewed(name: str) -> None:
    path = FOLDER / f"{name}.txt"
    text = text_of(CHOSEN[name])
    if os.environ.get("TTCTL_GOLDEN") == "write":
        FOLDER.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    assert path.read_bytes().decode() == text, f"{name} differs; TTCTL_GOLDEN=write rewrites it"


def test_every_contract_is_there_and_nothing_besides() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == set(CHOSEN)
    assert {contract_of(spec).name for spec in CHOSEN.values()} == set(contracts())


def test_each_recipe_contract_and_family_of_the_catalog_has_its_text() -> None:
    needed = {kind_of(spec) for spec in entries() if spec.device != GPU}
    reviewed = {
        kind_of(spec) for name, spec in CHOSEN.items() if (FOLDER / f"{name}.txt").is_file()
    }
    assert len(needed) == 26
    assert needed - reviewed == set()


def test_what_is_built_by_each_recipe_has_its_text_on_each_family_too() -> None:
    built = {
        (recipe, "own", family)
        for recipe, _, family in map(kind_of, rendered())
        if recipe.startswith("vllm-")
    }
    assert built - {kind_of(spec) for spec in CHOSEN.values()} == set()
    assert {recipe for recipe, _, _ in built} == {
        "vllm-fork", "vllm-fork-plugin", "vllm-empty-plugin",
    }  # fmt: skip
