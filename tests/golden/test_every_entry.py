# SPDX-License-Identifier: Apache-2.0
"""Is what each entry of the built-in catalog renders valid where other tools read it?

Docker's compose file against the schema of its specification, and each Dockerfile that builds an
entry from its pins with hadolint. Only the text is judged: nothing is built or started.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from tests.golden.test_launch import stacks_of
from tests.unit.fakes import RECIPES
from tests.unit.rules.launching import contract_of, entries, pins_of, recipes

from ttctl.adapters import places
from ttctl.adapters.sources import read_sources
from ttctl.model.image import BaseImage
from ttctl.model.pins import DERIVED
from ttctl.rules.compose import compose_of
from ttctl.rules.derived import derived
from ttctl.rules.fingerprint import sha256_text
from ttctl.rules.images import specs_for
from ttctl.rules.launch import GPU
from ttctl.rules.recipe import CannotBuild, SourceBuild, recipe_for

if TYPE_CHECKING:
    from ttctl.model.spec import ModelSpec

SCHEMA = "builtin_schemas/vendor/compose-spec.json"
BASE = BaseImage(origin="bootstrapped", reference="ttctl/rootfs:bookworm", source="debian bookworm")
DERIVED_ENTRIES = [
    pytest.param(one, id=f"{name} {one.id}") for name in DERIVED for one in derived(entries(), name)
]
RENDERED = [pytest.param(spec, id=spec.id) for spec in entries() if spec.device != GPU]
"""Those that are started, and those of several hosts, of which each host gets a folder."""


@cache
def schema() -> Any:  # noqa: ANN401 - a class that the schema names
    pytest.importorskip("check_jsonschema", reason="the schema of compose files lies in it")
    told = json.loads((files("check_jsonschema") / SCHEMA).read_text(encoding="utf-8"))
    kind = jsonschema.validators.validator_for(told)
    kind.check_schema(told)
    return kind(told)


def composed(spec: ModelSpec) -> list[dict[str, Any]]:
    """Return the compose file of each host of an entry, as a reader of YAML has it."""
    found = [compose_of(stack) for stack in stacks_of(spec)]
    for one in found:
        # Refused where the text, read back, is not the very same.
        recipes().yaml(one)
    return found


def build_of(spec: ModelSpec) -> SourceBuild | CannotBuild:
    """Return how an entry's image is built; in place of each full commit stands a made-up one."""
    pins = pins_of(spec)
    named = {"tt-metal": pins.tt_metal, "vllm": pins.vllm}
    full = {name: sha256_text(commit)[:40] for name, commit in named.items() if commit}
    return recipe_for(pins, repositories=read_sources(places.catalog()).source, commits=full)


@cache
def dockerfiles() -> dict[str, str]:
    """Return each distinct text of every chain, with the first entry that it is of."""
    found: dict[str, str] = {}
    known = {name: RECIPES.recipe(name) for name in RECIPES.names()}
    for spec in entries():
        build = build_of(spec)
        if isinstance(build, CannotBuild):
            continue
        assert build.unlocked == (), spec.id
        chain = specs_for(
            known, (build.image,), base=BASE, render=RECIPES.render, values=dict(build.values)
        )
        for image in chain[1:]:
            found.setdefault(image.dockerfile, f"{image.name} of {spec.id}")
    return found


def lint(*paths: Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("hadolint")
    return subprocess.run(
        [str(program), *map(str, paths)], capture_output=True, text=True, check=False
    )


def test_every_entry_that_can_be_rendered_is_looked_at() -> None:
    assert len(RENDERED) == 223


@pytest.mark.parametrize("spec", [*RENDERED, *DERIVED_ENTRIES])
def test_a_compose_file_is_as_the_specification_of_compose_says(spec: ModelSpec) -> None:
    found = composed(spec)
    assert len(found) > (contract_of(spec).name == "multihost")
    for one in found:
        wrong = [f"{error.json_path}: {error.message}" for error in schema().iter_errors(one)]
        assert wrong == []


@pytest.mark.parametrize(
    ("field", "value"),
    [("devices", "/dev/tenstorrent/0"), ("cap_drop", [1]), ("shm", "1g"), ("ulimits", 5)],
)
def test_the_schema_does_refuse_what_compose_would(field: str, value: object) -> None:
    one = composed(entries()[0])[0]
    one["services"]["gateway"][field] = value
    assert not schema().is_valid(one)


def test_which_entries_can_be_built_from_their_pins() -> None:
    found = Counter(
        (pins_of(one).recipe, isinstance(build_of(one), SourceBuild)) for one in entries()
    )
    assert found == {
        ("vllm-fork", True): 106,
        ("vllm-empty-plugin", True): 19,
        ("vllm-fork-plugin", True): 1,
        ("media", False): 73,
        ("forge", False): 24,
        ("multihost", False): 2,
    }


def test_which_entries_a_program_of_ours_serves() -> None:
    found = [(one, build_of(one)) for name in DERIVED for one in derived(entries(), name)]
    assert all(isinstance(build, SourceBuild) and build.derived for _, build in found)
    assert Counter(one.engine for one, _ in found) == {"direct": 87, "sd": 6}


def test_every_dockerfile_that_builds_an_entry_is_clean(tmp_path: Path) -> None:
    paths = []
    for rank, text in enumerate(dockerfiles()):
        paths.append(tmp_path / f"{rank}.Dockerfile")
        paths[-1].write_text(text, encoding="utf-8")
    done = lint(*paths)
    assert len(paths) > len(recipes().names())
    assert done.returncode == 0, (done.stdout, list(dockerfiles().values()))


def test_a_dockerfile_that_is_not_clean_is_found(tmp_path: Path) -> None:
    path = tmp_path / "Dockerfile"
    path.write_text("FROM debian\nRUN cd /tmp && sudo true\n", encoding="utf-8")
    assert lint(path).returncode != 0
