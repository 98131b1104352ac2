# SPDX-License-Identifier: Apache-2.0
"""What the gateway costs: CPU per request over nginx's as a plain proxy, and added latency.

Both run before one upstream over loopback, as shipped and in turns: the gateway checks the key and
the path and logs to the container engine, nginx passes everything on and logs to a file. Latency is
taken with one request in flight, CPU time with several.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, cast

from tests.bench.loopback import (
    ANSWER,
    BODY,
    JSON,
    KEY,
    ROOT,
    free_port,
    shipped_gateway,
    upstream_of,
    wait_for,
)

from ttctl.adapters.templates import ShippedRecipes

if TYPE_CHECKING:
    from collections.abc import Iterator

ROUNDS, REQUESTS, IN_FLIGHT = 5, 1600, 16
GOAL = 2
PROMPT = b'{"model": "llama", "prompt": "%b"}' % (b"x" * 156)
HEAD = f"POST /v1/completions HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {KEY}\r\n".encode()
REQUEST = HEAD + JSON % (len(PROMPT), PROMPT)
NGINX = """
worker_processes 1;
daemon off;
pid nginx.pid;
events {{}}
http {{
    access_log access.log;
    client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi; scgi_temp_path scgi;
    keepalive_requests 1000000;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    upstream engine {{ server 127.0.0.1:{upstream}; keepalive 32; }}
    server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://engine; }} }}
}}
"""


class Upstream(asyncio.Protocol):
    """Answer the same to every request, at once."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._received = b""

    def data_received(self, data: bytes) -> None:
        self._received += data
        if self._received.endswith(PROMPT) or self._received.startswith(b"GET"):
            self._received = b""
            self._transport.write(ANSWER)


@dataclass
class Target:
    """A port to ask, and the processes behind it."""

    port: int
    pids: tuple[int, ...] = ()
    cpu_us: list[float] = field(default_factory=list)
    latency_us: list[float] = field(default_factory=list)

    def measure(self) -> None:
        with ExitStack() as stack:
            open_one = partial(socket.create_connection, ("127.0.0.1", self.port), timeout=30)
            connections = [stack.enter_context(open_one()) for _ in range(IN_FLIGHT)]
            for _ in range(REQUESTS):
                started = time.perf_counter()
                ask(connections[:1])
                self.latency_us.append((time.perf_counter() - started) * 1e6)
            before = self._cpu_ns()
            for _ in range(REQUESTS // IN_FLIGHT):
                ask(connections)
            self.cpu_us.append((self._cpu_ns() - before) / REQUESTS / 1e3)

    def _cpu_ns(self) -> int:
        tasks = (task for pid in self.pids for task in Path(f"/proc/{pid}/task").iterdir())
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks)


def ask(connections: list[socket.socket]) -> None:
    for connection in connections:
        connection.sendall(REQUEST)
    for connection in connections:
        received = b""
        while not received.endswith(BODY):
            data = connection.recv(65536)
            if not data:
                raise ConnectionError(received[:200])
            received += data


@contextmanager
def nginx(folder: Path, upstream: int) -> Iterator[Target]:
    port, config = free_port(), folder / "nginx.conf"
    config.write_text(NGINX.format(port=port, upstream=upstream))
    with subprocess.Popen(["nginx", "-p", folder, "-c", config, "-e", "error.log"]) as process:
        try:
            wait_for(port)
            children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
            yield Target(port, (process.pid, *map(int, children.split())))
        finally:
            process.terminate()


@contextmanager
def gateway(image: str, folder: Path, upstream: int) -> Iterator[Target]:
    """Run the gateway as shipped, before the upstream."""
    recipes = ShippedRecipes(ROOT)
    paths = recipes.defaults("gateway").paths
    values = {"paths": paths, "max_body_bytes": 2**25, "retry_after_s": 5}
    values |= {"engine": "127.0.0.1", "engine_port": upstream}
    config = recipes.template("gateway/haproxy.cfg.j2", values)
    with shipped_gateway(image, folder, config) as (port, pids):
        yield Target(port, pids)


def report(direct: Target, proxies: dict[str, Target]) -> tuple[str, float]:
    text = f"{'':8} {'CPU us/request':>14} {'added p50 us':>12}\n"
    for name, target in proxies.items():
        added = median(target.latency_us) - median(direct.latency_us)
        text += f"{name:8} {median(target.cpu_us):14.1f} {added:12.0f}\n"
    ratio = median(proxies["gateway"].cpu_us) / median(proxies["nginx"].cpu_us)
    return f"{text}gateway / nginx, CPU: {ratio:.2f} (goal: at most {GOAL})\n", ratio


def main() -> None:
    if not (image := os.environ.get("TTCTL_TEST_GATEWAY", "")):
        sys.exit("TTCTL_TEST_GATEWAY names no image of images/gateway.")
    if not shutil.which("nginx"):
        sys.exit("Nothing to compare with. Type: apt-get install nginx-light")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        upstream = stack.enter_context(upstream_of(Upstream))
        direct, proxies = Target(upstream), {}
        proxies["nginx"] = stack.enter_context(nginx(folder, upstream))
        proxies["gateway"] = stack.enter_context(gateway(image, folder, upstream))
        for target in (direct, *proxies.values()) * ROUNDS:
            target.measure()
        text, ratio = report(direct, proxies)
        sys.stdout.write(text)
        if ratio > GOAL:
            sys.exit(1)


if __name__ == "__main__":
    main()
