# SPDX-License-Identifier: Apache-2.0
"""What runs, as a test says it: containers, figures, work, events."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ttctl.errors import EngineError
from ttctl.model.live import EngineSeen

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ttctl.errors import TtctlError
    from ttctl.model.container import ContainerState
    from ttctl.model.live import Doing, LiveEvent, MemoryUse
    from ttctl.model.tls import At

START = 1769853600.0
"""2026-01-31T10:00:00Z, when the containers of the tests were started."""
GATEWAY_UP = (
    'haproxy_server_status{{proxy="engine",server="vllm",state="DOWN"}} 0\n'
    'haproxy_server_status{{proxy="engine",server="vllm",state="UP"}} 1\n'
    'haproxy_backend_http_requests_total{{proxy="engine"}} {requests}\n'
    'haproxy_backend_current_queue{{proxy="engine"}} 0\n'
)
VLLM = (
    "# TYPE vllm:num_requests_running gauge\n"
    'vllm:num_requests_running{{engine="0",model_name="m"}} 2\n'
    'vllm:num_requests_waiting{{engine="0",model_name="m"}} 1\n'
    'vllm:generation_tokens_total{{engine="0",model_name="m"}} {tokens}\n'
    'vllm:request_success_total{{finished_reason="stop",model_name="m"}} {requests}\n'
    'vllm:request_success_total{{finished_reason="length",model_name="m"}} 1\n'
)


@dataclass
class FakeLive:
    """Answers at once, unless a test hangs a source by an event of its own."""

    at: float = START + 60
    containers: tuple[ContainerState, ...] = ()
    memory: tuple[MemoryUse, ...] = ()
    events: tuple[LiveEvent, ...] = ()
    works: tuple[Doing, ...] = ()
    notes: tuple[LiveEvent, ...] = ()
    texts: dict[str, str] = field(default_factory=dict)
    """Path, without its query, to what is answered there."""
    asked: list[str] = field(default_factory=list)
    since: list[float] = field(default_factory=list)
    refuses: TtctlError | None = None
    on_engine: Callable[[], object] = lambda: None
    on_metrics: Callable[[], object] = lambda: None

    def now(self) -> float:
        return self.at

    def engine(self, *, since: float) -> EngineSeen:
        self.since.append(since)
        self.on_engine()
        if self.refuses:
            raise self.refuses
        return EngineSeen(containers=self.containers, memory=self.memory, events=self.events)

    def metrics(self, at: At, key: str, path: str) -> str:
        self.asked.append(f"{at.port} {key} {path}")
        self.on_metrics()
        text = self.texts.get(path.partition("?")[0])
        if text is None:
            raise EngineError("Nothing answers.", evidence="HTTP status 404")
        return text

    def doing(self, stacks: Sequence[str]) -> tuple[Doing, ...]:
        return tuple(one for one in self.works if one.stack in stacks)

    def noted(self, stacks: Sequence[str]) -> tuple[LiveEvent, ...]:
        return tuple(one for one in self.notes if one.stack in {"", *stacks})
