# SPDX-License-Identifier: Apache-2.0
"""A gateway with a stand-in behind it that many ask at once, and those who ask."""

from __future__ import annotations

import hashlib
import http.client
import json
import re
import threading
import time
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from testcontainers.core.container import DockerContainer
from tests.integration.gateway_upstream.door import KEY, Door, door_with

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

UPSTREAM = Path(__file__).parent / "upstream"
PATIENCE_S = 120
HEADERS = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
PATH = "/v1/chat/completions"


@contextmanager
def busy_door(image: str, python: str, folder: Path) -> Iterator[Door]:
    """Yield a gateway, ready, whose engine answers many at once."""
    with door_with(image, python, folder) as door:

        def new_upstream(name: str = "vllm") -> DockerContainer:
            upstream = DockerContainer(python).with_network(door.network)
            upstream.with_network_aliases(name).with_volume_mapping(UPSTREAM, "/stand-in")
            upstream.with_kwargs(entrypoint=["python3", "/stand-in/serve.py"], init=True)
            upstream.ports["8001/tcp"] = ("127.0.0.1", None)
            return upstream

        door.new_upstream = new_upstream
        door.start_upstream()
        door.wait_for(200)
        yield door


def body_of(model: str, number: int, *, pieces: int = 5, pause_s: float = 0, pad: int = 0) -> bytes:
    asked = {"model": model, "id": number, "pieces": pieces, "pause_s": pause_s, "pad": "x" * pad}
    return json.dumps(asked).encode()


def events_of(number: int, pieces: int) -> list[str]:
    """Return the lines of a stream that is whole."""
    told = [json.dumps({"id": number, "piece": piece}) for piece in range(pieces)]
    return [f"data: {text}" for text in (*told, "[DONE]")]


def connect(door: Door) -> closing[http.client.HTTPConnection]:
    return closing(http.client.HTTPConnection("127.0.0.1", door.port, timeout=PATIENCE_S))


@dataclass
class Crowd:
    """Those who ask, some hundred at once, and what was wrong with what they got."""

    door: Door
    width: int
    wrong: list[str] = field(default_factory=list)
    right: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def ask(self, numbers: Iterable[int]) -> None:
        """Ask once for each number: every second is a stream, every tenth dials anew."""
        left = iter(numbers)
        threads = [threading.Thread(target=self._some, args=(left,)) for _ in range(self.width)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _some(self, left: Iterator[int]) -> None:
        while True:
            with connect(self.door) as connection:
                for _ in range(10):
                    with self._lock:
                        number = next(left, None)
                    if number is None:
                        return
                    self._one(connection, number)

    def _one(self, connection: http.client.HTTPConnection, number: int) -> None:
        try:
            said = _fault(connection, number)
        except (OSError, http.client.HTTPException, ValueError) as exc:
            said = repr(exc)
            connection.close()
        with self._lock:
            if said:
                self.wrong.append(f"{number}: {said}")
            else:
                self.right += 1


def _fault(connection: http.client.HTTPConnection, number: int) -> str:
    """Ask once; return what is wrong with the answer, its status, its length and each byte."""
    streams = number % 2 == 1
    body = body_of("stream" if streams else "whole", number)
    connection.request("POST", PATH, body, HEADERS)
    response = connection.getresponse()
    text = response.read().decode()
    if response.status != 200:
        return f"{response.status} {text[:200]}"
    if streams:
        lines = [line for line in text.splitlines() if line]
        return "" if lines == events_of(number, 5) else f"a stream of {lines}"
    wanted = {"id": number, "sha256": hashlib.sha256(body).hexdigest()}
    return "" if json.loads(text) == wanted else text


def memory_kib(door: Door) -> int:
    """Return what the gateway's programs hold that is no file's."""
    _, said = door.container.exec_run(["bash", "-c", "cat /proc/[0-9]*/status"])
    found = re.findall(
        r"^Name:\thaproxy\n(?:.*\n)*?RssAnon:\s+(\d+) kB", said.decode(), re.MULTILINE
    )
    assert found, said
    return sum(map(int, found))


def connections_now(door: Door) -> tuple[int, int]:
    """Return how many connections the gateway has to clients and to the engine, less this one."""
    text = door.ask("/gateway/metrics").body.decode()
    found = [
        re.search(rf'^haproxy_{what}_current_sessions{{proxy="{name}"}} (\d+)', text, re.MULTILINE)
        for what, name in (("frontend", "gateway"), ("backend", "engine"))
    ]
    front, back = (int(one[1]) for one in found if one)
    return front - 1, back


def until(condition: Callable[[], Any], what: str, *, within_s: float = PATIENCE_S) -> None:
    """Wait until something holds."""
    end = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < end, f"never: {what}"
        time.sleep(0.02)
