# SPDX-License-Identifier: Apache-2.0
"""Does what ttctl renders for the entries of each contract start on the real engine?

Images and device nodes are made up, entries are those of the built-in catalog. What passes here
passes every check that we know of; it was not yet run on a card.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.e2e.docker_bench import OF_THE_IMAGE, failing
from tests.standins.ground import ground_of
from tests.standins.hand_launches import HOST_IPC, LEGACY_CAPABILITIES
from tests.standins.rendered_launch import KEY, rendered
from tests.standins.server_images import CONTRACTS
from tests.standins.servers.answers import routes
from tests.standins.servers.media import kind_of
from tests.standins.servers.start import CLEAN_STOP
from tests.unit.rules.launching import contract_of, contracts, entries, pins_of

from tools.exceptions import failing as bench_exceptions
from ttctl.rules.confinement import confinement_of
from ttctl.rules.launch import refusal
from ttctl.rules.launch_values import fetched_besides, is_on_the_hub, needs_key
from ttctl.rules.served_paths import served_paths

if TYPE_CHECKING:
    from pathlib import Path

    from ttctl.model.pins import Contract
    from ttctl.model.spec import ModelSpec

pytestmark = pytest.mark.docker
SDXL = "stabilityai/stable-diffusion-xl-base-1.0"
SPEECH = "microsoft/speecht5_tts"
WAN = "Wan-AI/Wan2.2-T2V-A14B-Diffusers"
CHAT = "/v1/chat/completions"
VIDEOS = "/v1/videos/generations"
ASKED = {
    "prompt": "x",
    "input": "x",
    "text": "x",
    "file": "eA==",
    "guidance_scale": 5.0,
    "messages": [{"role": "user", "content": "x"}],
}
"""What some server of each kind has to be told; what is no field of it, it passes over."""
MANY = {"t3k", "p150x4", "p300x2"}
ALIKE = (" 0.3.0", " 0.9.0", " 0.10.0", " 0.12.0", " 0.16.0", " 0.17.0", " 0.18.0")
"""Releases whose images are launched as those of the release before."""


LIMITED = {"5.10"}
"""The test gives the container a limit of memory, where the contract has none."""


def _as(spec: ModelSpec, contract: Contract, image: str) -> ModelSpec:
    return replace(spec, pins=replace(pins_of(spec), contract=contract, image=image))


def _launched() -> dict[str, ModelSpec]:
    """Return, for each contract, an entry of each release that differs."""
    started = [
        one for one in entries() if not refusal(one, contract_of(one)) and is_on_the_hub(one)
    ]
    found: dict[str, ModelSpec] = {}
    for spec in started:
        name = pins_of(spec).contract
        found.setdefault(f"{name} {_release(spec)}", spec)
        if spec.device in MANY:
            found.setdefault(f"{name} of several boards", spec)
    llama = next(one for one in started if pins_of(one).contract == "vllm-current")
    sdxl = next(one for one in started if one.model == SDXL and one.device == "n150")
    speech = next(one for one in started if one.model == SPEECH and one.device == "n150")
    found["media that fetches"] = speech
    found["own built here"] = _as(llama, "own", "ttctl/vllm:0123456789abcdef")
    found["media-cpp 0.20.0"] = _as(sdxl, "media-cpp", "registry.example.org/media:0.20.0-abc")
    return {name: spec for name, spec in found.items() if not name.endswith(ALIKE)}


def _release(spec: ModelSpec) -> str:
    return pins_of(spec).image.rpartition(":")[2].partition("-")[0]


LAUNCHED = _launched()


def _asked(spec: ModelSpec) -> str:
    """Return a path that the server has and the gateway lets through."""
    passed = served_paths(spec, contract_of(spec))
    had = routes(kind_of(spec.model), old=False) if spec.engine != "vllm" else (CHAT,)
    return next(one for one in had if one in passed)


def test_every_contract_is_launched() -> None:
    assert {name.split()[0] for name in LAUNCHED} == set(CONTRACTS)


@pytest.mark.parametrize("contract", CONTRACTS)
def test_what_is_granted_is_what_was_found_to_be_needed(contract: str) -> None:
    granted = confinement_of(contracts()[contract])
    needed = LEGACY_CAPABILITIES if contract == "vllm-legacy" else ()
    assert set(granted.capabilities) == set(needed)
    assert (granted.ipc == "host") is (contract in HOST_IPC)
    assert granted.user == ("0:0" if contract == "vllm-legacy" else "1000:1000")


@pytest.mark.parametrize("name", sorted(LAUNCHED))
def test_what_is_rendered_starts_reaches_all_it_needs_answers_and_stops_cleanly(
    name: str, tmp_path: Path
) -> None:
    spec = LAUNCHED[name]
    with ground_of(tmp_path, spec.device) as ground, rendered(spec, ground) as stack:
        stack.compose("up", "--detach", "--wait")
        report = stack.report()
        text, values = stack.inspected()
        bench = set(failing(values)) - OF_THE_IMAGE
        path = _asked(spec)
        asked = {"model": spec.model, **ASKED}
        assert stack.ask(path, asked)[0] == 200
        assert stack.ask(path, asked, key="another")[0] == 401
        assert stack.ask("/v1/models")[0] == 200
        assert stack.ask("/standin/report")[0] == 404
        for exemption in stack.service.confinement.exemptions:
            if exemption.what == "executable path":
                script = f"cd {exemption.value} && printf '#!/bin/sh\\n' >x && chmod +x x && ./x"
                stack.inside("sh", "-c", script)
        stack.compose("stop")
        assert stack.log().rstrip().endswith(CLEAN_STOP)
        assert stack.inspected()[1]["State"]["ExitCode"] == 0
        # What is fetched besides lies beside the weights; they are a read-only mount themselves.
        beside = "/snapshots" if fetched_besides(spec, contract_of(spec)) else "none"
        wrong = [place for place in report["places"] if not place["ok"]]
        assert [place for place in wrong if not place["path"].endswith(beside)] == []
        assert [node["own"] for node in report["nodes"]] == [True] * stack.service.nodes
        assert report["capabilities"] == []
        assert values["HostConfig"]["Privileged"] is False
        assert KEY not in text
        assert bench == bench_exceptions(stack.service.confinement.exemptions) - LIMITED
        key = ["API_KEY", "OPENAI_API_KEY"] if needs_key(spec, contract_of(spec)) else []
        assert report["secrets"] == key
        assert report["auth"] is bool(key)


@pytest.mark.parametrize("release", ["0.10.0", "0.17.0"])
def test_a_video_is_a_job_that_is_asked_for_looked_up_and_fetched(
    release: str, tmp_path: Path
) -> None:
    spec = next(
        one
        for one in entries()
        if one.model == WAN and one.device in MANY and _release(one) == release
    )
    with ground_of(tmp_path, spec.device) as ground, rendered(spec, ground) as stack:
        stack.compose("up", "--detach", "--wait")
        status, body = stack.ask(VIDEOS, {"prompt": "a boat"})
        job = json.loads(body)
        assert (status, job["status"]) == (202, "queued")
        assert stack.ask(VIDEOS, {"prompt": "a boat", "num_inference_steps": 2})[0] == 422
        found = json.loads(stack.ask(f"{VIDEOS}/{job['id']}")[1])
        assert found["status"] == "completed"
        status, movie = stack.ask(f"{VIDEOS}/{job['id']}/download")
        assert (status, movie[4:8]) == (200, b"ftyp")
        assert stack.ask(f"{VIDEOS}/{job['id']}", key="another")[0] == 401
        assert stack.ask("/v1/images/generations", {"prompt": "a boat"})[0] == 404
