# SPDX-License-Identifier: Apache-2.0
"""What a setting is, and what one command found for it. Values only."""

from __future__ import annotations

from dataclasses import dataclass

from ttctl.model.setting_rows import ROWS, variable_of

Value = str | int | float | bool
"""What a setting can hold. Several values in one text are parted by line ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One thing that a person can set."""

    key: str
    """`up.port`: a table of the files, and a key in it."""
    kind: str
    """Which rule of `rules/setting_kinds` checks it."""
    allowed: tuple[str | int | float, ...]
    """A range's ends, or a choice's words."""
    default: Value | None
    """None where there is no setting until somebody makes one."""
    help: str
    variable: str
    """`TTCTL_UP_PORT`."""

    @property
    def table(self) -> str:
        """The table of the files that it stands in."""
        return self.key.partition(".")[0]

    @property
    def name(self) -> str:
        """Its key in that table."""
        return self.key.partition(".")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundSetting:
    """A setting's value here, and where it comes from."""

    key: str
    value: Value | None
    """None where it is not set and has no default."""
    source: str
    """A flag, a variable, a file's path, `default`; empty where it is not set."""
    written: str = ""
    """The word there that became the value, where it is another one: `TG` for galaxy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsChange:
    """What a change of a settings file did, or under `--dry-run` would do."""

    path: str
    changed: bool
    """Whether the file's text is another now."""
    dry_run: bool
    diff: str
    """Without passwords."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsPlace:
    """A settings file's place."""

    layer: str
    """`project` or `user`."""
    path: str
    exists: bool


SETTINGS: dict[str, Setting] = {
    key: Setting(
        key=key,
        kind=kind,
        allowed=allowed,
        default=default,
        help=text,
        variable=variable_of(key),
    )
    for key, kind, allowed, default, text in ROWS
}
"""Every setting by its key, in the order of the pages."""
