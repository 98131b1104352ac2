# SPDX-License-Identifier: Apache-2.0
"""Does an acceptance run go its whole way on an entry with pins, from `up` to its result?

The boards, the engine and the gateway are stand-ins: no card ran any of this.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest
from tests.unit.accepted import FakeClient, FakeKit, as_wanted
from tests.unit.cards import FIRST, LLAMA, NAME, PINNED, SERVER, card_scene, held
from tests.unit.fakes import KEY, FakeLeases, Scene
from tests.unit.rules.leasing import stack as lessee

from tools.hardware import text as table
from ttctl.adapters.acceptance_place import LocalKit
from ttctl.adapters.hardware import KeptResults
from ttctl.cli.model_text import page_rows
from ttctl.errors import NoDeviceError, TtctlError
from ttctl.model.container import BOARDS_LABEL, CONTRACT_LABEL
from ttctl.model.health import NodeVitals
from ttctl.model.pins import Target
from ttctl.operations.acceptance import accept
from ttctl.operations.catalogs import page
from ttctl.operations.desire import desire
from ttctl.operations.start import on_free_boards
from ttctl.operations.up import up
from ttctl.rules.acceptance_seen import env_values

if TYPE_CHECKING:
    from pathlib import Path

    from ttctl.model.acceptance_kit import Accepted, Seen
    from ttctl.model.lease import Claims
    from ttctl.model.spec import ModelSpec, Request

SECOND = "0000:01:00.0"
TARGET = Target(
    task="text", shape="128/128", concurrency=1, tier="target", ttft_ms=26, tput_user=43
)
SPEC = replace(PINNED, targets=(TARGET,))
AUDIO = replace(
    SERVER, targets=(Target(task="audio", shape="", concurrency=1, tier="target", ttft_ms=1000),)
)
assert SERVER.pins is not None
FORGE = replace(SPEC, engine="forge", pins=replace(SERVER.pins, contract="forge", recipe="forge"))


class SeenLeases(FakeLeases):
    """Sees the containers that the engine has, too: their label is their lease."""

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene.host)
        self._scene = scene

    def claims(self) -> Claims:
        found = tuple(
            lessee(
                one.stack,
                *one.boards,
                container_id=one.container_id,
                phase=one.state,
                paths=tuple(f"/dev/tenstorrent/{int(board[5:7])}" for board in one.boards),
            )
            for one in self._scene.engine.containers(None)
            if one.boards
        )
        told = super().claims()
        return replace(told, containers=(*told.containers, *found))


class SceneKit(FakeKit):
    """Sees the containers of a scene as the folder says that they were started."""

    def __init__(self, scene: Scene, client: FakeClient, request: Request) -> None:
        super().__init__(client)
        self._scene, self._request = scene, request

    def seen(self, container_id: str) -> Seen:
        scene = self._scene
        state = next(
            one for one in scene.engine.containers(None) if one.container_id == container_id
        )
        folder = str(scene.store.folder(state.stack))
        values = env_values(scene.store.rendered[folder][".env"][0])
        desired = on_free_boards(scene.world, desire(scene.world, self._request))
        service = next(one for one in desired.stack.services if one.name == state.service)
        known = {one.reference: one for one in desired.lock.images}[state.image]
        pulled = state.image.partition("@")[2]
        labels = {BOARDS_LABEL: ",".join(state.boards), CONTRACT_LABEL: desired.stack.contract}
        return replace(
            as_wanted(desired.stack, service, values=values, folder=folder),
            image=state.image,
            digests=(pulled, f"sha256:{'b' * 64}") if pulled else (),
            fingerprint="" if pulled else known.fingerprint,
            labels=tuple(sorted(labels.items())) if state.boards else (),
        )


@dataclass(kw_only=True)
class Bench:
    """A machine with made-up boards, and what an acceptance run needs there."""

    scene: Scene
    kit: SceneKit
    client: FakeClient
    request: Request

    def accepted(self) -> Accepted:
        return accept(self.scene.world, self.kit, self.request)


def bench_of(spec: ModelSpec = SPEC, *, boards: tuple[str, ...] = ()) -> Bench:
    scene = card_scene(spec)
    scene.leases = SeenLeases(scene)
    request = replace(LLAMA, model=spec.model, boards=boards)
    client = FakeClient(scene.clock, model=spec.model, key=KEY)
    return Bench(scene=scene, kit=SceneKit(scene, client, request), client=client, request=request)


def test_a_validated_entry_is_brought_up_tried_and_kept() -> None:
    bench = bench_of()
    accepted = bench.accepted()
    assert accepted.details == ()
    assert accepted.ran.verdict == "passed"
    assert bench.kit.kept == [accepted.ran]
    assert (accepted.ran.entry, accepted.ran.contract) == (SPEC.id, "vllm-legacy")
    assert accepted.ran.image_digest == f"sha256:{'d' * 64}"
    assert {one.part for one in accepted.ran.checks} == {"contract", "door", "smoke"}


def test_the_boards_that_the_stack_has_are_looked_at_and_not_those_that_are_free_now() -> None:
    bench = bench_of()
    held(bench.scene, FIRST)
    up(bench.scene.world, bench.request)
    bench.scene.leases.containers = ()
    accepted = bench.accepted()
    assert accepted.details == ()
    (engine,) = (one for one in bench.scene.engine.containers(NAME) if one.boards)
    assert engine.boards == (SECOND,)


def test_what_the_machine_adds_to_the_launch_is_no_difference() -> None:
    bench = bench_of(AUDIO)
    closed = NodeVitals(node="/dev/tenstorrent/0", mode=0o660, uid=0, gid=44)
    bench.scene.vitals.the_cards = replace(bench.scene.vitals.the_cards, nodes=(closed,))
    assert bench.accepted().details == ()


@pytest.mark.parametrize("spec", [AUDIO, FORGE], ids=["media", "forge"])
def test_a_server_of_another_kind_is_looked_at_by_its_own_name(spec: ModelSpec) -> None:
    accepted = bench_of(spec).accepted()
    assert accepted.details == ()
    names = {one.name for one in accepted.ran.checks}
    assert {f"{spec.engine}: nodes of leased boards", "liveness"} <= names
    assert accepted.ran.image_digest == f"sha256:{'d' * 64}"
    assert accepted.ran.verdict in {"passed", "below target"}


def test_an_image_of_ours_is_accepted_by_its_fingerprint() -> None:
    bench = bench_of()
    bench.scene.registry.digests.clear()
    accepted = bench.accepted()
    assert accepted.details == ()
    assert accepted.ran.contract == "own"
    assert (accepted.ran.image_digest, len(accepted.ran.image_fingerprint)) == ("", 64)


def test_nothing_is_kept_of_a_machine_that_was_made_up() -> None:
    bench = bench_of()
    bench.kit.here = replace(bench.kit.here, device_root="/trial")
    with pytest.raises(NoDeviceError, match="made up"):
        bench.accepted()
    assert (bench.kit.kept, bench.scene.taken()) == ([], [])


def test_the_boards_that_were_named_are_the_ones_that_are_tried() -> None:
    bench = bench_of(boards=("/dev/tenstorrent/1",))
    accepted = bench.accepted()
    assert (accepted.ran.device, accepted.ran.bench.device) == ("n300", "t3k")
    assert accepted.ran.verdict == "passed"
    (engine,) = (one for one in bench.scene.engine.containers(NAME) if one.boards)
    assert engine.boards == (SECOND,)


def test_what_was_kept_is_on_the_models_page_and_in_the_table(tmp_path: Path) -> None:
    bench = bench_of()
    ran = bench.accepted().ran
    local = LocalKit(
        {}, checkout=tmp_path, state=tmp_path, results=tmp_path / "kept", device_root="/", key=None
    )
    local.ready()
    file = local.keep(ran)
    assert [one.name for one in file.parent.iterdir()] == [file.name]
    results = KeptResults(file.parent)
    world = replace(bench.scene.world, hardware=results)
    shown = dict(page_rows(page(world, SPEC.model, device="n300")))
    where = f"n300, {ran.date}, {file.name}: passed, tier target reached; signed by SHA256:"
    assert shown["ran on"].startswith(where)
    (row,) = [line for line in table(results.all()).splitlines() if f"/{file.name}" in line]
    for word in (SPEC.model, "n300", ran.date, "passed", "target"):
        assert f"| {word} |" in row


def test_a_kept_file_that_was_changed_by_one_byte_is_shown_nowhere(tmp_path: Path) -> None:
    bench = bench_of()
    local = LocalKit(
        {}, checkout=tmp_path, state=tmp_path, results=tmp_path / "kept", device_root="/", key=None
    )
    local.ready()
    file = local.keep(bench.accepted().ran)
    file.write_text(file.read_text().replace('"passed"', '"failed"', 1))
    world = replace(bench.scene.world, hardware=KeptResults(file.parent))
    with pytest.raises(TtctlError):
        page(world, SPEC.model, device="n300")
