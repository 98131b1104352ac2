# SPDX-License-Identifier: Apache-2.0
"""Is what is missing told before anything changes, with figures?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.unit.fakes import HUB_MODEL, Scene, at, container

from ttctl.errors import (
    EngineError,
    NothingFitsError,
    OfflineError,
    ToolMissingError,
    TtctlError,
    UsageError,
)
from ttctl.model.site import Site
from ttctl.model.spec import Request
from ttctl.model.weights import SPARE_BYTES
from ttctl.operations.up import up

if TYPE_CHECKING:
    from collections.abc import Callable

LLAMA = Request(model="llama")
ON_8000 = replace(LLAMA, port=8000)
"""With a port that was asked for."""
MIRROR = at("deb https://mirror.example.org/debian bookworm main", "a file")


def refused(scene: Scene, kind: type[TtctlError], request: Request = LLAMA) -> TtctlError:
    """Return why `up` refuses; nothing may have changed by then."""
    scene.taken()
    with pytest.raises(kind) as caught:
        up(scene.world, request)
    assert scene.taken() == []
    return caught.value


def test_a_taken_port_is_told_with_its_holder_and_the_next_free_port() -> None:
    scene = Scene()
    scene.host.holders = {8000: "pid 12 (nginx)", 8001: "pid 13 (x)"}
    error = refused(scene, UsageError, ON_8000)
    assert error.message == "Port 8000 on 127.0.0.1 is taken."
    assert error.why == "pid 12 (nginx) listens there."
    assert error.evidence == "Free: 8002."
    assert error.next_step == "ttctl up llama --port 8002"


def test_a_port_that_a_killed_engine_left_is_told_with_what_frees_it() -> None:
    scene = Scene()
    scene.host.holders = {8000: "pid 12 (docker-proxy), the published port of a container"}
    first, second = refused(scene, UsageError, ON_8000).evidence.splitlines()
    assert first == "Free: 8001."
    assert second == (
        "`docker ps --filter publish=8000` names the container. Where it names none, the engine "
        "may have been killed, and keeps the port for one that is gone, until it is started once "
        "more: `sudo systemctl restart docker`. Other containers end with it, without live-restore."
    )
    left = "pid 12 (docker-proxy), whose container engine has ended"
    scene.host.holders = {8000: left}
    error = refused(scene, UsageError, ON_8000)
    assert error.why == f"{left}, listens there."
    assert error.evidence.splitlines()[1] == (
        "`docker ps --filter publish=8000` names the container. Where it names none, "
        "`sudo kill 12` frees the port."
    )
    scene.host.holders = {8000: "pid 12 (conmon), the published port of a container"}
    assert refused(scene, UsageError, ON_8000).evidence == "Free: 8001."


def test_the_last_port_is_told_with_a_free_one_below_it() -> None:
    scene = Scene()
    scene.host.holders = {65535: "pid 12 (nginx)", 8000: "pid 13 (x)"}
    error = refused(scene, UsageError, replace(ON_8000, port=65535))
    assert error.evidence == "Free: 8001."
    assert error.next_step == "ttctl up llama --port 8001"


def test_where_no_port_is_free_none_is_named() -> None:
    scene = Scene()
    scene.host.holders = dict.fromkeys(range(8000, 65536), "pid 12 (nginx)")
    error = refused(scene, UsageError, ON_8000)
    assert (error.why, error.evidence) == ("pid 12 (nginx) listens there.", "")
    assert error.next_step.startswith("ss --listening")


def test_a_port_that_another_stack_waits_for_is_not_named_as_free() -> None:
    scene = Scene()
    up(scene.world, replace(LLAMA, name="other", port=8001))
    scene.engine.set_state("gateway", state="created", health="", ports=())
    scene.host.holders = {8000: "pid 12 (nginx)"}
    scene.taken()
    assert refused(scene, UsageError, ON_8000).evidence == "Free: 8002."


def test_what_was_typed_is_said_again_with_another_port_and_nothing_less() -> None:
    scene = Scene()
    scene.host.holders = {8000: "pid 12 (nginx)"}
    asked = replace(ON_8000, name="one", device="cpu", max_model_len=1024, guesses=True)
    error = refused(scene, UsageError, asked)
    assert error.next_step == (
        "ttctl up llama --name one --device cpu --port 8001 --max-model-len 1024"
    )


def test_a_port_that_another_stack_publishes_is_told_by_the_stacks_name() -> None:
    scene = Scene()
    other = container("gateway", stack="qwen", ports=(("127.0.0.1", 8000, 8080),))
    scene.engine.states[other.name] = other
    scene.host.holders = {8000: "pid 12 (docker-proxy)"}
    error = refused(scene, UsageError, ON_8000)
    assert error.why == "the stack 'qwen' (container ttctl-qwen-gateway-1) listens there."


def test_the_words_to_type_name_the_stack_that_was_meant() -> None:
    scene = Scene()
    scene.host.holders = {8000: "pid 12 (nginx)"}
    error = refused(scene, UsageError, replace(ON_8000, name="second"))
    assert error.next_step == "ttctl up llama --name second --port 8001"


def test_the_stacks_own_port_is_no_obstacle_when_the_gateway_is_recreated() -> None:
    scene = Scene()
    up(scene.world, LLAMA)
    scene.host.holders = {8000: "pid 12 (docker-proxy)"}
    scene.engine.set_state("gateway", health="unhealthy")
    up(scene.world, LLAMA)


@pytest.mark.parametrize(
    ("free", "what", "needed"),
    [
        pytest.param({"/var/lib/docker": 3_000_000_000}, "images", "4.7 GiB", id="images"),
        pytest.param({"/cache": 1_999_999_999}, "weights", "1.9 GiB", id="weights"),
    ],
)
def test_a_short_disk_is_told_with_what_is_needed_and_what_is_free(
    free: dict[str, int], what: str, needed: str
) -> None:
    scene = Scene()
    scene.host.free = free
    scene.weights.size_bytes = 2_000_000_000
    error = refused(scene, TtctlError)
    assert error.message == f"There is not enough room for the {what}."
    assert needed in error.why
    assert f"{next(iter(free.values())) / 2**30:.1f} GiB are free" in error.why


def test_a_small_need_is_told_in_megabytes_with_what_fills_the_disk() -> None:
    scene = Scene()
    scene.host.free = {"/cache": 900_000}
    scene.weights.size_bytes = 4_100_000
    error = refused(scene, TtctlError)
    assert error.why == "4.1 MB are needed, and 67.1 MB that stay free; 0.9 MB are free."
    assert error.next_step.startswith("du -xsh /")


def test_images_and_weights_on_one_file_system_are_added() -> None:
    scene = Scene()
    scene.host.free = {"/var/lib/docker": 6_500_000_000, "/cache": 6_500_000_000}
    scene.weights.size_bytes = 2_000_000_000
    error = refused(scene, TtctlError)
    assert error.message == "There is not enough room for the images and weights."
    assert error.why == "6.5 GiB are needed, and 67.1 MB that stay free; 6.1 GiB are free."
    assert "/var/lib/docker and /cache" in error.evidence
    scene.host.free["/cache"] += 1
    up(scene.world, LLAMA)


@pytest.mark.parametrize(
    ("machine", "flags", "found"),
    [
        pytest.param("aarch64", {"asimd"}, "aarch64, expected x86_64", id="another architecture"),
        pytest.param("x86_64", {"avx"}, "x86_64, without the flag avx2", id="no AVX2"),
    ],
)
def test_a_processor_that_the_pinned_wheels_do_not_fit_is_refused(
    machine: str, flags: set[str], found: str
) -> None:
    scene = Scene()
    scene.host.found = replace(scene.host.found, machine=machine, cpu_flags=frozenset(flags))
    error = refused(scene, NothingFitsError)
    assert error.exit_code == 7
    assert found in error.evidence
    assert "AVX2" in error.why
    scene.site = Site(engine_image=at("registry.example.org/vllm:1"))
    up(scene.world, LLAMA)


def test_a_processor_with_avx2_is_fit() -> None:
    scene = Scene()
    scene.host.found = replace(scene.host.found, cpu_flags=frozenset({"avx", "avx2"}))
    up(scene.world, LLAMA)


def test_a_site_whose_pip_asks_no_index_is_not_asked_for_one() -> None:
    scene = Scene(site=Site(pip_no_index=at("1")))
    scene.host.silent = {scene.host.index}
    up(scene.world, LLAMA)
    scene = Scene(site=Site(pip_no_index=at("0")))
    scene.host.silent = {scene.host.index}
    refused(scene, OfflineError)


def test_what_is_here_already_needs_no_room() -> None:
    scene = Scene()
    up(scene.world, LLAMA)
    scene.host.free = {"/var/lib/docker": 0, "/cache": 0}
    up(scene.world, replace(LLAMA, port=8001))


def test_just_enough_room_is_enough() -> None:
    scene = Scene()
    scene.host.free = {"/cache": 1_000 + SPARE_BYTES}
    up(scene.world, LLAMA)


def test_what_a_fetch_would_refuse_for_its_spare_room_is_refused_at_first() -> None:
    scene = Scene()
    scene.host.free = {"/cache": 1_000 + SPARE_BYTES - 1}
    refused(scene, TtctlError)
    assert scene.taken() == []


def test_images_alone_need_no_spare_room() -> None:
    scene = Scene()
    root = "/var/lib/docker"
    scene.host.free = {root: 1}
    needed = refused(scene, TtctlError).why
    assert "stay free" not in needed


@pytest.mark.parametrize(
    ("site", "silent", "message"),
    [
        pytest.param(
            Site(offline=at("1", "TTCTL_OFFLINE")),
            "",
            "The images and the weights are not here, and the site is offline.",
            id="told to be offline",
        ),
        pytest.param(
            Site(apt_sources=(MIRROR,)),
            "https://mirror.example.org/debian",
            "The distribution mirror does not answer.",
            id="mirror",
        ),
        pytest.param(
            Site(),
            "https://index.example.org/simple",
            "The package index does not answer.",
            id="package index",
        ),
    ],
)
def test_a_build_without_a_network_is_refused_with_what_does_not_answer(
    site: Site, silent: str, message: str
) -> None:
    scene = Scene(site=site)
    scene.host.silent = {silent}
    error = refused(scene, OfflineError)
    assert error.message == message
    assert silent in error.evidence


def test_an_offline_place_says_at_once_all_that_is_missing_by_name() -> None:
    scene = Scene(site=Site(offline=at("1", "TTCTL_OFFLINE")))
    missing = refused(scene, OfflineError)
    assert missing.evidence == (
        "Missing images: ttctl/rootfs:bookworm, base, torch, vllm-cpu, gateway; "
        "weights: acme/Small-1B; offline is set by TTCTL_OFFLINE."
    )
    assert missing.next_step.startswith("TTCTL_OFFLINE=0 ttctl up llama")
    on_cpu = refused(scene, OfflineError, replace(LLAMA, device="cpu"))
    assert on_cpu.next_step.startswith("TTCTL_OFFLINE=0 ttctl up llama --device cpu   #")


def test_an_offline_place_names_images_too_where_nobody_tells_which_weights_are_meant() -> None:
    scene = Scene(site=Site(offline=at("1", "TTCTL_OFFLINE")))
    scene.catalog.entries = (replace(HUB_MODEL, offline_model=""),)
    scene.weights.offline = True
    missing = refused(scene, OfflineError)
    assert missing.message == "The images and the weights are not here, and the site is offline."
    assert "images: ttctl/rootfs:bookworm, base, torch, vllm-cpu, gateway; " in missing.evidence
    assert "weights: acme/Small-1B; " in missing.evidence
    assert scene.taken() == []


def test_weights_alone_are_missed_before_anything_is_changed() -> None:
    scene = Scene()
    up(scene.world, LLAMA)
    scene.site = Site(offline=at("1", "--offline"))
    scene.weights.here.clear()
    missing = refused(scene, OfflineError)
    assert missing.message == "The weights are not here, and the site is offline."
    assert missing.why == "Weights come from the model hub."


def test_a_site_without_any_index_is_not_asked_for_one() -> None:
    scene = Scene()
    scene.host.index = ""
    scene.host.silent = {""}
    up(scene.world, LLAMA)


def test_images_that_are_here_need_no_network() -> None:
    scene = Scene()
    up(scene.world, LLAMA)
    scene.site = Site(offline=at("1"))
    up(scene.world, replace(LLAMA, port=8001))


def test_an_image_to_be_pulled_is_refused_at_a_place_without_a_network() -> None:
    scene = Scene()
    up(scene.world, LLAMA)
    scene.site = Site(offline=at("1"), engine_image=at("registry.example.org/vllm:1"))
    assert refused(scene, OfflineError).exit_code == 8


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(EngineError("No container engine answers."), id="no engine"),
        pytest.param(ToolMissingError("docker's plugin 'buildx' is not installed."), id="plugin"),
    ],
)
def test_an_engine_that_cannot_serve_is_told_before_anything_changes(error: TtctlError) -> None:
    scene = Scene()
    scene.engine.refuses = error
    assert refused(scene, type(error)) is error


@pytest.mark.parametrize(
    ("memory", "told"),
    [
        pytest.param(32 << 30, False, id="enough"),
        pytest.param(4 << 30, True, id="less than the engine's limit"),
    ],
)
def test_too_little_memory_is_said_and_tried(memory: int, told: bool) -> None:  # noqa: FBT001
    scene = Scene()
    scene.host.found = replace(scene.host.found, memory_bytes=memory)
    up(scene.world, LLAMA)
    assert any("4096 MiB of memory" in note for note in scene.reporter.notes) == told


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(lambda scene: scene.host.holders.update({8000: "x"}), id="port"),
        pytest.param(lambda scene: scene.host.free.update({"/cache": 0}), id="disk"),
    ],
)
def test_after_a_refusal_the_next_up_does_everything(broken: Callable[[Scene], None]) -> None:
    scene = Scene()
    broken(scene)
    refused(scene, TtctlError, ON_8000)
    scene.host.holders.clear()
    scene.host.free.clear()
    assert up(scene.world, ON_8000).changed
