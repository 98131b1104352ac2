# SPDX-License-Identifier: Apache-2.0
"""Starts what ttctl renders for an entry, with a stand-in in the place of its image."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import urllib.error
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tests.standins.ground import LAUNCHER
from tests.standins.hand_launches import memlock
from tests.standins.product_images import product_images
from tests.standins.server_images import standin_image
from tests.unit.rules.launching import (
    contract_of,
    files_of,
    gateway_config,
    pins_of,
    recipes,
    stack_of,
)

from ttctl.rules.compose import compose_of
from ttctl.rules.contract import image_version
from ttctl.rules.fingerprint import sha256_text
from ttctl.rules.launch_mounts import cache_folders
from ttctl.rules.launch_values import ENGINE_KEY, ENGINE_MAP, engine_map

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.standins.ground import Ground

    from ttctl.model.service import ServiceSpec
    from ttctl.model.spec import ModelSpec

LIMIT_S = 60
KEY = "the-key-of-the-engine"
USER_KEY = "the-key-of-a-user"
ASK = """
import json, sys, urllib.request
with urllib.request.urlopen('http://127.0.0.1:8000/standin/report') as answer:
    sys.stdout.write(answer.read().decode())
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A folder that was rendered, the engine that it starts, and the door before it."""

    folder: Path
    service: ServiceSpec

    def compose(self, *words: str) -> str:
        done = subprocess.run(
            ["docker", "compose", *words],
            cwd=self.folder, capture_output=True, text=True, check=False, timeout=LIMIT_S,
        )  # fmt: skip
        assert done.returncode == 0, f"{done.stderr}\n{self.log()}"
        return done.stdout

    def log(self) -> str:
        words = ["docker", "compose", "logs", "--no-color", "--no-log-prefix", self.service.name]
        done = subprocess.run(words, cwd=self.folder, capture_output=True, text=True, check=False)
        return done.stdout + done.stderr

    def inside(self, *words: str) -> str:
        return self.compose("exec", "-T", self.service.name, *words)

    def report(self) -> dict[str, Any]:
        """Return what the stand-in tried and saw; the host itself cannot reach its network."""
        found: dict[str, Any] = json.loads(self.inside("python3", "-c", ASK))
        return found

    def ask(self, path: str, body: object = None, *, key: str = USER_KEY) -> tuple[int, bytes]:
        """Return status and body of what the gateway answers."""
        address = self.compose("port", "gateway", "8080").strip()
        request = urllib.request.Request(
            f"http://{address}{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=LIMIT_S) as answer:  # noqa: S310
                return int(answer.status), answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

    def inspected(self) -> tuple[str, dict[str, Any]]:
        """Return what the engine says of the container, as text and as values."""
        name = self.compose("ps", "--all", "--quiet", self.service.name).strip()
        words = ["docker", "inspect", name]
        text = subprocess.run(words, capture_output=True, text=True, check=True).stdout
        return text, json.loads(text)[0]


@contextmanager
def rendered(spec: ModelSpec, ground: Ground) -> Iterator[Rendered]:
    """Render an entry as ttctl does; take the stack away afterwards.

    What this machine cannot give is put in its place by an override: memory that may be locked
    without a limit.
    """
    stack = replace(stack_of(spec), name=f"standin-{secrets.token_hex(4)}")
    engine = replace(stack.services[0], image=image_of(spec))
    door = replace(stack.services[1], image=product_images()["gateway"])
    folder = ground.folder / "rendered"
    texts = {
        "compose.yaml": recipes().yaml(compose_of(replace(stack, services=(engine, door)))),
        "compose.override.yaml": json.dumps(_override(engine)),
        ".env": _dotenv(engine, ground),
        "gateway/haproxy.cfg": gateway_config(spec),
        **files_of(spec),
    }
    for path, text in texts.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    _lay_out(spec, ground)
    found = Rendered(folder=folder, service=engine)
    try:
        yield found
    finally:
        words = ["docker", "compose", "down", "--volumes", "--timeout", "1"]
        subprocess.run(words, cwd=folder, capture_output=True, check=True)


def image_of(spec: ModelSpec) -> str:
    """Return the stand-in of an entry's contract and release."""
    pins = pins_of(spec)
    if pins.contract == "own":
        return standin_image("own")
    version, _ = image_version(pins.image, pins.version)
    release = ".".join(str(part) for part in (*version, 0, 0)[:3])
    return standin_image(contract_of(spec).name, release=release)


def _override(engine: ServiceSpec) -> dict[str, object]:
    limit = int(memlock().rpartition(":")[2])
    changed = {
        "ulimits": {"memlock": {"soft": limit, "hard": limit}},
        # A test does not wait for hours, and its machine is small.
        "mem_limit": "1g",
        "memswap_limit": "1g",
    }
    return {"services": {engine.name: changed}}


def _dotenv(engine: ServiceSpec, ground: Ground) -> str:
    values = {
        "TTCTL_CACHE": ground.cache,
        "TTCTL_HUGEPAGES": ground.folder / "hugepages",
        "TTCTL_WEIGHTS": ground.folder / "weights",
        "TTCTL_ENGINE_SECRETS": ground.folder / "secrets",
        "TTCTL_SECRETS": ground.folder / "keys",
        "TTCTL_PORT": 0,
        **{f"TTCTL_NODE_{at}": ground.nodes.device(at) for at in range(engine.nodes)},
    }
    return "".join(f"{name}={value}\n" for name, value in values.items())


def _lay_out(spec: ModelSpec, ground: Ground) -> None:
    """Make what ttctl makes before a start: caches that everybody may write, weights, a key."""
    for name in cache_folders(spec, contract_of(spec)):
        path = ground.cache
        for part in name.split("/"):
            path /= part
            path.mkdir(exist_ok=True)
            path.chmod(0o777)
            os.chown(path, LAUNCHER, LAUNCHER)
    keys = ground.folder / "keys"
    keys.mkdir()
    (keys / "keys.map").write_text(f"{sha256_text(USER_KEY)} user\n", encoding="utf-8")
    (keys / ENGINE_MAP).write_text(engine_map(KEY), encoding="utf-8")
    weights, key = ground.folder / "weights", ground.folder / "secrets" / ENGINE_KEY
    # Images below 0.5.0 read what Meta publishes in a folder of its own.
    (weights / "original").mkdir(parents=True)
    for name in ("model.safetensors", "original/params.json"):
        (weights / name).write_text("weights", encoding="utf-8")
    key.parent.mkdir()
    key.write_text(KEY, encoding="utf-8")
    key.chmod(0o444)
