# SPDX-License-Identifier: Apache-2.0
"""Is each image launched and built as its own time did it?"""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.listed import FACTS, FORGE, HOST, MEDIA, MULTIHOST, VLLM, listed

from ttctl.rules.contract import fact_of, image_version, pins_of

SDXL = "stabilityai/stable-diffusion-xl-base-1.0"
OVERRIDE, ADDITIONAL = "--override_tt_config", "--additional-config"
BUILD = ("recipe", "flag")


@pytest.mark.parametrize(
    ("entry", "contract", "recipe", "flag", "inferred"),
    [
        pytest.param({}, "vllm-legacy", "vllm-fork", OVERRIDE, (), id="an old fork"),
        pytest.param(
            {"image": f"{VLLM}:0.10.1-a-b"}, "vllm-legacy", "vllm-fork", OVERRIDE, (),
            id="0.10.1, though it came after 0.12.0",
        ),
        pytest.param(
            {"image": f"{VLLM}:0.11.0-a-b"}, "vllm-current", "vllm-fork", OVERRIDE, (),
            id="the first current one",
        ),
        pytest.param(
            {"image": f"{VLLM}:0.3.0-a-b", "version": "0.12.0"}, "vllm-legacy", "vllm-fork",
            OVERRIDE, (), id="the tag's version, not the entry's",
        ),
        pytest.param(
            {"image": f"{VLLM}:latest", "version": "0.12.0"}, "vllm-current", "vllm-fork",
            OVERRIDE, (), id="the entry's version where the tag has none",
        ),
        pytest.param(
            {"image": f"{VLLM}@sha256:{'0' * 64}", "version": "0.9.0"}, "vllm-legacy",
            "vllm-fork", OVERRIDE, (), id="no tag",
        ),
        pytest.param(
            {"image": "", "version": "0.9.0"}, "vllm-legacy", "vllm-fork", OVERRIDE,
            ("contract",), id="no image",
        ),
        pytest.param(
            {"image": VLLM, "version": ""}, "vllm-current", "vllm-fork", OVERRIDE,
            ("contract",), id="no version anywhere",
        ),
        pytest.param(
            {"image": f"{VLLM}:0.14.0-80180b9-7678b70", "vllm": "7678b70"}, "vllm-current",
            "vllm-fork-plugin", OVERRIDE, (), id="a fork with the plugin",
        ),
        pytest.param(
            {"image": f"{VLLM}:0.18.0-c49bb76-6b4a3a7", "vllm": "6b4a3a7"}, "vllm-current",
            "vllm-empty-plugin", ADDITIONAL, BUILD, id="a pin that nobody read",
        ),
        pytest.param(
            {"image": f"{VLLM}:0.9.0-a-b", "vllm": "3499ffa1fd8ab7a6987e17347d31d78379a92bef"},
            "vllm-legacy", "vllm-fork", OVERRIDE, (), id="a pin of 40 digits",
        ),
        pytest.param(
            {"image": f"{VLLM}:0.9.0-60ffb199-3499ffa1", "vllm": "3499ffa1"}, "vllm-legacy",
            "vllm-fork", OVERRIDE, (), id="a pin of 8 digits",
        ),
        pytest.param(
            {"image": f"{VLLM}:0.13.0-a-b", "vllm": "0123456"}, "vllm-current", "vllm-fork",
            OVERRIDE, BUILD, id="unknown pin of 0.13",
        ),
        pytest.param(
            {"image": f"{VLLM}:0.14.2-a-b", "vllm": "0123456"}, "vllm-current",
            "vllm-fork-plugin", OVERRIDE, BUILD, id="unknown pin of 0.14",
        ),
        pytest.param(
            {"image": f"{VLLM}:0.15.0-a-b", "vllm": "0123456"}, "vllm-current",
            "vllm-empty-plugin", "--plugin_config", BUILD, id="unknown pin of 0.15",
        ),
        pytest.param(
            {"image": f"{VLLM}:0.20.1-a-b", "vllm": "0123456"}, "vllm-current",
            "vllm-empty-plugin", ADDITIONAL, BUILD, id="unknown pin of 0.20",
        ),
        pytest.param(
            {"image": f"{VLLM}:0.23.0-a-b", "vllm": "0123456"}, "vllm-current",
            "vllm-standalone-plugin", ADDITIONAL, BUILD, id="unknown pin of tomorrow",
        ),
        pytest.param(
            {"image": f"{MULTIHOST}:0.12.0-805f43d-a45c614", "vllm": "a45c614"}, "multihost",
            "multihost", OVERRIDE, (), id="several hosts by the image",
        ),
        pytest.param(
            {"device": "quad_galaxy"}, "multihost", "multihost", OVERRIDE, (),
            id="several hosts by the device",
        ),
        pytest.param(
            {"image": f"{MEDIA}:0.2.0-2496be4", "engine": "media", "vllm": ""}, "media", "media",
            "", (), id="a media image of 0.2.0 is no old vLLM",
        ),
        pytest.param(
            {"image": f"{MEDIA}:0.17.0-8c48a10", "engine": "media", "vllm": "6b4a3a7"}, "media",
            "media", "", (), id="a media image with a vLLM commit",
        ),
        pytest.param(
            {"image": f"{MEDIA}:0.11.1-bac8b34", "engine": "media", "model": SDXL}, "media",
            "media", "", ("contract",), id="SDXL before the C++ server served images",
        ),
        pytest.param(
            {"image": f"{MEDIA}:0.15.0-25891d3", "engine": "media", "model": SDXL}, "media-cpp",
            "media", "", ("contract",), id="SDXL on the C++ server",
        ),
        pytest.param(
            {"image": f"{MEDIA}:0.17.0-8c48a10", "engine": "media", "model": SDXL,
             "device": "p100"},
            "media", "media", "", (), id="SDXL where the launcher knows no C++ server",
        ),
        pytest.param(
            {"image": f"{MEDIA}:0.17.0-8c48a10", "engine": "media", "model": "a/FLUX.1-dev"},
            "media", "media", "", (), id="another image model",
        ),
        pytest.param(
            {"image": f"{FORGE}:a9b09e0b_98dcf62_60920940673", "engine": "forge"}, "forge",
            "forge", "", (), id="forge, with no version in its tag",
        ),
        pytest.param(
            {"image": f"{MEDIA}:0.2.0-2496be4", "engine": "forge"}, "forge", "media", "",
            ("recipe",), id="forge in a media image",
        ),
        pytest.param(
            {"image": "", "engine": "forge"}, "forge", "forge", "", (), id="forge without an image",
        ),
        pytest.param(
            {"image": f"{HOST}/other:0.9.0"}, "vllm-legacy", "vllm-fork", OVERRIDE,
            ("contract",), id="another repository",
        ),
    ],
)  # fmt: skip
def test_engine_and_repository_decide_before_version_and_pin(
    entry: dict[str, Any], contract: str, recipe: str, flag: str, inferred: tuple[str, ...]
) -> None:
    pins = pins_of(listed(**entry), FACTS)
    assert (pins.contract, pins.recipe, pins.flag) == (contract, recipe, flag)
    assert pins.inferred == inferred
    assert pins.reason


