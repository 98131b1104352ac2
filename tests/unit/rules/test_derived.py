# SPDX-License-Identifier: Apache-2.0
"""Does a program of ours stand on the tt-metal of the entry it is for, and is that always said?"""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.fakes import CONTRACTS
from tests.unit.rules.explained import unexplained
from tests.unit.rules.launching import entries, pins_of, weights_of

from ttctl.errors import NothingFitsError, UsageError
from ttctl.model.image import LocalSource
from ttctl.model.match import Wanted
from ttctl.model.spec import ModelSpec, Request
from ttctl.rules.derived import DRAWS_OVER, derived, derived_for, derived_text, why_not
from ttctl.rules.launch import engine_service
from ttctl.rules.recipe import SourceBuild, named_commits, recipe_for
from ttctl.rules.resolve import with_settings
from ttctl.rules.stack import service_name

REPOSITORIES = {
    "tt-metal": "https://git.example.org/acme/tt-metal.git",
    "vllm": "https://git.example.org/acme/vllm.git",
    "vllm-tt-plugin": "https://git.example.org/acme/vllm-tt-plugin.git",
}
LLAMA = "meta-llama/Llama-3.1-8B-Instruct"


def entry(model: str = LLAMA, device: str = "n150", engine: str = "vllm") -> ModelSpec:
    return next(
        one for one in entries() if (one.model, one.device, one.engine) == (model, device, engine)
    )


def asked(engine: str, model: str, **more: str) -> tuple[ModelSpec, ...]:
    request = Request(model=model, engine=engine, **more)  # type: ignore[arg-type]
    wanted = Wanted(word=model, device=more.get("device", ""))
    return derived_for(entries(), request, wanted)


@pytest.mark.parametrize("engine", ["direct", "sd"])
def test_every_derived_entry_is_one_of_the_catalogs_on_its_own_tt_metal(engine: str) -> None:
    found = derived(entries(), engine)
    by_id = {one.id: one for one in entries()}
    assert found
    for one in found:
        origin = by_id[one.derived_from]
        assert pins_of(one).tt_metal == pins_of(origin).tt_metal
        assert (pins_of(one).recipe, pins_of(one).contract) == (engine, engine)
        assert pins_of(one).reason.startswith(derived_text(origin.id))
        assert (one.engine_args, one.targets, one.limits.max_num_seqs) == ((), (), 1)


def test_direct_is_for_language_models_of_the_one_generator_api() -> None:
    found = derived(entries(), "direct")
    assert {(one.type, one.implementation) for one in found} == {("LLM", "tt_transformers")}
    assert {one.device for one in found} >= {"n150", "n300", "t3k"}


def test_sd_is_for_stable_diffusion_alone() -> None:
    found = {one.model for one in derived(entries(), "sd")}
    assert found
    assert all("stable-diffusion" in model for model in found)


def test_sd_is_not_for_models_that_draw_over_a_picture() -> None:
    found = {one.model for one in entries() if why_not(one, "sd") == DRAWS_OVER}
    assert {model.rpartition("/")[2] for model in found} == {
        "stable-diffusion-xl-base-1.0-img-2-img",
        "stable-diffusion-xl-1.0-inpainting-0.1",
    }
    assert not found & {one.model for one in derived(entries(), "sd")}


def test_no_entry_of_the_catalog_says_that_it_is_derived() -> None:
    assert {one.derived_from for one in entries()} == {""}


def test_only_tt_metal_is_fetched_and_the_build_is_marked() -> None:
    pins = pins_of(derived([entry()], "direct")[0])
    found = recipe_for(pins, repositories=REPOSITORIES)
    assert isinstance(found, SourceBuild)
    assert (found.image, found.derived) == ("direct", True)
    assert [name for name, _ in found.commits] == ["tt-metal"]
    assert [one.component for one in named_commits(found)] == ["tt-metal"]
    assert "vllm_commit" not in dict(found.values)


def test_a_checkout_of_vllm_is_refused_where_none_is_built() -> None:
    pins = pins_of(derived([entry()], "direct")[0])
    local = LocalSource(component="vllm", path="/src/vllm", digest="0" * 64)
    with pytest.raises(UsageError, match="'vllm' is no component"):
        recipe_for(pins, repositories=REPOSITORIES, sources=(local,))


@pytest.mark.parametrize(
    ("engine", "model", "why"),
    [
        pytest.param("direct", "whisper", "direct takes the tt-metal of a vllm entry", id="media"),
        pytest.param("sd", "llama", "sd takes the tt-metal of a media entry", id="text"),
        pytest.param("sd", "black-forest-labs/FLUX.1-dev", "no model of Stable", id="flux"),
    ],
)
def test_what_cannot_be_served_so_is_refused_with_the_reason(
    engine: str, model: str, why: str
) -> None:
    with pytest.raises(NothingFitsError) as caught:
        asked(engine, model)
    assert why in caught.value.evidence
    assert caught.value.next_step == f"ttctl plan {model}"


def test_an_implementation_of_its_own_is_told_from_the_common_one() -> None:
    other = replace(entry(), implementation="llama3_70b_galaxy")
    assert why_not(entry(), "direct") == ""
    assert why_not(other, "direct").startswith("its implementation is llama3_70b_galaxy, and")


def test_what_is_derived_on_one_device_only_is_refused_on_the_other() -> None:
    here = entry(device="n300")
    specs = (entry(), replace(here, implementation="its_own"))
    request = Request(model=LLAMA, engine="direct", device="n300")
    with pytest.raises(NothingFitsError, match="cannot be served by direct"):
        derived_for(specs, request, Wanted(word=LLAMA, device="n300"))


@pytest.mark.parametrize("engine", ["direct", "sd"])
def test_its_container_is_held_in_like_all_images_of_ours(engine: str) -> None:
    spec = derived(entries(), engine)[0]
    service = engine_service(
        spec, CONTRACTS[engine], image="ttctl/x:0123456789abcdef", weights=weights_of(spec)
    )
    own = CONTRACTS["own"]
    assert CONTRACTS[engine].exemptions == own.exemptions
    assert set(own.environment) <= set(CONTRACTS[engine].environment)
    assert unexplained(service) == ()
    assert (service.name, service.confinement.user) == (service_name(engine), "1000:1000")
    assert service.command[0] == "--weights"
    assert service.command[1].startswith("/models/")
    given = dict(service.environment)
    assert given["MESH_DEVICE"] == dict(spec.environment)["MESH_DEVICE"]
    assert not [
        name for name in given if name.startswith("VLLM_") and name not in dict(own.environment)
    ]


def test_a_limit_that_it_reads_nowhere_is_refused() -> None:
    spec = derived([entry()], "direct")[0]
    changed = with_settings(spec, Request(model=LLAMA, max_model_len=1024))
    assert (changed.limits.max_model_len, changed.engine_args) == (1024, ())
    for request in (
        Request(model=LLAMA, max_num_seqs=2),
        Request(model=LLAMA, engine_args=(("swap-space", "1"),)),
    ):
        with pytest.raises(UsageError, match="would change nothing"):
            with_settings(spec, request)
