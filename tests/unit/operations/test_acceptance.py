# SPDX-License-Identifier: Apache-2.0
"""Is a result written only where a card was tried, and does it claim no more than was seen?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest
from tests.unit.accepted import FakeClient, FakeKit, as_wanted
from tests.unit.fakes import CARD_MODEL, DEMO_MODEL, KEY, Scene, container

from ttctl.errors import BadFileError, NoDeviceError, TtctlError, UsageError
from ttctl.model.acceptance_kit import Answer
from ttctl.model.device import Board, System
from ttctl.model.lock import LockedImage
from ttctl.model.pins import Pins, Target
from ttctl.model.spec import Request
from ttctl.operations.acceptance import accept, check_entry, examine
from ttctl.operations.acceptance_smoke import SMOKE_S
from ttctl.operations.desire import desire
from ttctl.rules.dotenv import dotenv_text

if TYPE_CHECKING:
    from ttctl.model.acceptance import Ran
    from ttctl.model.acceptance_kit import Accepted
    from ttctl.operations.desire import Desired

SERIAL = "0100014211703021"
NODE = "/dev/tenstorrent/3:/dev/tenstorrent/3"
DIGEST = f"sha256:{'a' * 64}"
IMAGE = f"registry.example.org/acme/vllm@{DIGEST}"
SPEC = replace(
    CARD_MODEL,
    id="id_test_Small-1B_n150",
    implementation="test",
    pins=Pins(
        tt_metal="1" * 7,
        vllm="2" * 7,
        image="registry.example.org/acme/vllm:0.18.0-1111111-2222222",
        version="0.18.0",
        contract="vllm-current",
        recipe="vllm-fork",
        flag="",
    ),
    targets=(
        Target(
            task="text", shape="128/128", concurrency=1, tier="target", ttft_ms=26, tput_user=43
        ),
    ),
)
CARDS = System(
    device="n150",
    cores=8,
    memory_bytes=32 << 30,
    machine="x86_64",
    driver="2.0.0",
    boards=(
        Board(
            id=SERIAL,
            family="n150",
            nodes=("/dev/tenstorrent/3",),
            pci_addresses=("0000:01:00.0",),
            asic_ids=("0xABCDEF0123456789",),
            chips=1,
            firmware="19.2.0.0",
        ),
    ),
)


@dataclass(kw_only=True)
class Bench:
    """A stack that is up on made-up cards, seen as it was wanted."""

    scene: Scene
    kit: FakeKit
    client: FakeClient
    desired: Desired

    def examined(self, *, measure: bool = True) -> Accepted:
        return examine(
            self.scene.world,
            self.kit,
            self.desired,
            self.kit.here,
            started_s=61,
            measure=measure,
        )

    def outcomes(self) -> dict[str, str]:
        return {one.name: one.outcome for one in self.examined().ran.checks}

    def turn(self, **changes: Any) -> None:  # noqa: ANN401
        """Make the model another one."""
        self.desired = replace(self.desired, spec=replace(self.desired.spec, **changes))


@pytest.fixture
def bench() -> Bench:
    scene = Scene()
    plain = desire(scene.world, Request(model="demo-llama"))
    scene.host.found = CARDS
    engine = replace(plain.stack.services[0], image=IMAGE, nodes=1)
    services = (engine, *plain.stack.services[1:])
    stack = replace(
        plain.stack,
        model=SPEC.model,
        services=services,
        device="n150",
        contract="vllm-current",
        boards=("abcdef0123456789",),
    )
    locked = LockedImage(name="vllm", reference=IMAGE, fingerprint="f" * 64)
    lock = replace(plain.lock, images=(locked, *plain.lock.images[1:]))
    desired = replace(plain, spec=SPEC, stack=stack, lock=lock)
    values = {"TTCTL_NODE_0": NODE, "TTCTL_WEIGHTS": "/w", "TTCTL_SECRETS": "/s"}
    folder = str(scene.store.folder(stack.name))
    scene.store.rendered[folder] = {".env": (dotenv_text(values), False)}
    scene.store.made_keys[stack.name] = KEY
    client = FakeClient(scene.clock, model=SPEC.model, key=KEY)
    kit = FakeKit(client)
    for service in services:
        state = container(service.name, stack=stack.name, container_id=service.name)
        scene.engine.states[state.name] = state
        seen = as_wanted(stack, service, values=values, folder=folder)
        known = {one.reference: one.fingerprint for one in lock.images}
        own = "" if service is engine else known[service.image]
        kit.containers[service.name] = replace(seen, fingerprint=own)
    return Bench(scene=scene, kit=kit, client=client, desired=desired)


def test_a_run_in_which_all_went_well_passes_and_is_kept_once(bench: Bench) -> None:
    accepted = bench.examined()
    assert accepted.details == ()
    assert bench.kit.kept == [accepted.ran]
    assert accepted.ran.verdict == "passed"
    assert accepted.ran.tiers[0].reached == "target"
    assert {one.part for one in accepted.ran.checks} == {"contract", "door", "smoke"}
    assert (accepted.ran.image_digest, accepted.ran.image_fingerprint) == (DIGEST, "")


def test_the_result_holds_the_machines_kind_and_nothing_by_which_it_is_known(bench: Bench) -> None:
    ran = bench.examined().ran
    assert ran.bench.boards == (("n150", 1),)
    assert (ran.bench.driver, ran.bench.firmware) == ("2.0.0", ("19.2.0.0",))
    assert ran.bench.kernel == "6.8.0-45"
    for word in (SERIAL, KEY, "forge", "/dev/", "0000:01", "/w", "127.0.0.1"):
        assert word not in repr(ran)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"model": "forge-7"}, id="the host's name"),
        pytest.param({"implementation": f"x {SERIAL}"}, id="a serial number"),
        pytest.param({"implementation": "abcdef0123456789"}, id="a chip's number"),
        pytest.param({"id": "/srv/x"}, id="a path"),
        pytest.param({"model": KEY}, id="the key"),
    ],
)
def test_what_would_name_the_machine_is_not_written(bench: Bench, changes: dict[str, str]) -> None:
    bench.turn(**changes)
    with pytest.raises(TtctlError, match="was not written") as caught:
        bench.examined()
    assert SERIAL not in caught.value.evidence
    assert bench.kit.kept == []


def test_another_image_than_the_locked_one_ends_it_without_a_file(bench: Bench) -> None:
    seen = bench.kit.containers["vllm"]
    bench.kit.containers["vllm"] = replace(seen, digests=(f"sha256:{'9' * 64}",))
    with pytest.raises(BadFileError, match="not the locked one") as caught:
        bench.examined()
    assert caught.value.exit_code == 9
    assert bench.kit.kept == []


def test_a_container_that_differs_fails_and_the_detail_stays_on_the_screen(bench: Bench) -> None:
    seen = bench.kit.containers["vllm"]
    bench.kit.containers["vllm"] = replace(seen, privileged=True, mounts=(("/home/x", "/y", True),))
    accepted = bench.examined()
    assert accepted.ran.verdict == "failed"
    assert [name for name, _ in accepted.details] == ["vllm: not privileged", "vllm: mounts"]
    assert "/home/x" in dict(accepted.details)["vllm: mounts"]
    assert "/home/x" not in repr(accepted.ran)


def test_a_container_that_is_gone_fails(bench: Bench) -> None:
    bench.scene.engine.set_state("vllm", state="exited")
    assert bench.outcomes()["vllm: runs"] == "failed"


def test_a_node_of_a_board_that_is_not_leased_fails(bench: Bench) -> None:
    stack = replace(bench.desired.stack, boards=("another",))
    bench.desired = replace(bench.desired, stack=stack)
    assert bench.outcomes()["vllm: nodes of leased boards"] == "failed"


def test_a_gateway_that_lets_everybody_in_fails(bench: Bench) -> None:
    bench.client.open = True
    outcomes = bench.outcomes()
    assert outcomes["a wrong key is refused"] == "failed"
    assert outcomes["no key is refused"] == "failed"
    assert outcomes["models"] == "passed"


def test_a_gateway_that_lists_another_model_fails(bench: Bench) -> None:
    body = b'{"data": [{"id": "another"}]}'
    bench.client.faults["/v1/models"] = Answer(status=200, body=body)
    assert bench.outcomes()["models"] == "failed"


def test_the_speeds_left_out_make_it_incomplete(bench: Bench) -> None:
    ran = bench.examined(measure=False).ran
    assert (ran.verdict, ran.tiers) == ("incomplete", ())


def test_trials_that_do_not_fit_into_two_minutes_are_skipped(bench: Bench) -> None:
    bench.client.takes_s = SMOKE_S / 3
    ran = bench.examined().ran
    smoke = [one.outcome for one in ran.checks if one.part == "smoke"]
    assert smoke[0] == "passed"
    assert smoke[-1] == "skipped"
    assert ran.verdict == "incomplete"


def test_a_slow_model_is_below_its_target_and_says_which_figure(bench: Bench) -> None:
    bench.client.token_s = 0.05
    ran = bench.examined().ran
    assert ran.verdict == "below target"
    assert [(one.name, one.verdict) for one in ran.tiers[0].figures] == [
        ("ttft_ms", "met"), ("tput_user", "below")
    ]  # fmt: skip


def test_a_measurement_whose_requests_fail_ends_early_and_fails(bench: Bench) -> None:
    fault = Answer(status=500, seconds=1)
    bench.client.faults["/v1/completions"] = fault
    ran = bench.examined().ran
    assert (ran.verdict, ran.tiers[0].requests, ran.tiers[0].failed) == ("failed", 1, 1)


def test_a_measurement_ends_by_its_time(bench: Bench) -> None:
    bench.client.takes_s = 400
    assert bench.examined().ran.tiers[0].requests == 2


def test_as_many_are_asked_at_once_as_the_entry_says(bench: Bench) -> None:
    bench.turn(targets=(replace(SPEC.targets[0], concurrency=32),))
    tier = bench.examined().ran.tiers[0]
    assert (tier.concurrency, tier.requests) == (32, 32)


def test_a_kind_that_is_not_known_is_incomplete(bench: Bench) -> None:
    bench.turn(type="OTHER", targets=())
    assert bench.examined().ran.verdict == "incomplete"


def test_a_video_is_waited_for_and_the_one_of_the_smoke_is_cancelled(bench: Bench) -> None:
    target = Target(task="video", shape="", concurrency=1, tier="target", ttft_ms=330_000)
    stack = replace(bench.desired.stack, contract="media")
    bench.desired = replace(bench.desired, stack=stack)
    seen = bench.kit.containers["vllm"]
    labels = {**dict(seen.labels), "dev.ttctl.contract": "media"}
    bench.kit.containers["vllm"] = replace(seen, labels=tuple(sorted(labels.items())))
    bench.turn(type="VIDEO", engine="media", targets=(target,))
    bench.client.jobs = ["completed", "in_progress"] * 8
    ran = bench.examined().ran
    assert ran.verdict == "passed"
    figure = ran.tiers[0].figures[0]
    assert figure.measured == pytest.approx(2500)
    assert "/v1/videos/generations/job1/cancel" in [one.path for one in bench.client.asked]
    assert {"liveness", "healthy"} <= {one.name for one in ran.checks}


def test_a_video_that_fails_is_a_failed_request(bench: Bench) -> None:
    target = Target(task="video", shape="", concurrency=1, tier="target", ttft_ms=330_000)
    bench.turn(type="VIDEO", engine="media", targets=(target,))
    bench.client.jobs = ["failed"] * 9
    assert bench.examined().ran.tiers[0].failed == 1


def test_without_a_card_nothing_is_brought_up_and_the_exit_code_is_3(bench: Bench) -> None:
    scene = Scene()
    with pytest.raises(NoDeviceError) as caught:
        accept(scene.world, bench.kit, Request(model="demo-llama"))
    assert caught.value.exit_code == 3
    assert scene.calls == []
    assert bench.kit.kept == []


def test_cards_that_were_made_up_are_none(bench: Bench) -> None:
    bench.kit.here = replace(bench.kit.here, device_root="/tmp/tree")  # noqa: S108
    with pytest.raises(NoDeviceError, match="made up"):
        accept(bench.scene.world, bench.kit, Request(model="demo-llama"))
    assert bench.kit.kept == []


def test_a_model_of_the_processor_is_no_entry_of_a_card(bench: Bench) -> None:
    scene = bench.scene
    scene.calls.clear()
    with pytest.raises(UsageError, match="no validated entry"):
        accept(scene.world, bench.kit, Request(model=DEMO_MODEL.model, device="cpu"))
    assert scene.calls == []


def test_an_image_from_a_checkout_is_no_validated_one(bench: Bench) -> None:
    images = [replace(one, unvalidated="tt-metal=/src/x") for one in bench.desired.lock.images]
    lock = replace(bench.desired.lock, images=tuple(images))
    with pytest.raises(UsageError, match="built from a checkout") as caught:
        check_entry(replace(bench.desired, lock=lock))
    assert caught.value.evidence == "tt-metal"
    check_entry(bench.desired)


def test_a_built_image_is_told_by_its_fingerprint(bench: Bench) -> None:
    engine = replace(bench.desired.stack.services[0], image="ttctl/vllm:1")
    locked = LockedImage(name="vllm", reference="ttctl/vllm:1", fingerprint="e" * 64)
    others = bench.desired.stack.services[1:]
    bench.desired = replace(
        bench.desired,
        stack=replace(bench.desired.stack, services=(engine, *others)),
        lock=replace(bench.desired.lock, images=(locked, *bench.desired.lock.images[1:])),
    )
    seen = bench.kit.containers["vllm"]
    bench.kit.containers["vllm"] = replace(seen, image="ttctl/vllm:1", fingerprint="e" * 64)
    ran: Ran = bench.examined().ran
    assert (ran.image_digest, ran.image_fingerprint) == ("", "e" * 64)
