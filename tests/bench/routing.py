# SPDX-License-Identifier: Apache-2.0
"""What it costs to tell several engines apart behind one gateway: added latency, and memory.

One upstream over loopback is asked by itself, through a gateway with one engine, and through one
with two that are told apart by the prefix or by the body's model, in turns, with bodies of 1 kB,
100 kB and 1 MB. A body that does not fit the gateway's buffer is refused with a 413 that names the
prefixes, and is not measured by its model. Memory is the resident one of the gateway's processes:
before the first request, after those one by one, and after many large ones at once.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import socket
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, cast

from tests.bench.loopback import ANSWER, BODY, KEY, ROOT, shipped_gateway, upstream_of

from ttctl.adapters.templates import ShippedRecipes
from ttctl.rules.gateway_routes import BODY_BYTES, MEMORY_MIB, Behind, several_values

if TYPE_CHECKING:
    from collections.abc import Iterator

ROUNDS = 5
SIZES = {1_000: 300, 100_000: 150, 1_000_000: 40}
"""Bytes of a body, and how often it is sent in a round."""
AT_ONCE, LARGE = 300, 250_000
"""Connections, and bytes of the body that each sends at once: it just fits the buffer."""
LIMIT = 33554432
ONE = "one engine"
PATH = "/v1/completions"
LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


class Upstream(asyncio.Protocol):
    """Answer the same to every request once its body is there."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._head, self._left = b"", -1

    def data_received(self, data: bytes) -> None:
        if self._left < 0:
            self._head += data
            head, end, body = self._head.partition(b"\r\n\r\n")
            if not end:
                return
            found = LENGTH.search(head)
            self._left, data = int(found[1]) if found else 0, body
        self._left -= len(data)
        if self._left <= 0:
            self._head, self._left = b"", -1
            self._transport.write(ANSWER)


@dataclass
class Target:
    """A way to the upstream, and the microseconds that it took, by the size of the body."""

    port: int
    path: str = PATH
    took_us: dict[int, list[float]] = field(default_factory=dict)

    def measure(self, size: int, times: int) -> None:
        sent = request(self.path, size)
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as connection:
            ask(connection, sent)
            for _ in range(times):
                started = time.perf_counter()
                ask(connection, sent)
                self.took_us.setdefault(size, []).append((time.perf_counter() - started) * 1e6)


def request(path: str, size: int) -> bytes:
    """Return a request whose body has so many bytes, its model at the end."""
    text = json.dumps({"prompt": "", "model": "acme/second"})
    body = text.replace('""', f'"{"x" * (size - len(text))}"').encode()
    head = f"POST {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {KEY}\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def ask(connection: socket.socket, sent: bytes) -> None:
    """Send a request and read its answer, which is the upstream's."""
    connection.sendall(sent)
    received = b""
    while not received.endswith(BODY):
        data = connection.recv(65536)
        if not data or b" 200 " not in (received + data)[:15]:
            raise ConnectionError((received + data)[:300])
        received += data


@dataclass(frozen=True)
class Gateway:
    """A container of the gateway, in the host's network."""

    port: int
    pids: tuple[int, ...]

    def memory_mib(self) -> float:
        """Return the resident memory of its processes, in MiB."""
        texts = (Path(f"/proc/{pid}/status").read_text() for pid in self.pids)
        return sum(int(text.split("VmRSS:")[1].split()[0]) for text in texts) / 1024


@contextmanager
def gateway(image: str, folder: Path, values: dict[str, object]) -> Iterator[Gateway]:
    """Run the gateway as shipped, with its limit of memory, before the upstream on loopback."""
    recipes = ShippedRecipes(ROOT)
    folder.mkdir()
    text = recipes.template("gateway/haproxy.cfg.j2", values)
    config = re.sub(r"(?m)^(    server \S+ )[a-z]+:", r"\g<1>127.0.0.1:", text)
    memory_mib = (
        MEMORY_MIB if "tune.buffers.limit" in config else recipes.defaults("gateway").memory_mib
    )
    with shipped_gateway(image, folder, config, memory_mib=memory_mib) as (port, pids):
        time.sleep(1)  # so that the first check of the upstream is over
        yield Gateway(port, pids)


