# SPDX-License-Identifier: Apache-2.0
"""Does a rendered folder of a card entry serve without ttctl: what it names, typed by a person?

Nodes are made up, images are stand-ins, and the place that .env names is another than ttctl's own.
Not yet run on a card.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import time
import urllib.request
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from tests.e2e.driver import Ttctl, docker, free_port
from tests.e2e.made_machine import FILES, made_machine, serve
from tests.standins.hand_launches import memlock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.docker

LLAMA = "meta-llama/Llama-3.1-8B-Instruct"
SDXL = "stabilityai/stable-diffusion-xl-base-1.0"
IMAGE = "/v1/images/generations"
LIMIT_S = 300


@dataclass(frozen=True, kw_only=True)
class Folder:
    """A rendered folder, and the place that its .env names."""

    path: Path
    place: Path
    port: int
    name: str

    def run(self, *words: str, exits: int = 0) -> str:
        """Run a program in the folder with a person's environment; return what it says."""
        done = subprocess.run(
            words,
            cwd=self.path,
            env={name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
            capture_output=True,
            text=True,
            check=False,
            timeout=LIMIT_S,
        )
        assert done.returncode == exits, f"{done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr

    def move(self, values: dict[str, str]) -> None:
        """Name another place in .env, as a person would."""
        env = self.path / ".env"
        lines = [line.partition("=") for line in env.read_text().splitlines()]
        kept = {name: value.strip("'") for name, equals, value in lines if equals}
        assert set(values) <= set(kept)
        text = "".join(f"{name}='{value}'\n" for name, value in {**kept, **values}.items())
        env.write_text(text, encoding="utf-8")

    def bring_weights(self) -> None:
        """Put the files where .env names them."""
        folder = self.place / "weights"
        folder.mkdir()
        for name, content in FILES.items():
            (folder / name).write_bytes(content)

    def key(self) -> str:
        return (self.path / "secrets" / "api-key").read_text(encoding="ascii").strip()

    def ask(self, path: str, body: bytes | None = None) -> int:
        headers = {"Authorization": f"Bearer {self.key()}", "Content-Type": "application/json"}
        address = f"http://127.0.0.1:{self.port}{path}"
        request = urllib.request.Request(address, data=body, headers=headers)
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - loopback
            return int(answer.status)

    def containers(self) -> str:
        return docker("ps", "--all", "--quiet", "--filter", f"label=dev.ttctl.stack={self.name}")


@pytest.fixture
def machine(ttctl: Ttctl, tmp_path: Path) -> Iterator[tuple[Ttctl, str]]:
    """Give ttctl on a machine of four boards, and its registry."""
    with made_machine(ttctl, tmp_path, (LLAMA, SDXL)) as made:
        yield made


def rendered(
    machine: tuple[Ttctl, str], folder: Path, model: str, release: str, *forms: str
) -> Folder:
    """Render an entry with a stand-in in the place of its image, for a place beside the folder."""
    serve(machine, model, release)
    place = folder / "place"
    place.mkdir()
    made = Folder(
        path=folder / "rendered",
        place=place,
        port=free_port(),
        name=f"e2e-{secrets.token_hex(4)}",
    )
    words = [word for form in forms for word in ("--to", form)]
    given = (model, "--device", "n300", "--name", made.name, "--port", str(made.port))
    machine[0].run("render", *given, *words, "-o", str(made.path), limit_s=LIMIT_S)
    root = folder / "machine"
    made.move({
        "TTCTL_CACHE": str(place / "caches" / "one"),
        "TTCTL_ENGINE_SECRETS": "./secrets/engine",
        "TTCTL_HUGEPAGES": str(root / "dev/hugepages-1G"),
        "TTCTL_NODE_0": f"{root}/dev/tenstorrent/77:/dev/tenstorrent/0",
        "TTCTL_SECRETS": "./secrets/gateway",
        "TTCTL_WEIGHTS": str(place / "weights"),
    })  # fmt: skip
    made.run("sh", "build.sh")
    return made


def filled(folder: Folder, root: Path) -> None:
    """Do what prepare.sh says is missing, one after the other."""
    said = folder.run("sh", "prepare.sh", exits=8)
    assert f"there is no device node {root}/machine/dev/tenstorrent/77" in said
    assert "hf download" in said
    folder.bring_weights()
    assert "hf download" not in folder.run("sh", "prepare.sh", exits=3)
    node = root / "machine/dev/tenstorrent/2"
    folder.move({"TTCTL_NODE_0": f"{node}:/dev/tenstorrent/0"})


def test_a_folder_reaches_health_with_its_script_and_plain_compose(
    machine: tuple[Ttctl, str], tmp_path: Path
) -> None:
    folder = rendered(machine, tmp_path, LLAMA, "0.9.0", "compose")
    limit = int(memlock().rpartition(":")[2])
    changed = {"ulimits": {"memlock": {"soft": limit, "hard": limit}}, "mem_limit": "1g"}
    override = {"services": {"vllm": {**changed, "memswap_limit": "1g"}}}
    (folder.path / "compose.override.yaml").write_text(json.dumps(override), encoding="utf-8")
    try:
        assert "bind source path does not exist" in folder.run(
            "docker", "compose", "up", "-d", exits=1
        )
        assert not list(folder.place.iterdir())
        folder.run("docker", "compose", "down")
        filled(folder, tmp_path)
        folder.run("sh", "prepare.sh")
        folder.run("docker", "compose", "up", "-d", "--wait")
        assert folder.ask("/v1/models") == 200
        key = folder.key()
        folder.run("sh", "prepare.sh")
        assert folder.key() == key
    finally:
        folder.run("docker", "compose", "down")


def test_a_folder_reaches_health_with_its_run_script_alone(
    machine: tuple[Ttctl, str], tmp_path: Path
) -> None:
    folder = rendered(machine, tmp_path, SDXL, "0.11.1", "run")
    script = folder.path / "run.sh"
    text = script.read_text(encoding="utf-8")
    assert "--ulimit memlock=-1:-1" in text
    # This machine can give less than all.
    script.write_text(text.replace("memlock=-1:-1", memlock().removeprefix("--ulimit=")))
    try:
        assert "there is no device node" in folder.run("./run.sh", exits=8)
        assert folder.containers() == ""
        shutil.rmtree(folder.place / "caches")
        shutil.rmtree(folder.path / "secrets")
        folder.bring_weights()
        node = tmp_path / "machine/dev/tenstorrent/1"
        folder.move({"TTCTL_NODE_0": f"{node}:/dev/tenstorrent/0"})
        folder.run("./run.sh")
        assert folder.ask(IMAGE, b'{"prompt": "a red circle", "guidance_scale": 5}') == 200
        assert folder.run("./run.sh").count("runs as wanted") == 2
    finally:
        folder.run("./stop.sh")
    assert folder.containers() == ""


def test_what_a_plan_prints_serves_when_it_is_pasted(
    machine: tuple[Ttctl, str], tmp_path: Path
) -> None:
    serve(machine, SDXL, "0.11.1")
    ttctl, _ = machine
    ttctl.run("models", "pull", SDXL, "--device", "n300", limit_s=LIMIT_S)
    name, port = f"e2e-{secrets.token_hex(4)}", free_port()
    words = ("plan", SDXL, "--device", "n300", "--name", name, "--port", str(port), "--commands")
    text = ttctl.run(*words).out.replace("memlock=-1:-1", memlock().removeprefix("--ulimit="))
    label = f"label=dev.ttctl.stack={name}"
    try:
        path = f"{ttctl.program.parent}:{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "-e", "-c", text],
            env={**ttctl.environ, "PATH": path},
            capture_output=True,
            text=True,
            check=False,
            timeout=LIMIT_S,
            cwd=tmp_path,
        )
        assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
        folder = Folder(path=ttctl.stacks / name, place=tmp_path, port=port, name=name)
        body = b'{"prompt": "a red circle", "guidance_scale": 5}'
        for _ in range(60):
            with suppress(OSError):
                assert folder.ask(IMAGE, body) == 200
                return
            time.sleep(1)
        pytest.fail(docker("logs", f"ttctl-{name}-media-1"))
    finally:
        for one in docker("ps", "--all", "--quiet", "--filter", label).split():
            docker("rm", "--force", one)
        for one in docker("network", "ls", "--quiet", "--filter", label).split():
            docker("network", "rm", one)
