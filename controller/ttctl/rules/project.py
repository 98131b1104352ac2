# SPDX-License-Identifier: Apache-2.0
"""What stands in a project's `ttctl.toml`, and does its lock still say the same? Pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ttctl.errors import UsageError
from ttctl.model.project import SETTINGS_NAME
from ttctl.model.spec import Request
from ttctl.rules.setting_kinds import SEVERAL
from ttctl.rules.settings_page import tables
from ttctl.rules.stack import stack_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ttctl.model.lock import Lock
    from ttctl.model.settings import Setting, Value

EXAMPLES: dict[str, Value] = {
    "up.model": "llama",
    "up.name": "my-stack",
    "up.device": "cpu",
    "up.port": 8000,
    "up.host": "127.0.0.1",
    "up.tls": "generated",
    "up.tls_key": "key.pem",
    "up.max_model_len": 4096,
    "up.max_num_seqs": 8,
    "up.block_size": 64,
    "up.image_uid": 1000,
    "up.wait_timeout": 3600,
}
"""What is shown of a setting that has no default, and cannot be empty."""
HEAD = """\
# Settings of this folder's stack: `ttctl up` in here, or below, needs no argument.
# A line that begins with # is not set: it shows the default, or where there is none an example.
# `ttctl config show --all` says what holds, and from where. Passwords do not belong in here.
"""


def project_name(folder: str, model: str) -> str:
    """Return the name of a folder's stack: the folder's, as in compose, else the model's."""
    try:
        return stack_name(Request(model=folder))
    except UsageError:
        return stack_name(Request(model=model))


def project_text(chosen: Mapping[str, Value]) -> str:
    """Return a `ttctl.toml` that says what was chosen, and holds all else as comments."""
    lines = [HEAD.rstrip()]
    for table, settings in tables():
        # A table's name is no comment, so that a line below it can be made a setting by itself.
        lines += ["", f"[{table}]"]
        lines += [_line(one, chosen.get(one.key)) for one in settings]
    return "\n".join(lines) + "\n"


def _line(setting: Setting, chosen: Value | None) -> str:
    if chosen is not None:
        return f"{setting.name} = {_written(chosen)}  # {setting.help}"
    shown = "[]" if setting.kind in SEVERAL else _written(_default(setting))
    what = "" if setting.default is not None else "No default. "
    return f"# {setting.name} = {shown}  # {what}{setting.help}"


def _default(setting: Setting) -> Value:
    if setting.default is not None:
        return setting.default
    return EXAMPLES.get(setting.key, False if setting.kind == "switch" else "")


def _written(value: Value) -> str:
    return json.dumps(value, ensure_ascii=False)


def no_longer_locked(lock: Lock, said: Mapping[str, Value | None], *, stack: str) -> str:
    """Say what a project's settings and its lock do not agree on; nothing where they do.

    Args:
        lock: The lock in the project's folder.
        said: What its `ttctl.toml` says of the stack, by key.
        stack: The name of the stack that it means.
    """
    locked: dict[str, Value] = {
        "up.model": lock.requested,
        "up.device": lock.device,
        "up.port": lock.port,
        "up.max_model_len": lock.max_model_len,
        "up.max_num_seqs": lock.max_num_seqs,
        "up.block_size": lock.block_size,
    }
    found = [f"the stack is {stack}, locked is {lock.stack}"] if stack != lock.stack else []
    found += [
        f"{key} is {said[key]}, locked is {value}"
        for key, value in locked.items()
        if said.get(key) is not None and said[key] != value
    ]
    if not found:
        return ""
    return f"{SETTINGS_NAME} no longer matches its lock: {'; '.join(found)}. It is locked anew."
