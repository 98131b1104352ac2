# SPDX-License-Identifier: Apache-2.0
"""The settings as text: a new file to fill in. Pure."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from ttctl.model.settings import SETTINGS
from ttctl.rules.setting_kinds import SEVERAL

if TYPE_CHECKING:
    from ttctl.model.settings import Setting


def tables() -> list[tuple[str, list[Setting]]]:
    """Return the settings by their tables."""
    parted = groupby(SETTINGS.values(), key=lambda setting: setting.table)
    return [(table, list(settings)) for table, settings in parted]


def template() -> str:
    """Return a file in which everything is a comment."""
    lines = ["# Settings of ttctl. `ttctl config show --all` says what holds, and from where."]
    for table, settings in tables():
        lines += ["", f"# [{table}]"]
        lines += [f"# {one.name} = {_example(one)}  # {one.help}" for one in settings]
    return "\n".join(lines) + "\n"


def _example(setting: Setting) -> str:
    if setting.kind in SEVERAL:
        return "[]"
    if setting.kind == "switch":
        return "false"
    if isinstance(setting.default, int | float):
        return str(setting.default)
    if setting.kind in {"integer", "choice"} and isinstance(setting.allowed[0], int):
        return str(setting.allowed[-1])
    if setting.kind == "choice" and setting.default is None:
        return f'"{setting.allowed[0]}"'
    return f'"{setting.default or ""}"'
