# SPDX-License-Identifier: Apache-2.0
"""Does a start that failed say what mends it?"""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.cards import LLAMA as ON_CARD
from tests.unit.cards import NAME, card_scene
from tests.unit.fakes import HUB_MODEL, Scene

from ttctl.errors import EngineError, PrivilegeError
from ttctl.model.pins import Changed
from ttctl.model.spec import Request
from ttctl.operations.up import up

LLAMA = Request(model="llama")
TRACE = "Creating trace buffers of size 500B on MeshDevice 0, but only 20B is allocated for trace"


def failed(scene: Scene, *, why: str, evidence: str = "") -> EngineError:
    scene.launcher.fails = EngineError(
        "The stack 'llama' did not come up.",
        why=why,
        evidence=evidence,
        next_step="ttctl logs llama --tail 100",
    )
    with pytest.raises(EngineError) as caught:
        up(scene.world, LLAMA)
    return caught.value


@pytest.mark.parametrize(
    ("line", "step"),
    [
        ("Timed out while waiting for active ethernet core 29-25", "ttctl up llama --reset"),
        ("Cannot access gated repo for url x", "hf auth login"),
        ("error setting rlimit type 8: operation not permitted: unknown",
         'sudo prlimit --memlock=unlimited --pid "$(pgrep -xo containerd)"'),
        ("bind source path does not exist: /dev/hugepages-1G",
         "sudo systemctl restart 'dev-hugepages\\x2d1G.mount'"),
        ("bind source path does not exist: /srv/x", "ttctl doctor"),
        ("Out of Memory: Not enough space to allocate 5 B DRAM buffer",
         "ttctl up llama --max-model-len 2048"),
        ("PermissionError: [Errno 13] Permission denied: '/x/cache_root/logs'",
         "sudo chmod -R o+rwX /cache/engines"),
        ("Running UMD requires KMD version 1.33.0 or newer.", "ttctl devices check"),
        ("MemoryError", "ttctl logs llama --tail 100"),
        ("nothing that is known", "ttctl logs llama --tail 100"),
    ],
)  # fmt: skip
def test_a_known_line_brings_the_command_that_mends_it(line: str, step: str) -> None:
    assert failed(Scene(), why=f"it is so: {line}").next_step == step


def test_the_last_lines_tell_what_the_reason_does_not() -> None:
    error = failed(Scene(), why="vllm ended with exit code 1", evidence=f"a line\n{TRACE}\nend")
    assert error.why == (
        "vllm ended with exit code 1: the trace region is too small: trace_region_size has to be "
        "500 or more, and is 20."
    )
    assert error.next_step == "ttctl up llama -- --trace-region-size 500"


def test_a_value_of_a_later_release_is_named_where_it_is_enough() -> None:
    later = Changed(
        kind="argument", name="trace_region_size", first="20", latest="900", option=True
    )
    scene = Scene()
    scene.catalog.entries = (replace(HUB_MODEL, changed=(later,)),)
    error = failed(scene, why=f"the trace region is too small: {TRACE}")
    assert error.next_step == "ttctl up llama --values latest"
    assert "(the newest release sets 900 for this entry)" in error.why
    assert "has to be 500 or more, and is 20" in error.why


def test_a_vague_reason_gives_way_to_a_better_line() -> None:
    why = "the Tenstorrent device did not start: TT_FATAL @ x.cpp:1: false"
    error = failed(Scene(), why=why, evidence="Device 0: Timed out waiting for ETH heartbeat on 1")
    assert error.why.endswith("the card's links were left in disorder: it needs a reset.")
    assert error.next_step == "ttctl up llama --reset"


def test_a_container_that_was_made_and_not_started_is_named_with_what_lets_its_boards_go() -> None:
    scene = card_scene()
    scene.launcher.fails = EngineError("It did not come up.", why="error setting rlimit type 8")
    with pytest.raises(EngineError) as caught:
        up(scene.world, ON_CARD)
    assert caught.value.evidence.endswith(f" was made and holds 0: `ttctl down {NAME}` lets go.")
    assert "lets go" not in failed(Scene(), why="x").evidence


def test_a_stack_with_a_name_of_its_own_is_brought_up_again_under_it() -> None:
    scene = Scene()
    scene.launcher.fails = EngineError(
        "The stack 'mine' did not come up.",
        why="vllm: Timed out while waiting for active ethernet core 29-25",
        next_step="ttctl logs mine --tail 100",
    )
    with pytest.raises(EngineError) as caught:
        up(scene.world, replace(LLAMA, name="mine"))
    assert caught.value.next_step == "ttctl up llama --name mine --reset"


def test_a_known_failure_has_an_exit_code_of_its_own() -> None:
    gated = failed(Scene(), why="Cannot access gated repo for url x")
    assert gated.exit_code == PrivilegeError.exit_code
    assert failed(Scene(), why="nothing that is known").exit_code == EngineError.exit_code
