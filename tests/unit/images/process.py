# SPDX-License-Identifier: Apache-2.0
"""A program of ours as a process of its own: how tests start it, ask it, and what all must do."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import tomllib
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

IMAGES = Path(__file__).parents[3] / "images"
PATIENCE_S = 20

no_key = pytest.mark.parametrize(
    ("text", "says"), [(None, "cannot be read"), ("\n", "the key's file is empty")]
)
"""What a key's file holds, None for no file, and what is said of it."""


@contextmanager
def running(
    folder: Path, words: tuple[str, ...], *, modules: tuple[Path, ...], environment: dict[str, str]
) -> Iterator[subprocess.Popen[str]]:
    """Start Python with these words in a folder that is its home; it is killed in the end."""
    path = os.pathsep.join(map(str, modules))
    with subprocess.Popen(
        [sys.executable, *words],
        env={**os.environ, "PYTHONPATH": path, "HOME": str(folder), **environment},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder,
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            process.kill()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        port: int = one.getsockname()[1]
        return port


def ask(port: int, path: str, body: object = None, key: str = "") -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    try:
        sent = None if body is None else json.dumps(body).encode()
        connection.request("GET" if sent is None else "POST", path, body=sent, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def healthy(port: int) -> bool:
    try:
        return ask(port, "/health")[0] == 200
    except OSError:
        return False


def key_file(folder: Path, text: str | None) -> str:
    """Write a key's file, or none; return its path."""
    key = folder / "key"
    if text is not None:
        key.write_text(text, encoding="utf-8")
    return str(key)


def assert_no_open_door(process: subprocess.Popen[str], says: str) -> None:
    """Assert that a program whose key is not there ends and says so."""
    _, logged = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 1
    assert says in logged


def assert_every_module_is_in_the_image(name: str) -> None:
    """Assert that an image copies each module of its program and of what it shares."""
    recipe = tomllib.loads((IMAGES / name / "image.toml").read_text(encoding="utf-8"))
    for folder, listed in ((name, recipe["files"]), ("serving", recipe["borrowed"])):
        named = {one.removeprefix("serving/") for one in listed if one.endswith(".py")}
        here = {path.relative_to(IMAGES / folder) for path in (IMAGES / folder).rglob("*.py")}
        assert named == {path.as_posix() for path in here}
