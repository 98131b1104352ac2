# SPDX-License-Identifier: Apache-2.0
"""Does the built-in catalog say of all 225 entries of release 0.20.0 what is known of them?

What is expected stands here and comes from upstream's launcher, Dockerfiles and vLLM's sources, not
from the files that are tested.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from tests.unit.listed import FACTS

from ttctl.adapters import places
from ttctl.adapters.catalog import BuiltInCatalog
from ttctl.errors import UsageError
from ttctl.model.device import DEVICE_NAMES
from ttctl.model.export import Listed
from ttctl.rules.contract import pins_of
from ttctl.rules.first_validated import with_latest
from ttctl.rules.tt_options import is_flag, options_of

if TYPE_CHECKING:
    from ttctl.model.pins import Pins
    from ttctl.model.spec import ModelSpec

CATALOG = BuiltInCatalog(places.catalog())
SPECS = tuple(spec for spec in CATALOG.specs() if spec.pins is not None)
VLLM = tuple(spec for spec in SPECS if spec.engine == "vllm")
EACH = pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.id)
NEWEST = {"3334377", "f52987a", "6b4a3a7", "9bd099c", "03fa3af"}
"""Pins whose tree nobody has read; they take the option as vLLM's own."""
IN_FORK = {"7678b70"}
"""The pin that has the plugin in its tree, and still the old flag."""
MESH = {
    "n150": "N150", "n150x4": "N150x4", "n300": "N300", "t3k": "T3K", "p100": "P100",
    "p150": "P150", "p150x4": "P150x4", "p150x8": "P150x8", "p300": "P300", "p300x2": "P300x2",
    "galaxy": "TG", "galaxy_t3k": "T3K", "dual_galaxy": "(8,8)", "quad_galaxy": "(8,16)",
    "gpu": "GPU",
}  # fmt: skip
ARCH = {"n": "wormhole_b0", "t": "wormhole_b0", "g": "wormhole_b0", "p": "blackhole"}


def pins(spec: ModelSpec) -> Pins:
    assert spec.pins is not None
    return spec.pins


def image_version(spec: ModelSpec) -> tuple[int, ...]:
    found = re.match(r"(\d+)\.(\d+)\.(\d+)-", pins(spec).image.rpartition(":")[2])
    return tuple(int(part) for part in found.groups()) if found else ()


def expected_contract(spec: ModelSpec) -> str:
    if spec.engine != "vllm":
        return spec.engine
    if spec.device in {"dual_galaxy", "quad_galaxy"}:
        return "multihost"
    return "vllm-legacy" if image_version(spec) < (0, 11, 0) else "vllm-current"


def expected_recipe(spec: ModelSpec) -> str:
    own = pins(spec)
    if spec.engine != "vllm":
        return "forge" if "forge" in own.image else "media"
    if spec.device in {"dual_galaxy", "quad_galaxy"}:
        return "multihost"
    if own.vllm in NEWEST:
        return "vllm-empty-plugin"
    return "vllm-fork-plugin" if own.vllm in IN_FORK else "vllm-fork"


@EACH
def test_contract_recipe_and_flag_are_those_of_the_entrys_own_time(spec: ModelSpec) -> None:
    own = pins(spec)
    flag = "--additional-config" if own.vllm in NEWEST else "--override_tt_config"
    assert own.contract == expected_contract(spec)
    assert own.recipe == expected_recipe(spec)
    assert own.flag == (flag if spec.engine == "vllm" else "")
    assert ("recipe" in own.inferred) == (
        own.vllm in NEWEST or (spec.engine == "forge" and own.recipe == "media")
    )
    assert ("flag" in own.inferred) == (own.vllm in NEWEST)
    assert own.reason


@EACH
def test_the_rule_gives_again_what_the_file_says(spec: ModelSpec) -> None:
    own = pins(spec)
    entry = Listed(
        spec=spec, tt_metal=own.tt_metal, vllm=own.vllm, image=own.image, version=own.version,
        raw={},
    )  # fmt: skip
    again = pins_of(entry, FACTS)
    fields = ("contract", "recipe", "flag", "inferred", "reason")
    assert [getattr(again, name) for name in fields] == [getattr(own, name) for name in fields]


