# SPDX-License-Identifier: Apache-2.0
"""Is `ttctl chat` the same with the service `api`? Its own program answers, at a real terminal."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.standins.terminal import Terminal
from tests.unit.fakes import KEY
from tests.unit.images.sd.serving import until
from tests.unit.images.sd.test_process import ask, free_port, healthy

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]
LIMIT_S = 60


@contextmanager
def _program(home: Path) -> Iterator[int]:
    """Run images/direct with a model that repeats, and yield its port."""
    key, port = home / "key", free_port()
    key.write_text(f"{KEY}\n")
    path = os.pathsep.join(str(ROOT / "images" / one) for one in ("direct", "serving"))
    with subprocess.Popen(
        [sys.executable, ROOT / "tests" / "standins" / "direct_engine.py", "--weights", home,
         "--name", "demo-llama", "--backend", "cpu", "--host", "127.0.0.1", "--port", str(port)],
        env={**os.environ, "PYTHONPATH": path, "HOME": str(home), "TTCTL_KEY_FILE": str(key)},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        try:
            until(lambda: healthy(port), "it is healthy")
            yield port
        finally:
            process.kill()


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with _program(tmp_path_factory.mktemp("api")) as port:
        yield port


def command(api: int, *words: str) -> list[str]:
    program = [sys.executable, "-m", "tests.standins.ttctl_beside", f"chat-test={api}:direct"]
    return [*program, "chat", *words]


def run(api: int, environ: dict[str, str], *words: str, exits: int = 0) -> tuple[str, str]:
    done = subprocess.run(
        command(api, *words), cwd=environ["HOME"], env=environ, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=LIMIT_S, check=False,
    )  # fmt: skip
    assert done.returncode == exits, done.stderr
    return done.stdout, done.stderr


def cancelled(api: int) -> str:
    text = ask(api, "/metrics", None, KEY)[1].decode()
    return next(line for line in text.splitlines() if 'outcome="cancelled"' in line)


def test_an_answer_comes_piece_by_piece_and_control_c_ends_the_computation(
    api: int, environ: dict[str, str]
) -> None:
    before = cancelled(api)
    with Terminal(command(api), cwd=Path(environ["HOME"]), environ=environ) as screen:
        screen.see("> ")
        screen.type("SLOW one\n")
        screen.see("You said: SLOW one so")
        screen.type("\x03")
        screen.see("(stopped)")
        screen.see(" tokens, first after ")
        until(lambda: cancelled(api) != before, "the service stops computing")
        screen.see("> ")
        screen.type("two\n")
        screen.see("You said: two")
        screen.see("(14 tokens, first after ")
        screen.see("> ")
        screen.type("\x04")
        assert screen.ends() == 0


def test_a_conversation_with_a_role_is_saved_and_goes_on(api: int, environ: dict[str, str]) -> None:
    own = Path(environ["XDG_CONFIG_HOME"]) / "ttctl" / "roles"
    own.mkdir(parents=True)
    (own / "pirate.md").write_text("Arr.\n")
    with Terminal(
        command(api, "--role", "pirate"), cwd=Path(environ["HOME"]), environ=environ
    ) as screen:
        screen.see("> ")
        screen.type("first\n")
        screen.see("tokens/s)")
        screen.type("/tokens\n")
        screen.see("conversation  25 of 2048 tokens")
        screen.type("/save mine\n")
        screen.see("saved as mine")
        # Between two prompts the terminal itself would take it, and a mark is lost.
        screen.see("> ")
        screen.type("\x04")
        assert screen.ends() == 0
    data = json.loads(run(api, environ, "--json", "--load", "mine", "second")[0])["data"]
    said = ("Arr.", "first", "You said: first", "second")
    assert data["prompt_tokens"] == sum(map(len, said))
    assert (data["text"], data["finish"]) == ("You said: second", "stop")


def test_an_answer_that_was_cut_says_so(api: int, environ: dict[str, str]) -> None:
    out, err = run(api, environ, "--max-tokens", "3", "Hello")
    assert out == "You\n"
    assert "cut at 3 tokens" in err


def test_a_question_that_does_not_fit_is_told_with_the_limit(
    api: int, environ: dict[str, str]
) -> None:
    _, err = run(api, environ, "long " * 500, exits=5)
    assert "The question is too long for this model." in err
    assert "2000 fit here" in err


def test_the_service_that_answers_can_be_named(api: int, environ: dict[str, str]) -> None:
    assert run(api, environ, "--service", "api", "Hello")[0] == "You said: Hello\n"
    _, err = run(api, environ, "--service", "vllm", "Hello", exits=2)
    assert "The stack 'chat-test' has no service 'vllm' that talks." in err
    assert "next:     ttctl chat --stack chat-test --service api" in err
