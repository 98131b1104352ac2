# SPDX-License-Identifier: Apache-2.0
"""Does each leaf print for programs exactly what its published schema says, and nothing else?"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click
import jsonschema
import pytest
from tests.e2e.driver import ROOT, Stack, Ttctl
from tests.standins import machines

from ttctl.cli.app import group

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SCHEMAS = ROOT / "docs" / "schemas"

CALLS: dict[str, tuple[tuple[str, ...], str]] = {
    "build": (("build", "llama", "--name", "NAME"), "build"),
    "build --dry-run": (("build", "llama", "--dry-run"), "plan"),
    "chat": (("chat", "--stack", "NAME", "Hello"), "chat"),
    "completion": (("completion", "bash"), "completion"),
    "config boot": (("config", "boot", "--dry-run"), "boot-unit"),
    "config edit": (("config", "edit"), "error"),
    "config get": (("config", "get", "up.port"), "settings"),
    "config key ls": (("config", "key", "ls", "NAME"), "keys"),
    "config key new": (("config", "key", "new", "contract", "--stack", "NAME"), "key"),
    "config key revoke": (("config", "key", "revoke", "contract", "--stack", "NAME"), "key"),
    "config key rotate": (
        ("config", "key", "rotate", "--stack", "NAME", "--dry-run"),
        "key",
    ),
    "config path": (("config", "path"), "settings-path"),
    "config set": (("config", "set", "up.port", "8001", "--dry-run"), "settings-change"),
    "config show": (("config", "show", "--all"), "settings"),
    "config site": (("config", "site"), "site"),
    "config unset": (("config", "unset", "up.port", "--dry-run"), "settings-change"),
    "connect": (("connect",), "tools"),
    "connect TOOL": (("connect", "env", "NAME"), "connect"),
    "devices check": (("devices", "check", "--model", "llama"), "devices-check"),
    "devices clear": (("devices", "clear", "0", "--dry-run"), "devices-clear"),
    "devices info": (("devices", "info"), "devices-info"),
    "devices ls": (("devices", "ls"), "devices"),
    "devices reset": (("devices", "reset", "--all", "--dry-run"), "devices-reset"),
    "doctor": (("doctor", "NAME", "--offline"), "doctor"),
    "down": (("down", "NAME", "--dry-run"), "down"),
    "eject": (("eject", "gateway", "demo-llama", "-o", "FOLDER"), "eject"),
    "eject --dry-run": (("eject", "vllm", "demo-llama", "-o", "FOLDER", "--dry-run"), "eject"),
    "exec": (("exec", "--stack", "NAME", "vllm", "--", "id"), "exec"),
    "diff": (("diff", "NAME"), "diff"),
    "history": (("history", "NAME"), "history"),
    "image": (("image", "--stack", "NAME", "a red circle"), "error"),
    "init": (("init", "FOLDER", "demo-llama", "-p", "made", "--device", "cpu"), "init"),
    "init --dry-run": (("init", "FOLDER", "demo-llama", "-p", "made", "--dry-run"), "init"),
    "lock": (("lock", "llama", "--name", "NAME"), "lock"),
    "lock --dry-run": (("lock", "llama", "--name", "NAME", "--dry-run"), "lock"),
    "logs --explain": (("logs", "NAME", "--explain"), "causes"),
    "models ls": (("models", "ls"), "models"),
    "models ls --cached": (("models", "ls", "--cached"), "weights"),
    "models ls --size": (("models", "ls", "--size"), "weights"),
    "models pull": (("models", "pull", "demo-llama"), "pull"),
    "models pull --dry-run": (("models", "pull", "demo-llama", "--dry-run"), "plan"),
    "models rm": (("models", "rm", "tinyllama", "--dry-run"), "error"),
    "models diff": (("models", "diff", "built-in"), "catalog-diff"),
    "models refresh": (("models", "refresh", "--dry-run"), "catalog"),
    "models search": (("models", "search", "llama"), "search"),
    "models show": (("models", "show", "llama"), "model-page"),
    "models show --raw": (("models", "show", "llama", "--device", "n150", "--raw"), "model-page"),
    "models verify": (("models", "verify"), "verify"),
    "plan": (("plan", "STACK"), "plan"),
    "plan --commands": (("plan", "llama", "--device", "n150", "--commands"), "plan"),
    "plan --device": (("plan", "llama", "--device", "n150"), "plan"),
    "plan --pack": (("plan", "--pack", "llama", "--device", "n300"), "pack"),
    "prune": (("prune", "file", "--yes"), "prune"),
    "prune --dry-run": (("prune", "--dry-run"), "prune"),
    "ps": (("ps",), "ps"),
    "render": (("render", "STACK", "-o", "FOLDER"), "render"),
    "render --dry-run": (("render", "STACK", "-o", "FOLDER", "--dry-run"), "render"),
    "restart": (("restart", "NAME", "--dry-run"), "plan"),
    "start": (("start", "NAME"), "up"),
    "start --dry-run": (("start", "NAME", "--dry-run"), "plan"),
    "rollback": (("rollback", "NAME", "--to", "999"), "error"),
    "report": (("report", "NAME", "-o", "FILE", "--yes", "--offline"), "report"),
    "report --dry-run": (("report", "NAME", "--dry-run", "--offline"), "report"),
    "status": (("status", "NAME"), "status"),
    "stop": (("stop", "NAME", "--dry-run"), "stop"),
    "swap": (("swap", "NAME", "llama", "--name", "NAME"), "error"),
    "swap --dry-run": (("swap", "NAME", "llama", "--name", "instead", "--dry-run"), "plan"),
    "up": (("up", "STACK"), "up"),
    "up --boot": (("up", "--boot"), "boot"),
    "up --dry-run": (("up", "STACK", "--dry-run"), "plan"),
    "upgrade": (("upgrade", "NAME"), "upgrade"),
    "upgrade --dry-run": (("upgrade", "NAME", "--dry-run"), "diff"),
    "wait": (("wait", "NAME"), "status"),
}
"""A call of each leaf, and the kind of its answer."""
EXITS = {"error": 2}
"""Kinds that come with an exit code of their own."""
ON_A_CARD = {"devices clear", "devices reset"}
"""Calls that need a board: they look at a made-up machine with one."""
LINES = {
    "logs": (("logs", "NAME", "--tail", "3"), "logs"),
    "status --live": (("status", "NAME", "--live", "--count", "2"), "status-live"),
}
"""The same for leaves that print one envelope a line."""


def leaves(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield the words of every command that has none below it."""
    if not isinstance(command, click.Group):
        yield " ".join(path)
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        below = command.get_command(context, name)
        assert below is not None
        if not below.hidden:
            yield from leaves(below, (*path, name))


