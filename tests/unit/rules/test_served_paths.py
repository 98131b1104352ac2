# SPDX-License-Identifier: Apache-2.0
"""What passes the gateway is what the entry's server documents, for every entry with a card."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.unit.rules.launching import contract_of, contracts, entries, pins_of

from ttctl.adapters import places
from ttctl.adapters.templates import ShippedRecipes
from ttctl.rules.gateway_values import gateway_values
from ttctl.rules.launch_values import reaches
from ttctl.rules.served_paths import SERVERS, served_paths

if TYPE_CHECKING:
    from ttctl.model.spec import ModelSpec

GATEWAY = ShippedRecipes(places.shipped()).defaults("gateway")
ALWAYS = {"/v1/models", "/tt-liveness", "/metrics"}
VIDEOS = "/v1/videos/generations"
BY_TYPE = {
    "AUDIO": {"/v1/audio/transcriptions", "/v1/audio/translations"},
    "CNN": {"/v1/cnn/search-image"},
    "EMBEDDING": {"/v1/embeddings"},
    "TEXT_TO_SPEECH": {"/v1/audio/speech"},
    "VIDEO": {VIDEOS, f"{VIDEOS}/*", f"{VIDEOS}/*/download", f"{VIDEOS}/*/cancel"}
    | {"/v1/videos/jobs"},
}
"""Upstream's README of the media server, by the type whose service it starts."""
IMAGES = {
    "stable-diffusion-xl-base-1.0-img-2-img": "/v1/images/image-to-image",
    "stable-diffusion-xl-1.0-inpainting-0.1": "/v1/images/edits",
}
MEDIA = [pytest.param(one, id=one.id) for one in entries() if contract_of(one).name in SERVERS]


def documented(spec: ModelSpec) -> set[str]:
    contract = contract_of(spec)
    metrics = set() if reaches(spec, contract, "0.4.0") else {"/metrics"}
    return (ALWAYS - metrics) | _of_service(spec)


def _of_service(spec: ModelSpec) -> set[str]:
    name, contract = spec.model.rpartition("/")[2], contract_of(spec)
    if spec.type == "IMAGE":
        return {IMAGES.get(name, "/v1/images/generations")}
    if spec.type == "LLM":
        tokens = {"/v1/tokenize", "/v1/detokenize"} if reaches(spec, contract, "0.10.0") else set()
        chat = {"/v1/chat/completions"} if reaches(spec, contract, "0.13.0") else set()
        return {"/v1/completions"} | tokens | chat
    if spec.type == "VIDEO" and reaches(spec, contract, "0.15.0"):
        return BY_TYPE["VIDEO"] | {f"{VIDEOS}/i2v", f"{VIDEOS}/i2v/upload"}
    return BY_TYPE[spec.type]


@pytest.mark.parametrize("spec", MEDIA)
def test_what_a_media_servers_model_is_for_passes_and_nothing_else(spec: ModelSpec) -> None:
    assert set(served_paths(spec, contract_of(spec))) == documented(spec)


def test_all_97_entries_of_media_servers_are_looked_at_and_every_type_of_theirs() -> None:
    assert len(MEDIA) == 97
    types = {one.type for one in entries() if contract_of(one).name in SERVERS}
    assert types == {*BY_TYPE, "IMAGE", "LLM"}


def test_every_entry_lets_through_what_its_server_has_and_keeps_the_contracts_order() -> None:
    for spec in entries():
        values = gateway_values(spec, contract_of(spec), gateway=GATEWAY)
        patterns = [f"{before}/*{after}" for before, after in values["patterns"]]  # type: ignore[attr-defined]
        passed = [*values["paths"], *patterns]  # type: ignore[misc]
        assert sorted(passed) == sorted(served_paths(spec, contract_of(spec))), spec.id
        assert passed, spec.id


def test_an_engine_that_is_no_media_server_keeps_every_path_of_its_contract() -> None:
    for spec in entries():
        if contract_of(spec).name not in SERVERS:
            assert served_paths(spec, contract_of(spec)) == contract_of(spec).paths, spec.id


def test_a_type_that_is_not_known_here_keeps_every_path() -> None:
    spec = replace(entries()[0], type="HOLOGRAM")
    assert served_paths(spec, contracts()["media"]) == contracts()["media"].paths


def test_the_server_in_cpp_has_all_three_paths_of_images() -> None:
    (spec,) = [
        one
        for one in entries()
        if one.model.endswith("xl-base-1.0") and one.device == "n150" and one.type == "IMAGE"
    ]
    pins = replace(pins_of(spec), image="x/tt-media-inference-server:0.15.0-25891d3")
    passed = served_paths(replace(spec, pins=pins), contracts()["media-cpp"])
    assert {path for path in passed if "/images/" in path} == {
        "/v1/images/generations", "/v1/images/image-to-image", "/v1/images/edits",
    }  # fmt: skip


def test_speech_to_text_and_text_to_speech_behind_one_gateway_share_no_path_of_a_service() -> None:
    def of(model: str) -> set[str]:
        spec = next(s for s in entries() if s.model.endswith(model) and s.device == "n150")
        return set(served_paths(spec, contract_of(spec))) - ALWAYS

    assert of("whisper-large-v3").isdisjoint(of("speecht5_tts"))
    assert of("whisper-large-v3").isdisjoint(of("stable-diffusion-xl-base-1.0"))
