# SPDX-License-Identifier: Apache-2.0
"""Does what `ttctl connect` prints connect? Beside a stand-in of the API, with OpenAI's client."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.standins.talking_api import TalkingApi
from tests.unit.fakes import KEY

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]
ASK = (
    "import os, openai; client = openai.OpenAI(max_retries=0); "
    "answer = client.chat.completions.create(model=os.environ['OPENAI_MODEL'], "
    "messages=[{'role': 'user', 'content': 'Hello'}]); "
    "print(answer.choices[0].message.content)"
)

with_openai = pytest.mark.skipif(
    find_spec("openai") is None,
    reason="the lowest httpx2 that ttctl takes is below what the openai package takes",
)


@pytest.fixture
def api() -> Iterator[TalkingApi]:
    with TalkingApi("demo-llama") as server:
        yield server


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    folders = {name: tmp_path / name.lower() for name in ("HOME", "STATE", "CONFIG")}
    for folder in folders.values():
        folder.mkdir()
    return {
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "PYTHONPATH": str(ROOT),
        "HOME": str(folders["HOME"]),
        "XDG_STATE_HOME": str(folders["STATE"]),
        "XDG_CONFIG_HOME": str(folders["CONFIG"]),
    }


def connect(
    api: TalkingApi, environ: dict[str, str], *words: str, exits: int = 0
) -> subprocess.CompletedProcess[str]:
    beside = [sys.executable, "-m", "tests.standins.ttctl_beside", f"mine={api.port}"]
    done = run([*beside, "connect", *words], environ)
    assert done.returncode == exits, done.stderr
    return done


def run(words: list[str], environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words, env=environ, cwd=environ["HOME"], stdin=subprocess.DEVNULL, capture_output=True,
        text=True, check=False, timeout=60,
    )  # fmt: skip


@with_openai
def test_openais_client_works_with_what_is_printed(
    api: TalkingApi, environ: dict[str, str]
) -> None:
    printed = connect(api, environ, "env")
    assert KEY not in printed.stdout + printed.stderr
    program = f'{printed.stdout}\nexec python -c "$1"'
    done = run(["sh", "-c", program, "sh", ASK], environ)
    assert done.stdout == "You said: Hello\n", done.stderr
    assert api.keys == [f"Bearer {KEY}"]
    assert api.asked[0]["model"] == "demo-llama"


@with_openai
def test_the_python_program_runs(api: TalkingApi, environ: dict[str, str]) -> None:
    connect(api, environ, "openai", "mine", "--output", "ask.py")
    done = run(["python", "ask.py"], environ)
    assert done.stdout == "You said: What is Tenstorrent?\n", done.stderr
    assert (Path(environ["HOME"]) / "ask.py").stat().st_mode & 0o777 == 0o600


def test_curl_asks_and_no_other_program_can_read_the_key(
    api: TalkingApi, environ: dict[str, str]
) -> None:
    text = connect(api, environ, "curl", "--show-key").stdout
    assert f"{KEY}" in text
    seen = 'curl() { printf \'%s\\n\' "$@" > seen; command curl "$@"; }\n'
    done = run(["sh", "-c", seen + text], environ)
    assert "You said: What is Tenstorrent?" in done.stdout, done.stderr
    assert KEY not in (Path(environ["HOME"]) / "seen").read_text()
    assert api.keys == [f"Bearer {KEY}"]


def test_an_own_file_is_written_with_the_key_and_said(
    api: TalkingApi, environ: dict[str, str]
) -> None:
    target = Path(environ["HOME"]) / ".continue" / "config.yaml"
    assert "would be written" in connect(api, environ, "continue", "--write", "--dry-run").stdout
    assert not target.exists()
    said = connect(api, environ, "continue", "--write")
    assert f"{target}: written, for you alone, since it holds the key" in said.stdout
    assert KEY not in said.stdout + said.stderr
    assert KEY in target.read_text()
    target.write_text("name: mine\n")
    refused = connect(api, environ, "continue", "--write", exits=1)
    assert "not ours to replace" in refused.stderr
    assert KEY not in refused.stdout + refused.stderr
    assert target.read_text() == "name: mine\n"


def test_programs_get_envelopes(api: TalkingApi, environ: dict[str, str]) -> None:
    listed = json.loads(connect(api, environ, "--json").stdout)
    assert listed["schema"] == "ttctl.tools/1"
    assert {"env", "open-webui", "continue", "aider"} <= {one["name"] for one in listed["data"]}
    one = json.loads(connect(api, environ, "env", "--json").stdout)
    assert one["schema"] == "ttctl.connect/1"
    assert one["data"]["base_url"] == f"http://127.0.0.1:{api.port}/v1"
    assert one["data"]["state"] == "printed"


def test_a_stack_that_does_not_run_says_what_to_type(
    api: TalkingApi, environ: dict[str, str]
) -> None:
    assert "There is no stack 'nope'" in connect(api, environ, "env", "nope", exits=2).stderr