def strict(schema: Any) -> Any:  # noqa: ANN401 - JSON
    """Return a schema that allows nothing that it does not name."""
    if isinstance(schema, list):
        return [strict(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {name: strict(one) for name, one in schema.items()}
    return {**closed, "additionalProperties": False} if "properties" in schema else closed


def check(printed: str, kind: str) -> dict[str, Any]:
    """Return what was printed, found to be as the schema of its kind says."""
    value: dict[str, Any] = json.loads(printed)
    schema = json.loads((SCHEMAS / f"{kind}-1.json").read_text(encoding="utf-8"))
    jsonschema.validate(value, strict(schema))
    return value


def words_of(call: tuple[str, ...], stack: Stack, folder: Path) -> list[str]:
    instead = {"STACK": stack.words, "NAME": (stack.name,), "FOLDER": (str(folder / "out"),)}
    instead["FILE"] = (str(folder / "out.tar.gz"),)
    return [one for word in call for one in instead.get(word, (word,))]


def test_every_leaf_has_a_call_here() -> None:
    assert set(leaves(group())) <= CALLS.keys() | LINES.keys()


@pytest.mark.parametrize("name", CALLS)
def test_an_answer_for_programs_is_as_its_schema_says(
    stack: Stack, tmp_path: Path, name: str
) -> None:
    call, kind = CALLS[name]
    words = words_of(call, stack, tmp_path)
    at = words.index("--") if "--" in words else len(words)
    exits = EXITS.get(kind, 0)
    environ = {"EDITOR": "true"}
    if name in ON_A_CARD:
        environ["TTCTL_DEVICE_ROOT"] = str(machines.tree(tmp_path / "machine", "n300"))
    ran = stack.ttctl.run(*words[:at], "--json", *words[at:], exits=exits, environ=environ)
    check(ran.out, kind)
    assert "\x1b" not in ran.out + ran.err
    for event in ran.err.splitlines():
        check(event, "event")


@pytest.mark.parametrize("name", LINES)
def test_each_line_for_programs_is_as_its_schema_says(
    stack: Stack, tmp_path: Path, name: str
) -> None:
    call, kind = LINES[name]
    lines = stack.ttctl.run(*words_of(call, stack, tmp_path), "--json").out.splitlines()
    assert lines
    for line in lines:
        check(line, kind)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        pytest.param(("up", "lama"), 2, id="no such model"),
        pytest.param(("pss",), 2, id="no such verb"),
        pytest.param(("ps", "--bogus"), 2, id="no such option"),
        pytest.param(("up", "yolox_nano", "--device", "t3k"), 7, id="nothing fits"),
        pytest.param(("up", "llama", "--", "--host", "::"), 2, id="a flag that is refused"),
        pytest.param(("models", "rm", "demo-llama"), 2, id="nobody to ask"),
    ],
)
def test_a_refusal_for_programs_is_as_its_schema_says(
    ttctl: Ttctl, words: tuple[str, ...], code: int
) -> None:
    at = words.index("--") if "--" in words else len(words)
    ran = ttctl.run(*words[:at], "--json", *words[at:], exits=code)
    assert check(ran.out, "error")["error"]["exit_code"] == code


def test_a_long_command_tells_programs_what_is_going_on(stack: Stack) -> None:
    events = [
        check(line, "event")
        for line in stack.ttctl.run("wait", stack.name, "--json").err.splitlines()
    ]
    assert [(one["event"], one["state"]) for one in events] == [
        ("step", "started"),
        ("step", "done"),
    ]
    assert stack.ttctl.run("wait", stack.name, "--json", "--quiet").err == ""
