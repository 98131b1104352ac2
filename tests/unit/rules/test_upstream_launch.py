# SPDX-License-Identifier: Apache-2.0
"""Does a container differ from what upstream's launcher would run only in what is written down?

Each entry of the built-in catalog is compared with the launcher of the release that first listed
it with its image, and with the newest one; each of another export with the launcher of its tag.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.unit.listed import FACTS
from tests.unit.rules.entry_table import entries_of, rows
from tests.unit.rules.explained import unexplained
from tests.unit.rules.launching import (
    REVISION,
    contract_of,
    entries,
    files_of,
    pins_of,
    stack_of,
)
from tests.unit.rules.upstream_launcher import CACHE, FIRST_CURRENT, HOME, Asked, Run, upstream

from tools.catalog import exports_in
from ttctl.adapters.upstream_export import read_export
from ttctl.rules.compose import compose_of
from ttctl.rules.contract import image_version
from ttctl.rules.first_validated import known_first
from ttctl.rules.launch import refusal
from ttctl.rules.launch_values import is_on_the_hub
from ttctl.rules.validated import validated_specs
from ttctl.rules.versions import numbers

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ttctl.model.service import ServiceSpec
    from ttctl.model.spec import ModelSpec

PAGE = Path(__file__).parents[3] / "docs" / "launch.md"
ROW = re.compile(r"^\| ([^|`]+?) \| ([a-z, -]+) \| [^|]+ \|$", re.MULTILINE)
NEWEST = (0, 20, 0)
STARTED = [spec for spec in entries() if not refusal(spec, contract_of(spec))]
SDXL = ("stable-diffusion-xl-base-1.0", "stable-diffusion-xl-base-1.0-img-2-img")


def version_of(spec: ModelSpec) -> tuple[int, ...]:
    return image_version(pins_of(spec).image, pins_of(spec).version)[0]


def asked_of(spec: ModelSpec, launcher: tuple[int, ...], subdevice: str = "") -> Asked:
    return Asked(
        spec=spec,
        launcher=launcher,
        revision=REVISION,
        on_the_hub=is_on_the_hub(spec),
        subdevice=subdevice,
    )


def asked_for(spec: ModelSpec) -> tuple[Asked, ...]:
    """Return by which launchers an entry of the built-in catalog is looked at.

    A vLLM image below 0.11.0 is started by the launcher of its own release alone: later ones give
    it arguments that it cannot read, and from 0.14.0 on they refuse it. The newest one asks for the
    C++ server of images that have none; where ttctl runs the Python server, only the first counts.
    """
    row = rows()[spec.id]
    if row.contract == "vllm-legacy":
        return (asked_of(spec, version_of(spec), row.subdevice),)
    first, newest = (
        asked_of(spec, launcher, row.subdevice) for launcher in (numbers(row.first), NEWEST)
    )
    return (first,) if newest.serves_cpp else (first, newest)


def on_cpp() -> list[ModelSpec]:
    """Return entries of an image that has the C++ server; the catalog has none."""
    image = "registry.example.org/tt-media-inference-server:0.20.0-de59f8a"
    return [
        replace(spec, pins=replace(pins_of(spec), contract="media-cpp", image=image))
        for spec in STARTED
        if spec.model.rpartition("/")[2] in SDXL
    ]


@cache
def compared() -> tuple[Asked, ...]:
    cpp = (asked_of(spec, NEWEST) for spec in on_cpp())
    return (*(asked for spec in STARTED for asked in asked_for(spec)), *cpp)


def ours(spec: ModelSpec) -> Run:
    """Return what ttctl passes, in the same words."""
    stack = stack_of(spec)
    service = stack.services[0]
    composed: dict[str, Any] = compose_of(stack)["services"][service.name]
    held = service.confinement
    mounts = {mount.target: mount for mount in service.mounts}
    weights = [mount.target for mount in service.mounts if "TTCTL_WEIGHTS" in mount.source]
    settings: dict[str, object] = {
        "capabilities": held.capabilities,
        "user": held.user,
        "read-only root": held.read_only,
        "new privileges": held.new_privileges,
        "devices": service.nodes,
        "publish": "gateway" if service.publish is None else "engine",
        "port": contract_of(spec).port,
        "network": service.networks,
        "secrets": "none",
        "locked memory": held.memlock,
        "memory": service.memory_mib,
        "processes": service.pids,
        "stop": service.stop_grace_s,
        "init": composed.get("init", False),
        "log": tuple(sorted(composed["logging"]["options"].items())),
        "health": service.health.test,
        "memory folders": ("/tmp", *(one.target for one in service.scratch)),  # noqa: S108 - its name
        "proxies": composed["environment"]["http_proxy"],
        "shared memory": service.shm_mib,
        "ipc": held.ipc,
        "command": service.command,
        "entrypoint": service.entrypoint,
        "spec file": "/etc/ttctl/launch" if "launch/model_spec.json" in files_of(spec) else "",
        "weights": next(iter(weights), ""),
        "cache": CACHE if CACHE in mounts else "",
        "hugepages": _same(service, "/dev/hugepages-1G"),
        "kernels": _same(service, f"{HOME}/tt-metal/built") and "kept",
        "diffusion cache": _same(service, "/tmp/TT_DIT_CACHE") and "kept",  # noqa: S108 - its name
    }
    return Run(settings=settings, environment=dict(service.environment))


def _same(service: ServiceSpec, target: str) -> str:
    return next((target for mount in service.mounts if mount.target == target), "")


def differences(asked: Asked) -> set[str]:
    spec = asked.spec
    rooted = pins_of(spec).contract == "vllm-legacy" or (
        # The entrypoint of these is root's; of forge images no release has one.
        pins_of(spec).contract in {"media", "media-cpp"} and version_of(spec) >= (0, 9)
    )
    theirs, mine = upstream(asked, rooted=rooted), ours(spec)
    names = theirs.environment.keys() | mine.environment.keys()
    return {
        *(one for one in theirs.settings if theirs.settings[one] != mine.settings[one]),
        *(
            f"environment {one}"
            for one in names
            if theirs.environment.get(one) != mine.environment.get(one)
        ),
    }


@cache
def written(*, others: bool = False) -> dict[str, frozenset[str]]:
    """Return the page's differences, each with the contracts that it names.

    Args:
        others: Whether those that only entries of other releases have are among them.
    """
    page = PAGE.read_text(encoding="utf-8").partition("| difference |")[2]
    own, _, further = page.partition("| of other releases |")
    found = ROW.findall(own + further if others else own)
    return {name: frozenset(words.split(", ")) for name, words in found}


def test_every_difference_of_every_entry_is_written_down_for_its_contract() -> None:
    assert unwritten(compared()) == {}


def test_every_written_difference_is_there_in_each_contract_that_it_names() -> None:
    seen = {(_name(spec, one), name) for spec, name, one in _seen(compared())}
    contracts = {pins_of(asked.spec).contract for asked in compared()}
    stale = {
        (one, name)
        for one, named in written().items()
        for name in (contracts if named == {"all"} else named)
        if (one, name) not in seen
    }
    assert stale == set()


def test_each_launcher_of_a_release_that_first_listed_an_entry_is_compared() -> None:
    launchers = {(pins_of(one.spec).contract, one.launcher) for one in compared()}
    assert len(compared()) > len(STARTED) == 221
    assert {"".join(contract) for contract, _ in launchers} == {
        "vllm-legacy", "vllm-current", "media", "media-cpp", "forge",
    }  # fmt: skip
    assert {one for name, one in launchers if name == "vllm-legacy"} == {
        (0, 2, 0), (0, 3, 0), (0, 9, 0), (0, 10, 0), (0, 10, 1),
    }  # fmt: skip


@pytest.mark.parametrize("spec", [pytest.param(one, id=one.id) for one in STARTED])
def test_the_cache_of_converted_tensors_is_named_as_upstream_names_it(spec: ModelSpec) -> None:
    row = rows()[spec.id]
    for asked in asked_for(spec):
        theirs = upstream(asked, rooted=False).environment["TT_CACHE_PATH"]
        same = theirs == ours(spec).environment["TT_CACHE_PATH"]
        assert same == (row.subdevice in {"", spec.device})


def test_images_before_0_10_0_are_told_the_first_node_as_when_they_were_validated() -> None:
    cpp = {spec.id for spec in on_cpp()}
    told = {one.spec.id for one in compared() if "DEVICE_IDS" in _given(one)} - cpp
    mine = {spec.id for spec in STARTED if dict(ours(spec).environment).get("DEVICE_IDS") == "(0)"}
    assert len(told) == 26
    # Two were listed later, with an image of this age.
    late = {f"id_tt-transformers_Motif-Image-6B-Preview_{one}" for one in ("p150x8", "p300x2")}
    assert mine == told | late


def _given(asked: Asked) -> dict[str, str]:
    return upstream(asked, rooted=False).environment


def _seen(asked: Iterable[Asked]) -> list[tuple[ModelSpec, str, str]]:
    return [
        (one.spec, pins_of(one.spec).contract, difference)
        for one in asked
        for difference in differences(one)
    ]


def _name(spec: ModelSpec, difference: str) -> str:
    """Return the row of a difference; what an entry says of itself has one for all its names."""
    name = difference.removeprefix("environment ")
    told = name in dict(spec.environment) and difference not in written()
    return "environment of the entry" if told else difference


def unwritten(asked: Iterable[Asked], *, others: bool = False) -> dict[str, str]:
    """Return the differences that the page does not name for the contract of their entry."""
    page = written(others=others)
    return {
        f"{contract}: {one}": spec.id
        for spec, contract, one in _seen(asked)
        if page.get(_name(spec, one), frozenset()).isdisjoint({"all", contract})
    }


FILES = exports_in(Path(os.environ["EXPORTS"])) if os.environ.get("EXPORTS") else []


def _of_its_release(spec: ModelSpec, release: str, told: dict[str, Any]) -> Asked:
    """Return what the launcher of a tag is asked for; of old vLLM images, that of their own."""
    launcher = numbers(release)
    if pins_of(spec).contract == "vllm-legacy" and launcher >= FIRST_CURRENT:
        launcher = version_of(spec)
    asked = asked_of(spec, launcher, (told.get("subdevice_type") or "").lower())
    if asked.serves_cpp and pins_of(spec).contract != "media-cpp":
        # The tag asks the image for a server that it does not have.
        return replace(asked, launcher=version_of(spec))
    return asked


@pytest.mark.exports
@pytest.mark.parametrize(
    "path", FILES or [pytest.param(Path(), marks=pytest.mark.skip(reason="EXPORTS has no export"))],
    ids=lambda path: path.name,
)  # fmt: skip
def test_every_entry_of_another_release_is_launched_and_explained(path: Path) -> None:
    export = read_export(path.read_bytes(), name=path.name)
    specs = validated_specs(export, facts=FACTS, first=known_first(entries()))
    started = [spec for spec in specs if not refusal(spec, contract_of(spec))]
    assert started
    for spec in started:
        assert unexplained(stack_of(spec).services[0]) == ()
    told = {one["model_id"]: one for one in entries_of(path.read_bytes())}
    asked = [_of_its_release(spec, export.release, told[spec.id]) for spec in started]
    assert unwritten(asked, others=True) == {}


@pytest.mark.exports
@pytest.mark.parametrize(
    "path", FILES or [pytest.param(Path(), marks=pytest.mark.skip(reason="EXPORTS has no export"))],
    ids=lambda path: path.name,
)  # fmt: skip
def test_the_spec_file_says_to_an_image_what_its_own_release_said(path: Path) -> None:
    data = path.read_bytes()
    release = read_export(data, name=path.name, published=FACTS.exports).release
    listed: dict[str, dict[str, Any]] = json.loads(data)
    # Nested exports are of releases whose images read another form.
    compared = [
        spec for spec in STARTED if spec.id in listed and pins_of(spec).first_release == release
    ]
    assert len(compared) > 40 or release != "0.9.0"
    for spec in compared:
        told, entry = json.loads(files_of(spec)["launch/model_spec.json"]), listed[spec.id]
        theirs = entry["device_model_spec"]["vllm_args"]
        mine = told["device_model_spec"]["vllm_args"]
        assert {k: str(v) for k, v in mine.items()} == {
            k: str(v) for k, v in theirs.items() if v is not None and v is not False
        }, spec.id
        assert told["env_vars"] == {k: str(v) for k, v in entry["env_vars"].items()}, spec.id
        for key in ("model_id", "hf_model_repo", "hf_weights_repo", "model_name", "docker_image"):
            if key in entry:
                assert told[key] == entry[key], (spec.id, key)
        assert told["impl"]["impl_id"] == entry["impl"]["impl_id"]
        if "supported_modalities" in entry:
            assert told["supported_modalities"] == entry["supported_modalities"]