@pytest.mark.parametrize(
    ("tag", "version"),
    [
        ("0.2.0-v0.62.0-rc33-e7c329b", (0, 2, 0)),
        ("v0.17-8c48a10", (0, 17)),
        ("0.10.1", (0, 10, 1)),
        ("2496be4518bca0a7a5b497a4cda3cfe7e2f59756", ()),
        ("a9b09e0b611da6deb4d8972e8296148fd864e5fd_98dcf62_60920940673", ()),
        ("12.5abc", ()),
        ("v0.62.0-rc33", (0, 62, 0)),
    ],
)
def test_a_tag_has_a_version_only_where_it_begins_with_one(
    tag: str, version: tuple[int, ...]
) -> None:
    assert image_version(f"host:5000/owner/name:{tag}", "")[0] == version


def test_what_is_read_and_what_is_deduced_of_the_c_plus_plus_server_is_said() -> None:
    entry = listed(f"{MEDIA}:0.15.0-25891d3", engine="media", model=SDXL)
    reason = pins_of(entry, FACTS).reason
    assert "(read)" in reason
    assert "deduced" in reason


def test_no_commit_is_no_pin_that_is_known() -> None:
    assert fact_of("", FACTS) is None
    assert fact_of("ffffffffff", FACTS) is None
    found = fact_of("7678b70", FACTS)
    assert found is not None
    assert found.full == "7678b70408180e7e9bda7656719975730ac4b47e"


def test_the_five_newest_pins_and_no_others_are_deduced() -> None:
    deduced = {one.commit for one in FACTS.vllm if one.inferred}
    assert deduced == {"3334377", "f52987a", "6b4a3a7", "9bd099c", "03fa3af"}
    assert all(not one.full for one in FACTS.vllm if one.inferred)
    assert all(one.full.startswith(one.commit) for one in FACTS.vllm if not one.inferred)
    assert len(FACTS.vllm) == 26
    assert len(FACTS.releases) == 22
