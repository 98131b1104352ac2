# SPDX-License-Identifier: Apache-2.0
"""Is an image started as it was first validated, and is what changed since then kept beside it?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.unit.listed import FACTS, MEDIA, VLLM, listed

from ttctl.model.export import Export
from ttctl.model.pin_facts import FirstValidated
from ttctl.model.pins import Changed
from ttctl.rules.contract import pins_of
from ttctl.rules.first_validated import as_first_validated, earliest, known_first, with_latest
from ttctl.rules.tt_options import options_of
from ttctl.rules.validated import validated_specs

if TYPE_CHECKING:
    from ttctl.model.export import Listed
    from ttctl.model.spec import ModelSpec

IMAGE = f"{VLLM}:0.9.0-55fd115-aa4ae1e"
FIRST = (
    ("max_model_len", "4096"),
    ("max_num_seqs", "16"),
    ("block_size", "32"),
    ("num_scheduler_steps", "10"),
    ("disable_mm", ""),
    ("override_tt_config", '{"trace_region_size": 10, "data_parallel": 4}'),
)
LATEST = (
    ("max_model_len", "8192"),
    ("max-num-seqs", "16"),
    ("block_size", "32"),
    ("enable_tools", ""),
    ("additional_config", '{"tt": {"trace_region_size": 30, "fabric_config": "FABRIC_1D"}}'),
)


def latest_entry(**changes: object) -> Listed:
    given = {"arguments": LATEST, "environment": (("A", "1"), ("B", "2")), **changes}
    return listed(IMAGE, **given)  # type: ignore[arg-type]


def pinned(entry: Listed) -> ModelSpec:
    return replace(entry.spec, pins=pins_of(entry, FACTS))


def first(image: str = IMAGE) -> FirstValidated:
    environment = (("A", "1"), ("C", "3"))
    return FirstValidated(image=image, release="0.9.0", arguments=FIRST, environment=environment)


def test_arguments_environment_and_limits_are_those_of_the_first_release() -> None:
    spec = as_first_validated(pinned(latest_entry()), first(), release="0.20.0")
    assert spec.engine_args == FIRST
    assert spec.environment == (("A", "1"), ("C", "3"))
    assert (spec.limits.max_model_len, spec.limits.max_num_seqs) == (4096, 16)
    assert spec.limits.block_size == 32
    assert spec.pins is not None
    assert spec.pins.first_release == "0.9.0"


def test_what_changed_is_kept_option_by_option_and_two_spellings_are_no_change() -> None:
    spec = as_first_validated(pinned(latest_entry()), first(), release="0.20.0")

    def argument(name: str, before: str, after: str, *, option: bool = False) -> Changed:
        return Changed(kind="argument", name=name, first=before, latest=after, option=option)

    assert set(spec.changed) == {
        argument("max_model_len", "4096", "8192"),
        argument("num_scheduler_steps", "10", ""),
        argument("disable_mm", "true", ""),
        argument("enable_tools", "", "true"),
        argument("trace_region_size", "10", "30", option=True),
        argument("data_parallel", "4", "", option=True),
        argument("fabric_config", "", "FABRIC_1D", option=True),
        Changed(kind="environment", name="B", first="", latest="2"),
        Changed(kind="environment", name="C", first="3", latest=""),
    }


def test_the_latest_values_come_in_the_pins_own_spelling() -> None:
    spec = with_latest(as_first_validated(pinned(latest_entry()), first(), release="0.20.0"))
    names = dict(spec.engine_args)
    assert "additional_config" not in names
    assert options_of(spec.engine_args) == {"trace_region_size": 30, "fabric_config": "FABRIC_1D"}
    assert names["max_model_len"] == "8192"
    assert names["enable_tools"] == ""
    assert "num_scheduler_steps" not in names
    assert "disable_mm" not in names
    assert spec.environment == (("A", "1"), ("B", "2"))
    assert spec.limits.max_model_len == 8192
    assert spec.changed == ()


def test_without_changes_the_latest_is_the_same() -> None:
    entry = listed(IMAGE, arguments=FIRST)
    same = replace(first(), environment=())
    spec = as_first_validated(pinned(entry), same, release="0.20.0")
    assert spec.changed == ()
    assert with_latest(spec) == spec


def test_another_image_keeps_its_own_arguments_in_the_pins_own_spelling() -> None:
    for known in (None, first(f"{VLLM}:0.1.0-x-y")):
        spec = as_first_validated(pinned(latest_entry()), known, release="0.21.0")
        assert spec.changed == ()
        name, value = spec.engine_args[-1]
        assert name == "override_tt_config"
        assert value == '{"trace_region_size": 30, "fabric_config": "FABRIC_1D"}'
        assert spec.limits.max_model_len == 8192


@pytest.mark.parametrize(
    ("tag", "release", "first_release"),
    [
        pytest.param(
            "0.9.0-a-b", "0.21.0", "", id="an older image: who listed it first is unknown"
        ),
        pytest.param("0.21.0-a-b", "0.21.0", "0.21.0", id="an image of the release itself"),
        pytest.param("0.22.0-a-b", "0.21.0", "0.21.0", id="an image before its release"),
        pytest.param("0.21.0-a-b", "", "", id="a catalog without a release"),
        pytest.param("latest", "0.21.0", "0.21.0", id="the entry's own version"),
    ],
)
def test_a_first_release_is_claimed_only_where_none_before_can_have_had_the_image(
    tag: str, release: str, first_release: str
) -> None:
    entry = replace(latest_entry(), image=f"{VLLM}:{tag}", version="0.21.0")
    spec = as_first_validated(pinned(entry), None, release=release)
    assert spec.pins is not None
    assert spec.pins.first_release == first_release


def test_what_the_pins_flag_has_no_place_for_is_told() -> None:
    entry = latest_entry(arguments=(("additional_config", '{"tt": {}, "x": 1}'),))
    spec = as_first_validated(pinned(entry), None, release="0.21.0")
    assert spec.suspect == ("--override_tt_config has no place for 'x'",)


def test_a_first_release_that_wrote_another_flag_is_translated_too() -> None:
    wrong = replace(first(), arguments=LATEST)
    spec = as_first_validated(pinned(latest_entry()), wrong, release="0.21.0")
    assert "override_tt_config" in dict(spec.engine_args)


def test_media_entries_use_their_own() -> None:
    entry = listed(f"{MEDIA}:0.9.0-x", engine="media", arguments=LATEST)
    known = first(entry.image)
    assert as_first_validated(pinned(entry), known, release="0.20.0").engine_args == LATEST


def test_an_image_counts_from_its_first_listing_even_when_it_went_and_came_back() -> None:
    old, new = latest_entry(arguments=FIRST), listed(f"{VLLM}:0.10.0-x-y", arguments=LATEST)
    releases = [("0.1.0", [old]), ("0.2.0", [new]), ("0.3.0", [latest_entry()])]
    found = earliest(releases, but={})[old.spec.id]
    assert (found.release, found.arguments) == ("0.1.0", FIRST)
    assert earliest(releases[:2], but={})[old.spec.id].release == "0.2.0"


def test_what_is_known_from_elsewhere_wins_only_for_the_same_image() -> None:
    releases = [("0.9.0", [latest_entry()])]
    name = latest_entry().spec.id
    same = replace(first(), release="0.1.0")
    assert earliest(releases, but={name: same})[name] == same
    other = replace(first(f"{VLLM}:0.1.0-x"), release="0.1.0")
    assert earliest(releases, but={name: other})[name].release == "0.9.0"


def test_a_catalog_that_is_known_gives_its_first_validations_to_a_newer_export() -> None:
    known = known_first([as_first_validated(pinned(latest_entry()), first(), release="0.20.0")])
    export = Export(
        release="0.21.0", release_from="the file", sha256="", quarantined=(),
        listed=(latest_entry(),),
    )  # fmt: skip
    (spec,) = validated_specs(export, facts=FACTS, first=known)
    assert spec.engine_args == FIRST
    assert spec.changed
