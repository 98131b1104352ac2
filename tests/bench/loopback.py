# SPDX-License-Identifier: Apache-2.0
"""What the benches of the gateway stand on: an upstream and the shipped gateway, over loopback."""

from __future__ import annotations

import asyncio
import hashlib
import socket
import time
from contextlib import contextmanager, suppress
from multiprocessing import Process
from pathlib import Path
from typing import TYPE_CHECKING

import docker

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
KEY = "a-key-of-the-bench"
BODY = b'{"choices": [{"text": "%b"}]}' % (b"x" * 370)
JSON = b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
ANSWER = b"HTTP/1.1 200 OK\r\n" + JSON % (len(BODY), BODY)


async def _serve(protocol: type[asyncio.Protocol], port: int) -> None:
    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", port)
    await server.serve_forever()


@contextmanager
def upstream_of(protocol: type[asyncio.Protocol]) -> Iterator[int]:
    """Run an upstream in a process of its own, and give its port."""
    port = free_port()
    process = Process(target=lambda: asyncio.run(_serve(protocol, port)), daemon=True)
    process.start()
    try:
        wait_for(port)
        yield port
    finally:
        process.terminate()


@contextmanager
def shipped_gateway(
    image: str, folder: Path, config: str, *, memory_mib: int = 0
) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Run the gateway's container in the host's network: what is beside it has no bridge either.

    Gives its port and its processes; no memory is no limit.
    """
    port = free_port()
    (folder / "haproxy.cfg").write_text(config.replace("bind :8080", f"bind 127.0.0.1:{port}"))
    (folder / "keys.map").write_text(f"{hashlib.sha256(KEY.encode()).hexdigest()} bench\n")
    folder.chmod(0o755)
    client = docker.from_env()
    container = client.containers.run(
        image,
        detach=True,
        network_mode="host",
        volumes=[f"{folder}:/etc/ttctl/gateway:ro", f"{folder}:/run/secrets/gateway:ro"],
        **({"mem_limit": f"{memory_mib}m"} if memory_mib else {}),
    )
    try:
        wait_for(port)
        yield port, tuple(int(row[1]) for row in container.top()["Processes"])
    finally:
        container.remove(force=True)
        client.close()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def wait_for(port: int) -> None:
    for _ in range(400):
        with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.05)
    raise TimeoutError("a proxy did not start within 20 s")
