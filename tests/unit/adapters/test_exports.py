# SPDX-License-Identifier: Apache-2.0
"""Are real exports read whole? `EXPORTS=DIR` names a folder of them; then no test is skipped.

Each file in it, or in a folder of it, is one that upstream published, whatever it is named now.
`vllm_args_as_first_validated.json` beside them is compared where it is there.
"""

from __future__ import annotations

import hashlib
import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from tests.unit.listed import FACTS

from tools.catalog import FIRST, FOLDER, exports_in, first_in, history, specs_from, texts
from ttctl.adapters import compiled, places
from ttctl.adapters.catalog import BuiltInCatalog
from ttctl.adapters.upstream_export import read_export
from ttctl.model.spec import STATUSES
from ttctl.rules.first_validated import earliest, known_first, with_latest
from ttctl.rules.tt_options import is_flag, options_of
from ttctl.rules.validated import validated_specs

pytestmark = pytest.mark.exports
DIR = Path(os.environ.get("EXPORTS", ""))
FILES = exports_in(DIR) if os.environ.get("EXPORTS") else []
BUILT_IN = BuiltInCatalog(places.catalog())
EACH = pytest.mark.parametrize(
    "path", FILES or [pytest.param(Path(), marks=pytest.mark.skip(reason="EXPORTS has no export"))],
    ids=lambda path: path.relative_to(DIR).as_posix() if path.name else "",
)  # fmt: skip


@cache
def entries(path: Path) -> dict[str, dict[str, Any]]:
    """Return the entries by id, read in the plainest way."""
    whole = json.loads(path.read_text(encoding="utf-8"))
    if "model_specs" not in whole:
        return dict(whole)
    found = [
        entry
        for devices in whole["model_specs"].values()
        for engines in devices.values()
        for implementations in engines.values()
        for entry in implementations.values()
    ]
    return {entry["model_id"]: entry for entry in found}


def plainly(arguments: dict[str, Any]) -> dict[str, str]:
    """Return arguments as text by their names with `_`, without the flag of the options."""
    texts_ = {key.replace("-", "_"): value for key, value in arguments.items() if value is not None}
    return {
        key: "" if value is True else value if isinstance(value, str) else json.dumps(value)
        for key, value in texts_.items()
        if not is_flag(key) and value is not False
    }


@EACH
def test_no_entry_is_refused_and_none_is_lost(path: Path) -> None:
    export = read_export(path.read_bytes(), name=path.name)
    assert export.quarantined == ()
    assert {one.spec.id for one in export.listed} == set(entries(path))
    assert export.release


@EACH
def test_each_entry_says_what_the_file_says(path: Path) -> None:
    export = read_export(path.read_bytes(), name=path.name)
    for one in export.listed:
        entry = entries(path)[one.spec.id]
        device = entry["device_model_spec"]
        assert one.image == (entry["docker_image"] or "")
        assert one.tt_metal == (entry["tt_metal_commit"] or "")
        assert one.vllm == (entry["vllm_commit"] or "")
        assert one.spec.model == entry["hf_model_repo"]
        assert one.spec.device == entry["device_type"].lower()
        assert one.spec.engine == entry.get("inference_engine", one.spec.engine).lower()
        assert one.spec.status == (entry["status"] if entry["status"] in STATUSES else STATUSES[0])
        assert one.spec.default == device["default_impl"]
        assert one.spec.limits.max_model_len == device["max_context"]
        assert one.spec.memory_mib >= (entry["min_ram_gb"] or 0) * 1024
        assert dict(one.spec.environment) == as_text(entry["env_vars"])
        figures = [
            tier
            for reference in device["perf_reference"]
            for tier in reference["targets"].values()
            if any(tier.get(name) for name in ("ttft_ms", "tput_user", "tput"))
        ]
        assert len(one.spec.targets) == len(figures)
        assert len(one.spec.issues) == len(device.get("known_issues") or ())
        assert one.raw == entry


@EACH
def test_each_entry_becomes_a_spec_that_is_kept_and_read_back(path: Path, tmp_path: Path) -> None:
    export = read_export(path.read_bytes(), name=path.name)
    first = known_first(BUILT_IN.specs())
    specs = validated_specs(export, facts=FACTS, first=first)
    file = tmp_path / "kept.json"
    file.write_text(compiled.text_of(specs, "key"), encoding="utf-8")
    assert compiled.read(file, "key") == specs
    for spec in specs:
        assert spec.pins is not None
        names = [name for name, _ in spec.engine_args if is_flag(name)]
        if spec.pins.flag:
            assert names == [spec.pins.flag[2:].replace("-", "_")]


