# SPDX-License-Identifier: Apache-2.0
"""Our own servers on the processor, each in its image, started as the product's rules say."""

from __future__ import annotations

import http.client
import json
import re
import secrets
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.standins.product_images import product_images
from tests.standins.traces import docker
from tests.unit.fakes import DEMO_MODEL, RECIPES

from ttctl.rules.processor_command import direct_arguments, sd_arguments

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ttctl.model.spec import ModelSpec

IMAGES = Path(__file__).parents[2] / "images"
DIRECT = replace(DEMO_MODEL, engine="direct", image="direct-cpu", memory_mib=3072)
SD = replace(DEMO_MODEL, model="demo-sd", engine="sd", image="sd-cpu", memory_mib=3072)
ARGUMENTS = {"direct-cpu": direct_arguments, "sd-cpu": sd_arguments}
PATIENCE_S = 60
MIB_KB = 1024


@dataclass(frozen=True)
class Started:
    """A container that answers."""

    name: str
    port: int
    ready_s: float

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def begin(self, path: str, body: object) -> Asking:
        """Send a request and do not wait for the answer."""
        return Asking(self.port, path, body)

    def ask(self, path: str, body: object = None) -> tuple[int, bytes]:
        asking = self.begin(path, body)
        try:
            answer = asking.answer()
            return answer.status, answer.read()
        finally:
            asking.leave()

    def answer(self, path: str, body: object = None) -> Any:  # noqa: ANN401 - of JSON
        status, text = self.ask(path, body)
        assert status == 200, text
        return json.loads(text)

    def metrics(self) -> dict[str, float]:
        lines = self.ask("/metrics")[1].decode().splitlines()
        pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
        return {name.partition("_")[2].partition("_")[2]: float(value) for name, value in pairs}

    def memory_mib(self) -> float:
        """Return what the program holds that is no file's: pages of its own."""
        said = docker("exec", self.name, "bash", "-c", "cat /proc/[0-9]*/status")
        found = re.findall(r"^Name:\tpython\n(?:.*\n)*?RssAnon:\s+(\d+) kB", said, re.MULTILINE)
        return sum(map(int, found)) / MIB_KB

    def logged(self) -> list[dict[str, Any]]:
        """Return what it logged; every line has to be JSON."""
        return [json.loads(line) for line in said_by(self.name).splitlines()]

    def stop(self) -> tuple[float, int]:
        """Tell it to end; return the seconds that it took, and its code."""
        begun = time.monotonic()
        docker("stop", "--time=120", self.name)
        took = time.monotonic() - begun
        return took, int(docker("inspect", "--format={{.State.ExitCode}}", self.name))


class Asking:
    """One request; who leaves closes its connection, wherever it is."""

    def __init__(self, port: int, path: str, body: object) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
        sent = None if body is None else json.dumps(body).encode()
        self._connection.request("GET" if sent is None else "POST", path, body=sent)
        self._answer: http.client.HTTPResponse | None = None

    def answer(self) -> http.client.HTTPResponse:
        self._answer = self._connection.getresponse()
        return self._answer

    def leave(self) -> None:
        if self._answer:
            self._answer.close()
        self._connection.close()


def said_by(name: str) -> str:
    """Return what a container said on both of its ends."""
    return subprocess.run(
        ["docker", "logs", name],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True,
    ).stdout  # fmt: skip


def events(text: str) -> list[tuple[str, Any]]:
    """Return (name, data) of each event of a stream."""
    found = []
    for part in text.removesuffix("\n\n").split("\n\n"):
        if not part.startswith(":"):
            name, data = part.split("\n")
            found.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    return found


def until(holds: Callable[[], object], what: str) -> None:
    """Wait until something holds."""
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end, f"never: {what}"
        time.sleep(0.1)


@contextmanager
def started(spec: ModelSpec, folder: Path, *, network: str = "bridge") -> Iterator[Started]:
    """Serve a folder of weights until the block ends."""
    defaults = RECIPES.defaults(spec.image)
    name, begun = f"ttctl-test-{secrets.token_hex(4)}", time.monotonic()
    docker(
        "run", "--detach", "--init", f"--name={name}", "--read-only", "--user=1000:1000",
        "--cap-drop=ALL", "--security-opt=no-new-privileges:true", f"--network={network}",
        f"--memory={spec.memory_mib}m", f"--pids-limit={defaults.pids}",
        f"--shm-size={defaults.shm_mib}m", f"--tmpfs=/tmp:size={defaults.tmpfs_mib}m,mode=1777",
        *(f"--env={key}={value}" for key, value in defaults.environment),
        f"--publish=127.0.0.1::{defaults.port}",
        f"--volume={folder}:{defaults.models}/{spec.model}:ro", product_images()[spec.image],
        *ARGUMENTS[spec.image](spec, models=defaults.models, port=defaults.port),
    )  # fmt: skip
    try:
        probe = subprocess.run(
            ["docker", "exec", name, *defaults.health.test[1:]],
            capture_output=True, text=True, timeout=PATIENCE_S * 2, check=False,
        )  # fmt: skip
        assert probe.returncode == 0, said_by(name)
        yield Started(name, _port(name, network), time.monotonic() - begun)
    finally:
        subprocess.run(["docker", "rm", "--force", name], capture_output=True, check=False)


def _port(name: str, network: str) -> int:
    if network == "none":
        return 0
    return int(docker("port", name, "8000/tcp").splitlines()[0].rpartition(":")[2])


def small_pipeline(folder: Path) -> Path:
    """Return the folder of a diffusion pipeline of random weights, made by the image's own script.

    The trained one is `images/demo-sd/model`; what is asked here is no picture of anything.
    """
    folder.chmod(0o777)
    docker(
        "run", "--rm", "--network=none", "--user=1000:1000", "--env=HOME=/tmp",
        f"--volume={folder}:/out", "--entrypoint=python", product_images()["sd-cpu"],
        "/opt/ttctl/small.py", "/out/model",
    )  # fmt: skip
    return folder / "model"
