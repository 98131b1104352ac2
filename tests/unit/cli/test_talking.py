# SPDX-License-Identifier: Apache-2.0
"""Is each engine talked to in its own way at the end of `up`, and can the words be run?"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from pathlib import Path

import pytest
from tests.unit.rules.launching import contract_of, entries

from ttctl.cli.talking import ask_lines, base_url, talking_lines
from ttctl.rules.acceptance_trials import service_path
from ttctl.rules.served_paths import served_paths

URL = "http://127.0.0.1:8000"
PATHS = {
    "vllm": "/v1/chat/completions",
    "direct": "/chat",
    "sd": "/v1/images/generations",
}


def lines(engine: str) -> list[str]:
    return talking_lines(url=URL, key_file=Path("/keys/the key"), model="acme/w", engine=engine)


@pytest.mark.parametrize("engine", PATHS)
def test_the_line_for_curl_reaches_the_engines_own_path_with_json(engine: str) -> None:
    words = shlex.split("\n".join(lines(engine)[1:4]))
    assert words[:2] == ["curl", f"{URL}{PATHS[engine]}"]
    body = json.loads(words[-1])
    assert body.get("model", "acme/w") == "acme/w"
    assert ("prompt" in body) is (engine != "vllm")


@pytest.mark.parametrize("engine", ["vllm", "sd"])
def test_the_lines_for_python_are_python(engine: str) -> None:
    found = lines(engine)
    at = found.index("Python, with the openai package:")
    text = "\n".join(line.removeprefix("  ") for line in found[at + 1 :])
    compile(text, "up", "exec")
    assert f'base_url="{base_url(URL, engine)}"' in text


def test_images_are_drawn_into_a_file_and_are_not_chatted_with() -> None:
    text = "\n".join(lines("sd"))
    assert "client.images.generate" in text
    assert "out.png" in text
    drawn = ask_lines(engine="sd", stack="s", program="ttctl")
    assert drawn == ['draw       ttctl image --stack s "a lighthouse at dusk"']
    assert ask_lines(engine="vllm", stack="s", program="ttctl") != []


MEDIA = sorted({path for spec in entries() if (path := service_path(spec))})


@pytest.mark.parametrize("path", MEDIA)
def test_what_does_not_talk_is_asked_for_what_it_is_for(path: str, tmp_path: Path) -> None:
    found = talking_lines(
        url=URL, key_file=Path("/keys/the key"), model="acme/w", engine="media", path=path
    )
    assert f"  curl {URL}{path} \\" in found
    script = tmp_path / "script"
    script.write_text("cat() { echo a-key; }\n" + "\n".join(found[1:]), encoding="utf-8")
    curl = tmp_path / "curl"
    curl.write_text('#!/bin/sh\nprintf "%s\\n" "$@" >words\n[ -t 0 ] || command cat >body\n')
    curl.chmod(0o755)
    for name in ("picture.png", "mask.png"):
        (tmp_path / name).write_bytes(b"\x89PNG")
    subprocess.run(
        ["bash", "script"],
        cwd=tmp_path,
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}"},
        stdin=subprocess.DEVNULL,
        check=True,
    )
    words = (tmp_path / "words").read_text().splitlines()
    assert words[:3] == [f"{URL}{path}", "-H", "Authorization: Bearer a-key"]
    if words[-2] != "-F":
        text = (tmp_path / "body").read_text() if words[-1] == "@-" else words[-1]
        assert json.loads(text)
    drawn = ask_lines(engine="media", stack="s", program="ttctl", path=path)
    assert bool(drawn) == (path == "/v1/images/generations")


def test_every_entry_of_a_media_server_has_words_for_what_passes_its_gateway() -> None:
    for spec in entries():
        path = service_path(spec)
        assert bool(path) == (spec.type not in {"LLM", "VLM"}), spec.id
        assert not path or path in served_paths(spec, contract_of(spec)), spec.id


@pytest.mark.parametrize("engine", ["vllm", "direct", "forge"])
def test_an_engine_that_talks_is_asked_by_a_command_of_ours(engine: str) -> None:
    (line,) = ask_lines(engine=engine, stack="s", program="ttctl")
    assert "ttctl chat --stack s" in line
