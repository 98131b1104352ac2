# SPDX-License-Identifier: Apache-2.0
"""Does a model for one chip come up on one chip of a dual board, and does a plan say so?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.unit.cards import card_scene
from tests.unit.rules.leasing import machine
from tests.unit.rules.validated import PINS, entry

from ttctl.errors import NoDeviceError, NothingFitsError
from ttctl.model.spec import Request
from ttctl.operations import plan as plans
from ttctl.operations.choose import choose
from ttctl.operations.desire import desire
from ttctl.operations.preview import is_for_another, look
from ttctl.operations.start import on_free_boards
from ttctl.operations.up import up
from ttctl.rules.domains import domains_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.fakes import Scene

    from ttctl.model.spec import ModelSpec

NEW = replace(PINS, tt_metal="c49bb76", version="0.18.0", contract="vllm-current")
ON_P150 = entry("acme/Llama-8B-Instruct", "p150", pins=NEW)
ON_N150 = entry("acme/Llama-8B-Instruct", "n150")
UNSEEN = entry("acme/Llama-8B-Instruct", "p150")
NAME = "llama-8b-instruct"


def scene_of(root: Path, device: str, spec: ModelSpec) -> Scene:
    scene = card_scene(spec)
    scene.host.found = machine(root, device)
    return scene


def request(spec: ModelSpec, *boards: str) -> Request:
    return Request(model=spec.model, device=spec.device, boards=boards)


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        pytest.param(ON_P150, ("p300x2", "p300", "TT_MESH_GRAPH_DESC_PATH"), id="p150 of p300"),
        pytest.param(ON_N150, ("t3k", "n300", "WH_ARCH_YAML"), id="n150 of n300"),
    ],
)
@pytest.mark.parametrize("board", [(), ("1",)], ids=["any board", "--board"])
def test_it_comes_up_on_one_chip_and_leases_the_whole_board(
    tmp_path: Path, spec: ModelSpec, said: tuple[str, str, str], board: tuple[str, ...]
) -> None:
    here, family, variable = said
    scene = scene_of(tmp_path, here, spec)
    wanted = request(spec, *board)
    taken = scene.host.found.boards[int(board[0]) if board else 0]
    desired, steps = plans.plan(scene.world, wanted)
    (lease,) = (one for one in steps.steps if one.verb == "lease")
    assert f"one chip of {family}" in lease.reason
    assert "a reset takes both chips" in lease.reason
    assert plans.obstacle(scene.world, desired, steps) is None
    engine = desired.stack.engine
    assert engine.nodes == 1
    assert dict(engine.environment)["MESH_DEVICE"] == spec.device.upper()
    assert variable in dict(engine.environment)
    up(scene.world, wanted)
    (own,) = (one for one in domains_of(scene.host.found) if taken.id in one.boards)
    started = on_free_boards(scene.world, desire(scene.world, wanted))
    assert started.stack.boards == (own.key,)
    env = started.files[".env"][0]
    assert f"TTCTL_NODE_0='{taken.nodes[0]}:{taken.nodes[0]}'" in env
    assert "TTCTL_NODE_1" not in env


def test_what_is_not_known_to_do_so_is_refused_with_the_reason_before_anything_is_done(
    tmp_path: Path,
) -> None:
    scene = scene_of(tmp_path, "p300", UNSEEN)
    with pytest.raises(NoDeviceError, match="not started on one chip of p300") as caught:
        up(scene.world, request(UNSEEN))
    assert "tt-metal 25305db" in caught.value.why
    assert not [call for call in scene.taken() if call.startswith(("create", "build", "pull"))]
    found = look(scene.world, request(UNSEEN))
    assert found is not None
    assert is_for_another(scene.world, found)
    (refused,) = (one for one in found.fitness if one.verdict == "blocked")
    assert refused.subject == "boards"
    assert "only one chip of p300 is here" in refused.summary


def test_one_chip_is_taken_only_where_it_was_asked_for(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, "p300x2", ON_P150)
    whole = entry(ON_P150.model, "p300x2")
    scene.catalog.entries = (whole, ON_P150)
    assert choose(scene.world, Request(model=whole.model)).spec == whole


def test_a_model_that_is_for_one_chip_only_is_offered_there_where_it_is_known_to_run(
    tmp_path: Path,
) -> None:
    steps = []
    for name, spec in (("known", ON_P150), ("unseen", UNSEEN)):
        scene = scene_of(tmp_path / name, "p300", spec)
        with pytest.raises(NothingFitsError) as caught:
            choose(scene.world, Request(model=spec.model))
        steps.append(caught.value.next_step)
    known, unseen = steps
    assert known == f"ttctl plan {ON_P150.model} --device p150"
    assert "--device p150" not in unseen
