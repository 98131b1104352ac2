# SPDX-License-Identifier: Apache-2.0
"""Write what other programs need to talk to a running stack."""

from __future__ import annotations

import hashlib
import json
import shlex
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from ttctl.errors import TtctlError, UsageError
from ttctl.model.connect import Connection
from ttctl.model.tls import GENERATED
from ttctl.operations.doors import running_lock
from ttctl.operations.tls import client_file

if TYPE_CHECKING:
    from ttctl.model.connect import Tool
    from ttctl.model.protocols import World
    from ttctl.model.talk import Door

MARK = "# Written by ttctl connect {tool}; sha256 of the rest: {sha256}\n"
"""First line of what was written here. A file that was changed since is the user's own."""
HIDDEN = "***"
"""What stands for the key where a file is shown before it is written."""
QUESTION = "What is Tenstorrent?"


def tool_named(tools: tuple[Tool, ...], name: str) -> Tool:
    """Return the tool of that name.

    Raises:
        UsageError: There is none.
    """
    for tool in tools:
        if tool.name == name:
            return tool
    known = [tool.name for tool in tools]
    near = get_close_matches(name, known, n=1)
    raise UsageError(
        f"There are no settings for {name!r}.",
        why="Any client of OpenAI's API can be used; these have settings of their own.",
        evidence=f"{f'Nearest: {near[0]}. ' if near else ''}Known: {', '.join(known)}.",
        next_step="ttctl connect",
        mistyped=name,
        meant=near[0] if near else "",
    )


def meant_tool(world: World, name: str) -> Tool:
    """Return the tool of that name; a stack's name is told as such.

    Raises:
        UsageError: There is no such tool.
    """
    try:
        return tool_named(world.shelf.tools.known(), name)
    except UsageError as error:
        if name not in world.store.stacks():
            raise
        raise UsageError(
            f"{name!r} is a stack, and no program.",
            why="The program comes first, then the stack that it is to talk to.",
            evidence=error.evidence,
            next_step=f"ttctl connect env {name}",
        ) from None


def connection(world: World, door: Door, tool: Tool, *, show_key: bool) -> Connection:
    """Return a tool's settings; the key is in them where it was asked for."""
    key = world.keys.key(door.stack) if show_key else ""
    return Connection(
        tool=tool.name,
        stack=door.stack,
        model=door.model,
        base_url=door.url,
        key_file=world.keys.key_file(door.stack),
        settings=(text := world.shelf.tools.render(tool, _values(world, door, key))),
        use=_use(world, door, tool),
        file="",
        holds_key=bool(key) and key in text,
        state="printed",
    )


def write(
    world: World, door: Door, tool: Tool, shown: Connection, *, file: Path | None, dry_run: bool
) -> Connection:
    """Write a tool's settings with the key into `file`, or into the tool's own; say what was done.

    Raises:
        UsageError: The tool has no file of its own, and none was named.
        TtctlError: The file is somebody's: it was not written here, or was changed since.
    """
    if file is not None and not file.parent.is_dir():
        raise UsageError(
            f"There is no folder {str(file.parent)!r}.",
            why="Only a program's own folder is made where it is missing.",
            next_step=f"mkdir -p {shlex.quote(str(file.parent))}",
        )
    target = file or _own_file(tool)
    tools = world.shelf.tools
    key = world.keys.key(door.stack)
    text = tools.render(tool, _values(world, door, key))
    found = replace(shown, file=str(target), holds_key=key in text)
    marked = MARK.format(tool=tool.name, sha256=_sha256(text)) + text
    before = tools.read(target)
    if before is not None and not is_ours(before):
        raise _foreign(tool, door, target, shown)
    if before == marked:
        return replace(found, state="unchanged")
    if dry_run:
        planned = marked if shown.holds_key else marked.replace(key, HIDDEN)
        return replace(found, state="planned", settings=planned)
    tools.write(target, marked)
    return replace(found, state="written")


def is_ours(text: str) -> bool:
    """Return whether a file's text was written here and is as it was written."""
    first, _, rest = text.partition("\n")
    return first.startswith(MARK.partition("{")[0]) and first.endswith(_sha256(rest))


def _values(world: World, door: Door, key: str) -> dict[str, object]:
    lock = running_lock(world, door.stack)
    certificate = client_file(world, door.stack, lock)
    body = {"model": door.model, "messages": [{"role": "user", "content": QUESTION}]}
    return {
        "stack": door.stack,
        "model": door.model,
        "base_url": door.url,
        "certificate": certificate,
        # One that signs itself stands for itself everywhere; of yours, the authority is asked for.
        "bundle": certificate if lock.tls == GENERATED else "",
        "key": key,
        "key_file": str(world.keys.key_file(door.stack)),
        "key_name": f"ttctl-{door.stack}",
        "max_model_len": door.max_model_len,
        "body": json.dumps(body),
    }


def _use(world: World, door: Door, tool: Tool) -> str:
    filled = {
        "KEYFILE": shlex.quote(str(world.keys.key_file(door.stack))),
        "FILE": f"~/{tool.file}",
        "STACK": door.stack,
    }
    text = tool.use
    for word, value in filled.items():
        text = text.replace(word, value)
    return text


def _own_file(tool: Tool) -> Path:
    if not tool.file:
        raise UsageError(
            f"{tool.name} has no file of its own to write.",
            why="Its settings are printed, or written to a file that you name.",
            next_step=f"ttctl connect {tool.name} --output ttctl-{tool.name}",
        )
    return Path.home() / tool.file


def _foreign(tool: Tool, door: Door, target: Path, shown: Connection) -> TtctlError:
    beside = target.with_name(f"{target.name}.ttctl")
    return TtctlError(
        f"{str(target)!r} is there already and is not ours to replace.",
        why="It was not written by ttctl connect, or was changed since. It is as it was.",
        evidence=f"What belongs into it:\n{shown.settings.rstrip()}",
        next_step=f"ttctl connect {tool.name} {door.stack} --output {shlex.quote(str(beside))}",
    )


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