def values_of(upstream: int) -> tuple[dict[str, object], dict[str, object]]:
    """Return what the configurations for one engine and for two are rendered with."""
    defaults = ShippedRecipes(ROOT).defaults("gateway")
    one = {"engine": "first", "engine_port": upstream, "paths": defaults.paths}
    engines = [
        Behind(name=name, port=upstream, paths=(PATH,), models=(f"acme/{name}",))
        for name in ("first", "second")
    ]
    several = several_values(engines, gateway=defaults, max_body_bytes=LIMIT)
    return {**one, "max_body_bytes": LIMIT, "retry_after_s": defaults.retry_after_s}, several


def refusal(port: int, size: int) -> str:
    """Return the answer to a body that is too large to find its model in it."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(request(PATH, size)[: BODY_BYTES * 2])
        return connection.recv(65536).decode()


def many(port: int, path: str) -> None:
    """Send large bodies over many connections at once; each is answered."""

    def one(connection: socket.socket) -> None:
        ask(connection, request(path, LARGE))

    with ExitStack() as stack, ThreadPoolExecutor(AT_ONCE) as pool:
        open_one = partial(socket.create_connection, ("127.0.0.1", port), timeout=60)
        connections = [stack.enter_context(open_one()) for _ in range(AT_ONCE)]
        list(pool.map(one, connections))


def report(targets: dict[str, Target]) -> str:
    """Return the table: microseconds at the median, and over those through a gateway for one."""
    text = f"{'p50 in us, over one':22}" + "".join(f"{size // 1000:>7} kB {'':6}" for size in SIZES)
    for name, target in targets.items():
        text += f"\n{name:22}"
        for size in SIZES:
            if size not in target.took_us:
                text += f"{'413':>10} {'-':>6}"
                continue
            took = median(target.took_us[size])
            text += f"{took:10.0f} {took / median(targets[ONE].took_us[size]):6.2f}"
    return f"{text}\n"


def main() -> int:
    """Print the table; exit 1 where a body that does not fit is not told of the prefixes."""
    if not (image := os.environ.get("TTCTL_TEST_GATEWAY", "")):
        sys.exit("TTCTL_TEST_GATEWAY names no image of images/gateway.")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.chmod(0o755)
        upstream = stack.enter_context(upstream_of(Upstream))
        values = dict(zip(("one", "several"), values_of(upstream), strict=True))
        doors = {
            name: stack.enter_context(gateway(image, folder / name, value))
            for name, value in values.items()
        }
        memory = {name: [door.memory_mib()] for name, door in doors.items()}
        several = doors["several"].port
        targets = {
            "direct": Target(upstream),
            ONE: Target(doors["one"].port),
            "two, by the prefix": Target(several, f"/second{PATH}"),
            "two, by body's model": Target(several),
        }
        for _ in range(ROUNDS):
            for size, times in SIZES.items():
                for name, target in targets.items():
                    if size <= BODY_BYTES or "model" not in name:
                        target.measure(size, times)
        for name, door in doors.items():
            memory[name].append(door.memory_mib())
            many(door.port, PATH)
            memory[name].append(door.memory_mib())
        sys.stdout.write(report(targets))
        for name, found in memory.items():
            shown = ", ".join(f"{one:.0f}" for one in found)
            note = f"before, after one by one, after {AT_ONCE} of {LARGE // 1000} kB at once"
            sys.stdout.write(f"memory of the gateway, {name}: {shown} MiB ({note})\n")
        told = refusal(several, 1_000_000)
    is_told = " 413 " in told[:15] and "/first, /second" in told
    sys.stdout.write(f"1 MB by its model: {'413 that names the prefixes' if is_told else told}\n")
    return 0 if is_told else 1


if __name__ == "__main__":
    raise SystemExit(main())