@EACH
def test_arguments_are_spelled_as_the_pin_knows_them(spec: ModelSpec) -> None:
    flags = [name for name, _ in spec.engine_args if is_flag(name)]
    options = dict(spec.engine_args)[flags[0]]
    assert len(flags) == 1
    if spec.engine == "vllm":
        assert flags == [pins(spec).flag[2:].replace("-", "_")]
        assert ("tt" in json.loads(options)) == (flags != ["override_tt_config"])
    arguments = dict(spec.engine_args)
    assert arguments["model"] == spec.model
    assert int(arguments["max_model_len"]) == spec.limits.max_model_len > 0
    assert int(arguments["max_num_seqs"]) == spec.limits.max_num_seqs > 0
    assert int(arguments["block_size"]) == spec.limits.block_size


@EACH
def test_the_device_is_one_that_exists_and_the_engine_is_told_its_mesh(spec: ModelSpec) -> None:
    environment = dict(spec.environment)
    assert spec.device in DEVICE_NAMES
    mesh = environment["MESH_DEVICE"]
    # gemma-4 uses the four chips of p300x2 as those of p150x4.
    own = {MESH[spec.device], "P150x4" if spec.model.endswith("gemma-4-31B-it") else ""}
    assert mesh in own or re.fullmatch(r"\(\d+, ?\d+\)", mesh), mesh
    if spec.device != "gpu" and "ARCH_NAME" in environment:
        assert environment["ARCH_NAME"] == ARCH[spec.device[0]]


@EACH
def test_the_latest_values_keep_the_pins_flag_and_lose_only_what_changed(spec: ModelSpec) -> None:
    latest = with_latest(spec)
    assert [name for name, _ in latest.engine_args if is_flag(name)] == [
        name for name, _ in spec.engine_args if is_flag(name)
    ]
    options = options_of(latest.engine_args)
    for one in spec.changed:
        if one.option:
            assert str(options.get(one.name, "")) == one.latest
    assert latest.changed == ()
    assert (latest == spec) == (not spec.changed)


def test_the_counts_are_those_of_release_0_20_0() -> None:
    assert len(SPECS) == 225
    assert len({spec.model for spec in SPECS}) == 69
    assert Counter(spec.device for spec in SPECS) == {
        "t3k": 45, "n300": 35, "galaxy": 33, "n150": 32, "p300x2": 22, "galaxy_t3k": 15,
        "p150x8": 13, "p150x4": 10, "p150": 7, "p300": 5, "p100": 2, "n150x4": 2, "gpu": 2,
        "dual_galaxy": 1, "quad_galaxy": 1,
    }  # fmt: skip
    assert Counter(spec.engine for spec in SPECS) == {"vllm": 128, "media": 69, "forge": 28}
    assert Counter(spec.status for spec in SPECS) == {
        "COMPLETE": 80, "FUNCTIONAL": 79, "EXPERIMENTAL": 66,
    }  # fmt: skip
    assert Counter(spec.type for spec in SPECS) == {
        "LLM": 110, "IMAGE": 35, "VLM": 23, "CNN": 16, "EMBEDDING": 15, "AUDIO": 12, "VIDEO": 10,
        "TEXT_TO_SPEECH": 4,
    }  # fmt: skip
    assert len({pins(spec).image for spec in SPECS}) == 44
    assert len({pins(spec).tt_metal for spec in SPECS}) == 35
    assert len({pins(spec).vllm for spec in VLLM}) == 26


def test_the_contracts_are_counted_and_90_are_legacy() -> None:
    assert Counter(pins(spec).contract for spec in SPECS) == {
        "vllm-legacy": 90, "vllm-current": 36, "multihost": 2, "media": 69, "forge": 28,
    }  # fmt: skip
    legacy = [spec for spec in SPECS if pins(spec).contract == "vllm-legacy"]
    assert Counter(spec.device for spec in legacy) == {
        "t3k": 21, "n300": 15, "galaxy_t3k": 13, "galaxy": 12, "n150": 11, "p150x8": 7,
        "p150x4": 6, "gpu": 2, "n150x4": 2, "p300": 1,
    }  # fmt: skip


def test_four_forge_entries_run_in_a_media_image() -> None:
    odd = [one for one in SPECS if one.engine == "forge" and "forge" not in pins(one).image]
    assert len(odd) == 4
    assert {pins(spec).recipe for spec in odd} == {"media"}
    assert {pins(spec).contract for spec in odd} == {"forge"}


