# SPDX-License-Identifier: Apache-2.0
"""Does the program itself start, answer, and end as a container's first process must?

Its tokenizer and its model are stand-ins: a letter is a token, and a step takes `STEP_S` seconds.
"""

from __future__ import annotations

import http.client
import json
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

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

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

STAND_IN = """\
import os, runpy, sys, time
from types import ModuleType
class Words:
    stops = frozenset({0})
    longest_token = 1
    def __init__(self, weights):
        pass
    def tokens_of(self, messages):
        return [ord(one) for _, text in messages for one in text]
    def text_of(self, tokens):
        return "".join(map(chr, tokens))
class Model:
    context, longest_prompt, survives = 512, 500, True
    def __init__(self, weights, context):
        assert os.environ["HF_HUB_OFFLINE"] == os.environ["TQDM_DISABLE"] == "1"
        self.said = 0
        print("loading", flush=True)
        time.sleep(float(os.environ.get("LOAD_S", "0")))
    def prefill(self, tokens, *, greedy):
        self.said = 0
        return self.decode(0, greedy=greedy)
    def decode(self, token, *, greedy):
        time.sleep(float(os.environ.get("STEP_S", "0")))
        self.said += 1
        return [(0 if self.said > 20 else ord("x"), 1.0)]
    def close(self):
        print("closed", flush=True)
for name, what, one in (("words", "HubWords", Words), ("processor", "Processor", Model)):
    module = sys.modules[f"ttctl_direct.{name}"] = ModuleType(f"ttctl_direct.{name}")
    setattr(module, what, one)
runpy.run_module("ttctl_direct", run_name="__main__", alter_sys=True)
"""


@contextmanager
def program(tmp_path: Path, port: int, **environment: str) -> Iterator[subprocess.Popen[str]]:
    words = (
        "-c", STAND_IN, "--weights", str(tmp_path), "--name", "acme/small",
        "--backend", "cpu", "--host", "127.0.0.1", "--port", str(port),
    )  # fmt: skip
    modules = (IMAGES / "direct", IMAGES / "serving")
    with running(tmp_path, words, modules=modules, environment=environment) as process:
        yield process


def test_it_answers_behind_its_key_and_gives_the_device_back_when_it_is_told(
    tmp_path: Path,
) -> None:
    key = tmp_path / "key"
    key.write_text("a-secret\n", encoding="utf-8")
    port = free_port()
    with program(tmp_path, port, TTCTL_KEY_FILE=str(key)) as process:
        until(lambda: healthy(port), "it is healthy")
        body = {"prompt": "my-secret-prompt"}
        assert ask(port, "/chat", body)[0] == 401
        status, answer = ask(port, "/chat", body, "a-secret")
        assert (status, json.loads(answer)["text"]) == (200, "x" * 20)
        process.send_signal(signal.SIGTERM)
        said, logged = process.communicate(timeout=20)
    assert process.returncode == 0
    assert said.split() == ["loading", "closed"]
    lines = [json.loads(line) for line in logged.splitlines()]
    assert [lines[0]["event"], lines[-1]["event"]] == ["loaded", "stopped"]
    assert "secret" not in logged


def test_an_answer_that_streams_when_it_is_told_to_stop_is_finished(tmp_path: Path) -> None:
    port = free_port()
    with program(tmp_path, port, STEP_S="0.05") as process:
        until(lambda: healthy(port), "it is healthy")
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        connection.request("POST", "/chat", body=b'{"prompt": "p", "stream": true}')
        answer = connection.getresponse()
        assert answer.readline() == b"event: text\n"
        process.send_signal(signal.SIGTERM)
        rest = answer.read()
        assert rest.count(b'"text": "x"') == 20
        assert b"event: end\n" in rest
        connection.close()
        said, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "closed" in said


def test_told_to_stop_while_it_loads_it_does_not_wait_for_the_model(tmp_path: Path) -> None:
    with program(tmp_path, free_port(), LOAD_S="60") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "loading\n"
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
    assert process.returncode == 143


def test_a_port_that_is_taken_ends_it_with_a_sentence_and_the_device_is_given_back(
    tmp_path: Path,
) -> None:
    port = free_port()
    with program(tmp_path, port) as first:
        until(lambda: healthy(port), "it is healthy")
        with program(tmp_path, port) as second:
            said, logged = second.communicate(timeout=20)
        first.terminate()
        first.communicate(timeout=20)
    assert second.returncode == 1
    assert f"port {port} cannot be listened on" in logged
    assert "closed" in said


@no_key
def test_a_key_that_is_not_there_is_no_open_door(
    tmp_path: Path, text: str | None, says: str
) -> None:
    with program(tmp_path, free_port(), TTCTL_KEY_FILE=key_file(tmp_path, text)) as process:
        assert_no_open_door(process, says)


def test_the_image_has_every_module_of_the_program_and_of_what_it_shares() -> None:
    assert_every_module_is_in_the_image("direct")
