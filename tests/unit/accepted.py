# SPDX-License-Identifier: Apache-2.0
"""An acceptance run as tests have it: no card ever ran it, and it is kept nowhere."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from posixpath import join, normpath
from typing import TYPE_CHECKING, Any

from ttctl.model.acceptance import Bench, Build, Check, Figure, Ran, TierRun
from ttctl.model.acceptance_kit import Answer, Place, Seen
from ttctl.model.container import BOARDS_LABEL, CONTRACT_LABEL
from ttctl.rules.acceptance_seen import filled
from ttctl.rules.acceptance_text import file_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.unit.fakes import FakeClock

    from ttctl.model.acceptance_kit import Question
    from ttctl.model.service import ServiceSpec, Stack
    from ttctl.model.tls import At

RAN = Ran(
    entry="id_test_Small-1B_n150",
    model="acme/Small-1B",
    device="n150",
    engine="vllm",
    implementation="test",
    tt_metal="1" * 7,
    vllm="2" * 7,
    image="registry.example.org/acme/vllm-test:0.0.0-1111111-2222222",
    image_digest=f"sha256:{'a' * 64}",
    image_fingerprint="",
    contract="vllm-current",
    catalog="0.20.0",
    catalog_sha256="c" * 64,
    build=Build(version="0.1.0", commit="3" * 40, modified=False),
    bench=Bench(
        device="n150",
        boards=(("n150", 1),),
        driver="2.0.0",
        firmware=("19.2.0.0",),
        kernel="6.8.0-45",
    ),
    checks=(
        Check(name="device nodes", part="contract", outcome="passed"),
        Check(name="a wrong key", part="door", outcome="passed", seconds=0.0123),
        Check(name="an answer", part="smoke", outcome="passed", seconds=1.5),
    ),
    tiers=(
        TierRun(
            task="text",
            shape="128/128",
            concurrency=1,
            tier="target",
            requests=8,
            failed=0,
            figures=(
                Figure(name="ttft_ms", target=26.0, measured=25.5, verdict="met"),
                Figure(name="tput", target=4276.0, measured=43.1, verdict="not judged"),
            ),
            reached="target",
        ),
    ),
    started_s=61.25,
    date="2026-01-31",
    verdict="passed",
)


def ran(**changes: Any) -> Ran:  # noqa: ANN401
    """Return the run with some fields changed."""
    return replace(RAN, **changes)


def outcomes(*words: Any) -> Sequence[Check]:  # noqa: ANN401
    """Return a check of each outcome."""
    return [Check(name=f"check {n}", part="smoke", outcome=one) for n, one in enumerate(words)]


def as_wanted(
    stack: Stack, service: ServiceSpec, *, values: Mapping[str, str], folder: str = "/folder"
) -> Seen:
    """Return a container that is all that was wanted of it."""
    confinement = service.confinement
    labels = {BOARDS_LABEL: ",".join(stack.boards), CONTRACT_LABEL: stack.contract}
    return Seen(
        service=service.name,
        image=service.image,
        digests=(f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"),
        fingerprint="",
        user=confinement.user,
        read_only=confinement.read_only,
        privileged=False,
        cap_drop=("ALL",),
        cap_add=tuple(sorted(confinement.capabilities)),
        security=("no-new-privileges:true",),
        ipc=confinement.ipc,
        shm_bytes=service.shm_mib << 20,
        memory_bytes=service.memory_mib << 20,
        swap_bytes=service.memory_mib << 20,
        pids=service.pids,
        memlock=confinement.memlock,
        groups=confinement.groups,
        nodes=tuple(sorted(values[f"TTCTL_NODE_{at}"] for at in range(service.nodes))),
        mounts=tuple(
            sorted(
                (
                    (normpath(join(folder, filled(one.source, values))), one.target, one.read_only)
                    for one in service.mounts
                ),
                key=lambda one: one[1],
            )
        ),
        scratch=tuple(sorted(("/tmp", *(one.target for one in service.scratch)))),  # noqa: S108
        networks=tuple(sorted(f"ttctl-{stack.name}_{one}" for one in service.networks)),
        published=(("127.0.0.1", stack.port, service.publish),) if service.publish else (),
        restart=service.restart,
        stop_s=service.stop_grace_s,
        labels=tuple(sorted(labels.items())) if service.nodes else (),
    )


class FakeClient:
    """A gateway whose engine answers well, until a test says otherwise."""

    def __init__(self, clock: FakeClock, *, model: str, key: str) -> None:
        self._clock, self._model, self._key = clock, model, key
        self.asked: list[Question] = []
        self.takes_s = 0.0
        self.token_s = 0.01
        self.faults: dict[str, Answer] = {}
        """By path: what comes in place of an answer."""
        self.open = False
        self.jobs = ["completed", "in_progress"]

    def ask(self, question: Question, *, key: str, limit_s: float) -> Answer:  # noqa: ARG002
        self.asked.append(question)
        self._clock.sleep(self.takes_s)
        if key != self._key and question.path != "/health" and not self.open:
            return Answer(status=401, seconds=0.01)
        if question.path in self.faults:
            return self.faults[question.path]
        if question.stream:
            return self._streamed(question)
        return Answer(status=200, seconds=0.5, body=json.dumps(self._body(question)).encode())

    def at_once(
        self, questions: Sequence[Question], *, key: str, limit_s: float
    ) -> tuple[Answer, ...]:
        return tuple(self.ask(one, key=key, limit_s=limit_s) for one in questions)

    def _streamed(self, question: Question) -> Answer:
        many = question.stop_after or question.most_tokens
        return Answer(
            status=200,
            seconds=0.02 + many * self.token_s,
            first_s=0.02,
            last_s=0.02 + (many - 1) * self.token_s,
            pieces=many,
            tokens=many,
        )

    def _body(self, question: Question) -> object:
        if question.path == "/v1/models":
            return {"data": [{"id": self._model}]}
        if question.path.startswith("/v1/videos/generations"):
            state = self.jobs.pop() if self.jobs and not question.body else "queued"
            return {"id": "job1", "status": state}
        if question.path == "/tt-liveness":
            return {"model_ready": True}
        if question.path.startswith("/v1/audio"):
            return {"text": "three"}
        return {"choices": [{"text": "three"}]}


class FakeKit:
    """What an acceptance run needs of the outside, in memory; `kept` is what was written."""

    def __init__(self, client: FakeClient) -> None:
        self._client = client
        self.here = Place(
            kernel="6.8.0-45-forge7",
            build=RAN.build,
            today="2026-01-31",
            device_root="/",
            private=("forge-7", "somebody"),
        )
        self.containers: dict[str, Seen] = {}
        self.kept: list[Ran] = []
        self.was_ready = False

    def place(self) -> Place:
        return self.here

    def ready(self) -> None:
        self.was_ready = True

    def seen(self, container_id: str) -> Seen:
        return self.containers[container_id]

    def client(self, at: At) -> FakeClient:  # noqa: ARG002
        return self._client

    def keep(self, ran: Ran) -> Path:
        self.kept.append(ran)
        return Path("/results") / file_name(ran)