def test_the_tag_and_not_the_entrys_version_is_the_images() -> None:
    differing = [
        spec
        for spec in SPECS
        if image_version(spec) and ".".join(map(str, image_version(spec))) != pins(spec).version
    ]
    assert len(differing) == 16
    assert {spec.engine for spec in differing} == {"media", "forge"}


def test_what_later_releases_changed_is_counted() -> None:
    changed = Counter(
        (one.name.replace("-", "_"), one.option)
        for spec in SPECS
        for one in spec.changed
        if one.kind == "argument"
    )
    assert changed == {
        ("num_scheduler_steps", False): 53, ("trace_region_size", True): 41,
        ("mm_processor_cache_gb", False): 13, ("l1_small_size", True): 11,
        ("worker_l1_size", True): 11, ("data_parallel", True): 7, ("fabric_config", True): 4,
        ("max_model_len", False): 4, ("max_num_batched_tokens", False): 4,
        ("max_num_seqs", False): 3, ("disable_mm_preprocessor_cache", False): 2,
        ("data_parallel_size", False): 1,
    }  # fmt: skip
    assert all(not spec.changed for spec in SPECS if spec.engine != "vllm")


def test_the_first_releases_are_counted() -> None:
    assert Counter(pins(spec).first_release for spec in VLLM) == {
        "0.9.0": 52, "0.10.0": 15, "0.11.1": 15, "0.13.0": 11, "0.4.0": 8, "0.18.0": 5,
        "0.17.0": 4, "0.16.0": 4, "0.2.0": 4, "0.19.0": 4, "0.12.0": 3, "0.20.0": 2, "0.14.0": 1,
    }  # fmt: skip


def test_only_the_trace_region_of_p150_is_suspect() -> None:
    odd = {spec.id: spec.suspect for spec in SPECS if spec.suspect}
    assert set(odd) == {
        "id_tt-transformers_Llama-3.1-8B_p150",
        "id_tt-transformers_Llama-3.1-8B-Instruct_p150",
    }
    assert all("900000000" in lines[0] for lines in odd.values())


def test_requirements_are_read_with_their_mode() -> None:
    by_device = {
        spec.device: {(one.what, one.specifier, one.strict) for one in spec.requirements}
        for spec in SPECS
        if spec.requirements
    }
    assert by_device["p300x2"] == {("firmware", ">=19.2.0", True), ("driver", ">=2.5.0", True)}
    assert by_device["t3k"] == {("firmware", ">=18.8.0", False), ("driver", ">=2.2.0", False)}


def test_the_origin_names_release_day_and_export() -> None:
    origin = CATALOG.origin()
    assert (origin.release, origin.source, origin.date) == ("0.20.0", "built-in", "2026-08-14")
    assert re.fullmatch(r"[0-9a-f]{64}", origin.sha256)
    assert origin.age_s is None
    assert CATALOG.quarantined() == ()


def test_an_entry_is_shown_as_its_file_has_it() -> None:
    raw = CATALOG.raw("id_tt-transformers_Llama-3.1-8B-Instruct_p150")
    assert raw["tt_metal"] == "c49bb76"
    assert raw["upstream"]["uses_tensor_model_cache"] is True  # type: ignore[index]
    own = CATALOG.raw("cpu-demo-llama")
    assert own["demo"] is True
    with pytest.raises(UsageError, match="no entry 'cpu-nothing'"):
        CATALOG.raw("cpu-nothing")


def test_advice_has_reason_source_and_day_and_names_what_the_catalog_has() -> None:
    advice = CATALOG.advice()
    said = (*advice.known_bad, *advice.fallbacks, *advice.images)
    assert len(advice.known_bad) == 9
    assert len(advice.fallbacks) == 3
    assert len(advice.images) == 1
    assert all(one.reason and one.source and re.fullmatch(r"\d{4}-\d\d", one.date) for one in said)
    for bad in advice.known_bad:
        pattern = re.compile(re.escape(bad.model).replace(r"\*", ".*"))
        hit = [
            one
            for one in SPECS
            if one.device == bad.device
            and one.engine == bad.engine
            and pattern.fullmatch(one.model)
        ]
        assert hit, bad.model