@EACH
def test_the_latest_values_are_the_files_own(path: Path) -> None:
    export = read_export(path.read_bytes(), name=path.name)
    own = {one.spec.id: one.spec for one in export.listed}
    for spec in validated_specs(export, facts=FACTS, first=known_first(BUILT_IN.specs())):
        latest, said = with_latest(spec), own[spec.id]
        assert plainly(dict(latest.engine_args)) == plainly(
            entries(path)[spec.id]["device_model_spec"]["vllm_args"]
        )
        assert options_of(latest.engine_args) == options_of(said.engine_args)
        assert dict(latest.environment) == dict(said.environment)


@EACH
def test_a_catalog_can_be_made_of_it_that_says_the_same_again(path: Path) -> None:
    export, specs = specs_from(path)
    assert texts(export, specs, date="2026-01-01") == texts(export, specs, date="2026-01-01")
    assert len(specs) == len(entries(path))


@pytest.mark.skipif(not FILES, reason="EXPORTS has no export")
def test_the_catalogs_arguments_are_those_of_the_first_release_word_for_word() -> None:
    told = DIR / FIRST
    first = json.loads(told.read_text(encoding="utf-8")) if told.is_file() else in_the_exports()
    checked = 0
    for spec in BUILT_IN.specs():
        said = first.get(spec.id)
        if spec.pins is None or said is None or said["image"] != spec.pins.image:
            continue
        assert spec.pins.first_release == said["first_release_with_image"]
        assert plainly(dict(spec.engine_args)) == plainly(said["vllm_args"])
        assert dict(spec.engine_args)[said["tt_flag"]] == said["vllm_args"][said["tt_flag"]]
        assert dict(spec.environment) == as_text(said["env_vars"])
        checked += 1
    assert checked == (128 if told.is_file() else len(first))


def in_the_exports() -> dict[str, Any]:
    """Return the same by the plainest reading of those first releases that are in the folder."""
    there = dict(history(DIR, up_to="999"))
    found: dict[str, Any] = {}
    for spec in BUILT_IN.specs():
        if spec.pins is not None and spec.pins.flag and spec.pins.first_release in there:
            listed = there[spec.pins.first_release].listed
            (entry,) = [dict(one.raw) for one in listed if one.spec.id == spec.id]
            arguments = entry["device_model_spec"]["vllm_args"]
            found[spec.id] = {
                "image": entry["docker_image"],
                "first_release_with_image": spec.pins.first_release,
                "tt_flag": next(name for name in arguments if is_flag(name)),
                "vllm_args": arguments,
                "env_vars": entry["env_vars"],
            }
    return found


def as_text(values: dict[str, Any]) -> dict[str, str]:
    return {
        key: value if isinstance(value, str) else json.dumps(value)
        for key, value in values.items()
        if value is not None
    }


@pytest.mark.skipif(not FILES, reason="EXPORTS has no export")
def test_the_built_in_catalog_is_what_its_export_gives() -> None:
    origin = BUILT_IN.origin()
    same = [one for one in FILES if hashlib.sha256(one.read_bytes()).hexdigest() == origin.sha256]
    if not same or not (DIR / FIRST).is_file():
        # Another set of exports than the one it was made from says nothing of it.
        assert origin.release
        return
    export, specs = specs_from(same[0])
    for name, text in texts(export, specs, date=origin.date).items():
        assert (FOLDER / name).read_text(encoding="utf-8") == text, "make catalog writes it anew"


@pytest.mark.skipif(not FILES, reason="EXPORTS has no export")
def test_the_exports_themselves_give_the_first_releases_as_far_as_they_reach() -> None:
    past = history(DIR, up_to="999")
    found = earliest([(release, one.listed) for release, one in past], but={})
    there = {release for release, _ in past}
    known = first_in(DIR / FIRST) or known_first(BUILT_IN.specs())
    for name, first in known.items():
        if first.release in there and name in found and found[name].image == first.image:
            assert found[name] == first
