# SPDX-License-Identifier: Apache-2.0
"""Does the program itself start, draw, and end as a container's first process must?

torch and diffusers are stand-ins, found where Python looks for them.
"""

from __future__ import annotations

import http.client
import json
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from tests.unit.images.process import (
    IMAGES,
    ask,
    assert_every_module_is_in_the_image,
    assert_no_open_door,
    free_port,
    healthy,
    key_file,
    no_key,
    running,
)
from tests.unit.images.sd.serving import until
from tests.unit.images.sd.test_processor import weights

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

TORCH = """\
class Generator:
    def __init__(self, device):
        assert device == "cpu"
    def manual_seed(self, seed):
        self.seed = seed
        return self
"""
DIFFUSERS = """\
import logging, os, time
class Image:
    def __init__(self, size, seed):
        self.size, self.seed = size, seed
    def convert(self, mode):
        return self
    def tobytes(self):
        return bytes([self.seed % 256]) * (3 * self.size[0] * self.size[1])
class Output:
    pass
class DiffusionPipeline:
    @classmethod
    def from_pretrained(cls, folder, local_files_only):
        assert os.environ["HF_HUB_OFFLINE"] == "1"
        return cls()
    def set_progress_bar_config(self, disable):
        pass
    def __call__(self, prompt, height, width, generator, num_inference_steps=2, guidance_scale=1.0,
                 callback_on_step_end=None):
        logging.getLogger("diffusers").warning("too long: %s", prompt)
        for step in range(num_inference_steps):
            time.sleep(float(os.environ.get("STEP_S", "0")))
            callback_on_step_end(self, step, 0, {})
        output = Output()
        output.images = [Image((width, height), generator.seed)]
        return output
"""


@contextmanager
def program(tmp_path: Path, *words: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    for name, text in (("torch", TORCH), ("diffusers", DIFFUSERS)):
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
    said = ("-m", "ttctl_sd", "--host", "127.0.0.1", *words)
    modules = (IMAGES / "sd", IMAGES / "serving", tmp_path)
    with running(tmp_path, said, modules=modules, environment=environment) as process:
        yield process


def test_it_draws_behind_its_key_and_ends_well_when_it_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "weights"
    folder.mkdir()
    key = tmp_path / "key"
    key.write_text("a-secret\n", encoding="utf-8")
    port = free_port()
    words = ("--weights", str(weights(folder)), "--name", "acme/small", "--port", str(port))
    with program(tmp_path, *words, TTCTL_KEY_FILE=str(key)) as process:
        until(lambda: healthy(port), "it is healthy")
        body = {"prompt": "my-secret-prompt", "model": "acme/small", "seed": 3, "size": "16x16"}
        assert ask(port, "/v1/images/generations", body)[0] == 401
        status, first = ask(port, "/v1/images/generations", body, "a-secret")
        assert status == 200
        _, second = ask(port, "/v1/images/generations", body, "a-secret")
        assert json.loads(first)["data"] == json.loads(second)["data"]
        process.send_signal(signal.SIGTERM)
        said, logged = process.communicate(timeout=20)
    assert process.returncode == 0
    assert not said
    lines = [json.loads(line) for line in logged.splitlines()]
    assert [lines[0]["event"], lines[-1]["event"]] == ["starting", "stopped"]
    # A library that repeats the prompt is said to have warned, and where.
    assert "diffusers" in {one.get("name") for one in lines}
    assert "secret" not in logged


def test_what_is_drawn_when_it_is_told_to_stop_is_finished(tmp_path: Path) -> None:
    folder = tmp_path / "weights"
    folder.mkdir()
    port = free_port()
    words = ("--weights", str(weights(folder)), "--port", str(port))
    with program(tmp_path, *words, STEP_S="0.2") as process:
        until(lambda: healthy(port), "it is healthy")
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        body = json.dumps({"prompt": "p", "steps": 4, "size": "16x16", "stream": True})
        connection.request("POST", "/v1/images/generations", body=body)
        answer = connection.getresponse()
        assert answer.readline().startswith(b"event: image_generation.progress")
        process.send_signal(signal.SIGTERM)
        assert b"event: image_generation.completed" in answer.read()
        connection.close()
        process.communicate(timeout=20)
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        pytest.param((), 2, "--weights is missing", id="nothing"),
        pytest.param(("--weights", "no-such-folder"), 1, "no model_index.json", id="no weights"),
        pytest.param(("--weights", "x", "--backend", "gpu"), 2, "invalid choice", id="back end"),
        pytest.param(("--check",), 1, "has no Stable Diffusion pipeline", id="no tree"),
        pytest.param(("--weights", "x", "--backend", "card"), 1, "no model_index.json", id="card"),
    ],
)
def test_what_it_cannot_do_ends_it_with_a_sentence(
    tmp_path: Path, words: tuple[str, ...], code: int, says: str
) -> None:
    port = ("--port", str(free_port()))
    with program(tmp_path, *words, *port, TT_METAL_HOME=str(tmp_path)) as process:
        _, logged = process.communicate(timeout=20)
    assert process.returncode == code
    assert says in logged


def test_a_back_end_that_its_image_names_and_it_does_not_have_ends_it(tmp_path: Path) -> None:
    words = ("--weights", "x", "--port", str(free_port()))
    with program(tmp_path, *words, TTCTL_SD_BACKEND="gpu") as process:
        _, logged = process.communicate(timeout=20)
    assert process.returncode == 2
    assert "TTCTL_SD_BACKEND is 'gpu'; there are cpu and card" in logged


@no_key
def test_a_key_that_is_not_there_is_no_open_door(
    tmp_path: Path, text: str | None, says: str
) -> None:
    words = ("--weights", str(tmp_path), "--port", str(free_port()))
    with program(tmp_path, *words, TTCTL_KEY_FILE=key_file(tmp_path, text)) as process:
        assert_no_open_door(process, says)


def test_the_image_has_every_module_of_the_program_and_of_what_it_shares() -> None:
    assert_every_module_is_in_the_image("sd")
