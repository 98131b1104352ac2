# SPDX-License-Identifier: Apache-2.0
"""Bad input is refused before anything changes, in four parts that a person can act on."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import socket
from typing import TYPE_CHECKING

import pytest
from tests.e2e.driver import Stack, Ttctl, free_port, tree

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.e2e.driver import Ran

pytestmark = pytest.mark.docker

NOWHERE = "deb http://127.0.0.1:9/debian bookworm main"


@pytest.fixture
def name() -> str:
    return f"e2e-{secrets.token_hex(4)}"


@pytest.fixture
def locked(ttctl: Ttctl, name: str) -> Iterator[Path]:
    """Lock a stack of the test's own, and return the lock's file."""
    ttctl.run("lock", "llama", "--name", name)
    yield ttctl.stacks / name / "rendered" / "ttctl.lock"
    shutil.rmtree(ttctl.stacks / name)


def parts(ran: Ran) -> dict[str, str]:
    """Return the four parts of a refusal."""
    pattern = r"^(error|why|evidence|next): +(.*(?:\n {10}.*)*)"
    found = dict(re.findall(pattern, ran.err, re.MULTILINE))
    assert set(found) == {"error", "why", "evidence", "next"}, ran.err
    assert not ran.out
    return found


def was_started(ttctl: Ttctl, name: str) -> bool:
    """Return whether a command wrote anything for a stack; an empty lock file does not count."""
    return any(path.is_file() and path.stat().st_size for path in (ttctl.stacks / name).rglob("*"))


@pytest.mark.parametrize("word", ["lama", "llame", "smolm2", "demo-lama"])
@pytest.mark.parametrize("verb", ["up", "plan", "lock"])
def test_an_unknown_model_is_answered_with_the_nearest_names(
    ttctl: Ttctl, word: str, verb: str
) -> None:
    refused = parts(ttctl.run(verb, word, exits=2))
    assert f"no model '{word}'" in refused["error"]
    assert "llama" in refused["evidence"] or "smollm2" in refused["evidence"]
    assert refused["next"].startswith("ttctl ")
    assert not (ttctl.stacks / word).exists() or not was_started(ttctl, word)


def test_a_refusal_for_programs_is_an_object_with_the_same_parts(ttctl: Ttctl) -> None:
    error = ttctl.run("up", "lama", "--json", exits=2).envelope["error"]
    assert {"what", "why", "evidence", "next_step", "exit_code", "code"} <= set(error)
    assert (error["exit_code"], error["code"]) == (2, "usage")


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(("upp", "llama"), id="verb"),
        pytest.param(("up", "llama", "--prot", "1"), id="flag"),
        pytest.param(("up",), id="no model"),
        pytest.param(("up", "llama", "--port", "0"), id="port"),
        pytest.param(("up", "llama", "--max-model-len", "1"), id="length"),
        pytest.param(("up", "llama", "--block-size", "17"), id="block size"),
        pytest.param(("up", "llama", "--name", "Not A Name"), id="name"),
        pytest.param(("status", "nobody"), id="stack"),
        pytest.param(("down", "nobody"), id="stack to end"),
    ],
)
def test_words_that_are_off_exit_with_2_and_say_what_to_type(
    ttctl: Ttctl, words: tuple[str, ...]
) -> None:
    refused = ttctl.run(*words, exits=2)
    assert refused.err.startswith("error: ")
    assert re.search(r"^next: +.*ttctl ", refused.err, re.MULTILINE)


def test_a_taken_port_is_refused_with_its_holder_and_a_free_one(ttctl: Ttctl, name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        words = ("up", "llama", "--name", name, "--port", str(port))
        refused = parts(ttctl.run(*words, exits=2))
    assert f"Port {port} on 127.0.0.1 is taken" in refused["error"]
    assert f"pid {os.getpid()} (" in refused["why"]
    assert re.search(r"--port \d+$", refused["next"])
    assert not was_started(ttctl, name)


def test_a_port_of_another_stack_is_refused_with_its_name(stack: Stack, name: str) -> None:
    words = ("up", "llama", "--name", name, "--port", str(stack.port))
    refused = parts(stack.ttctl.run(*words, exits=2))
    assert f"the stack '{stack.name}'" in refused["why"]
    assert not was_started(stack.ttctl, name)


@pytest.mark.parametrize("verb", ["up", "plan", "ps", "status", "down"])
def test_an_engine_that_does_not_answer_is_said_plainly(
    ttctl: Ttctl, locked: Path, verb: str
) -> None:
    name, before = locked.parents[1].name, tree(locked.parents[1])
    words = {"up": ("llama", "--name", name), "plan": ("llama", "--name", name), "ps": ()}
    nowhere = {"DOCKER_HOST": "unix:///nonexistent/docker.sock"}
    refused = parts(ttctl.run(verb, *words.get(verb, (name,)), exits=5, environ=nowhere))
    assert refused["error"] == "No container engine answers."
    assert "unix:///nonexistent/docker.sock" in refused["evidence"]
    assert tree(locked.parents[1]) == before


def test_a_missing_docker_program_is_said_plainly(ttctl: Ttctl, name: str) -> None:
    environ = {"PATH": str(ttctl.program.parent)}
    words = ("up", "llama", "--name", name, "--port", str(free_port()))
    refused = parts(ttctl.run(*words, exits=4, environ=environ))
    assert "'docker' is not installed" in refused["error"]
    assert not was_started(ttctl, name)


@pytest.mark.parametrize(
    ("pattern", "instead", "expected"),
    [
        pytest.param(r"\Z", "port = [", "line", id="no TOML"),
        pytest.param(r"port = \d+", 'port = "many"', "key port", id="another type"),
        pytest.param(r"port = \d+", "port = 99999999", "key port", id="out of range"),
        pytest.param(r"port = \d+\n", "", "key port", id="missing"),
        pytest.param(r"model = ", 'modell = "x"\nmodel = ', "key modell", id="unknown key"),
        pytest.param(r"max_num_seqs = \d+", "max_num_seqs = 7", "key digest", id="edited"),
        pytest.param(r'revision = ""', 'revision = "main"', "revision", id="no commit"),
        pytest.param(r"schema = 1", "schema = 2", "key schema", id="newer"),
    ],
)
def test_a_damaged_lock_is_refused_with_file_and_key_and_is_left_as_it_is(
    ttctl: Ttctl, locked: Path, pattern: str, instead: str, expected: str
) -> None:
    damaged, count = re.subn(pattern, instead, locked.read_text(), count=1)
    assert count == 1
    locked.write_text(damaged)
    name, before = locked.parents[1].name, tree(locked.parents[1])
    for verb in ("up", "plan", "lock"):
        refused = parts(ttctl.run(verb, "llama", "--name", name, exits=9))
        assert str(locked) in refused["evidence"]
        assert expected in refused["evidence"]
    assert tree(locked.parents[1]) == before
    assert "unknown" in ttctl.run("status", name).out


def test_a_damaged_lock_names_the_line(ttctl: Ttctl, locked: Path) -> None:
    text = locked.read_text()
    locked.write_text(re.sub(r"port = \d+", 'port = "many"', text, count=1))
    number = next(n for n, line in enumerate(text.splitlines(), 1) if line.startswith("port ="))
    refused = parts(ttctl.run("up", "llama", "--name", locked.parents[1].name, exits=9))
    assert f"line {number}, key port" in refused["evidence"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param('[site]\nregistri = "x"\n', ("line 2", "registri", "registry"), id="key"),
        pytest.param("[site]\noffline = maybe\n", ("line 2",), id="no TOML"),
        pytest.param("[sight]\n", ("line 1", "sight"), id="table"),
        pytest.param("[site]\nregistry = 7\n", ("line 2", "registry"), id="type"),
    ],
)
def test_damaged_settings_are_refused_with_file_line_and_key(
    ttctl: Ttctl, tmp_path: Path, text: str, expected: tuple[str, ...]
) -> None:
    settings = tmp_path / "ttctl" / "config.toml"
    settings.parent.mkdir()
    settings.write_text(text)
    environ = {"XDG_CONFIG_HOME": str(tmp_path)}
    refused = parts(ttctl.run("plan", "llama", exits=9, environ=environ))
    assert str(settings) in refused["evidence"]
    for word in expected:
        assert word in refused["evidence"]
    assert settings.read_text() == text


@pytest.fixture
def catalog(ttctl: Ttctl) -> Iterator[Path]:
    """Return the installed catalog, which is put back after the test."""
    (file,) = ttctl.program.parents[1].glob("lib/python*/site-packages/ttctl/data/catalog/cpu.toml")
    text = file.read_text()
    yield file
    file.write_text(text)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        pytest.param("memory_mib = 6144", "memory_mib = -1", "memory_mib", id="out of range"),
        pytest.param("max_num_seqs = 8", 'max_num_seqs = "x"', "max_num_seqs", id="another type"),
        pytest.param("[spec.limits]", "[spec.limmits]", "lim", id="another table"),
        pytest.param("schema = 1", "schema = ", "at line 3", id="no TOML"),
    ],
)
def test_a_damaged_catalog_is_refused_with_file_line_and_key(
    ttctl: Ttctl, catalog: Path, old: str, new: str, expected: str
) -> None:
    catalog.write_text(catalog.read_text().replace(old, new, 1))
    for words in (("models", "ls"), ("plan", "llama", "--name", "no-such-stack")):
        refused = parts(ttctl.run(*words, exits=9))
        assert str(catalog) in refused["evidence"]
        assert "line" in refused["evidence"]
        assert expected in refused["evidence"]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        pytest.param({"TTCTL_APT_SOURCES": NOWHERE}, "http://127.0.0.1:9/debian", id="mirror"),
        pytest.param(
            {"TTCTL_APT_SOURCES": "", "TTCTL_PIP_INDEX_URL": "http://127.0.0.1:9/simple"},
            "http://127.0.0.1:9/simple",
            id="index",
        ),
        pytest.param({"TTCTL_OFFLINE": "1"}, "TTCTL_OFFLINE", id="offline"),
    ],
)
def test_a_build_without_its_network_is_refused_before_anything_changes(
    ttctl: Ttctl, name: str, settings: dict[str, str], expected: str
) -> None:
    environ = {**settings, "TTCTL_BASE_IMAGE": f"localhost/ttctl-e2e:{name}"}
    words = ("up", "llama", "--name", name, "--port", str(free_port()))
    refused = parts(ttctl.run(*words, exits=8, environ=environ))
    assert expected in refused["evidence"]
    assert not was_started(ttctl, name)


def test_another_state_folders_stack_is_left_alone(stack: Stack, tmp_path: Path) -> None:
    containers = stack.identities()
    environ = {"XDG_STATE_HOME": str(tmp_path)}
    refused = parts(stack.ttctl.run("up", *stack.words, exits=2, environ=environ))
    assert "belongs to another user" in refused["error"]
    stack.ttctl.run("down", stack.name, exits=2, environ=environ)
    assert stack.identities() == containers


def test_a_chat_with_a_stack_that_does_not_run_says_how_to_start_it(
    ttctl: Ttctl, locked: Path
) -> None:
    refused = ttctl.run("chat", "--stack", locked.parents[1].name, "Hello", exits=5)
    assert "does not run" in refused.err
    assert "ttctl up" in refused.err
