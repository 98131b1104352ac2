# SPDX-License-Identifier: Apache-2.0
"""What the verbs of `ttctl config` share: what they look up, and what they show."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from ttctl.cli.reporters import reporter_for
from ttctl.cli.session import Session
from ttctl.cli.wiring_files import wire_file_check, wire_settings_file
from ttctl.errors import UsageError
from ttctl.model.settings import SETTINGS, FoundSetting, Setting, SettingsChange, Value
from ttctl.rules import setting_kinds
from ttctl.rules.redaction import redacted, redacted_value
from ttctl.rules.settings import DEFAULT, known_setting
from ttctl.rules.stack import DEFAULT_PORT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ttctl.errors import BadFileError
    from ttctl.model.settings_file import SettingsFile

USED = {"up.port": DEFAULT_PORT}
"""What is used where nobody made a setting, and no lock says otherwise."""
NOTHING = "Nobody set anything here. `ttctl config show --all` shows what could be set."


def found_settings(session: Session, key: str | None) -> list[FoundSetting]:
    """Return all settings, those of one table, or one; several values are several entries."""
    if key is not None and not any(one.table == key for one in SETTINGS.values()):
        key = known_setting(key).key
    keys = [one for one in SETTINGS if key is None or one == key or one.startswith(f"{key}.")]
    found = [_found(session, one) for one in keys if not one.startswith("site.")]
    if any(one.startswith("site.") for one in keys):
        found += [one for one in site_settings(session) if one.key in keys]
    return found


def _found(session: Session, key: str) -> FoundSetting:
    """Return a setting; where nobody made it, with what is used in its place."""
    found = session.settings.find(key)
    if found.value is None and key in USED:
        return replace(found, value=USED[key], source=DEFAULT)
    return found


def site_settings(session: Session) -> list[FoundSetting]:
    """Return the site's settings: what was set, else what the host says."""
    known: dict[str, list[FoundSetting]] = {}
    for name, one in session.world.site.entries():
        key = f"site.{name}"
        known.setdefault(key, []).append(FoundSetting(key=key, value=one.value, source=one.source))
    keys = [key for key in SETTINGS if key.startswith("site.")]
    nothing = {key: [FoundSetting(key=key, value=None, source="")] for key in keys}
    return [one for key in keys for one in (nothing | known)[key]]


def is_made(found: FoundSetting) -> bool:
    """Whether somebody made this setting, be it the host."""
    return found.source not in {"", DEFAULT}


def cell(found: FoundSetting) -> str:
    """Return a value for people."""
    if isinstance(found.value, bool):
        return "true" if found.value else "false"
    text = "-" if found.value is None else str(without_password(found).value)
    return f"{text} (written {found.written})" if found.written else text


def without_password(found: FoundSetting) -> FoundSetting:
    """Return a setting as it may be shown."""
    if isinstance(found.value, str):
        hide = redacted_value if found.key.startswith("site.") else redacted
        return replace(found, value=hide(found.value))
    return found


def settings_file(session: Session, *, project: bool) -> SettingsFile:
    """Return the file that a change goes into."""
    settings = session.settings
    place = settings.place(project=project)
    return wire_settings_file(
        Path(place.path),
        home=str(settings.home),
        repair=settings.repair(project=project),
        # Not the world's: of a file that is wrong there is none, and it can be mended.
        reporter=reporter_for(session.console, Path(os.devnull)),
    )


def for_file(
    session: Session, setting: Setting, value: Value, file: SettingsFile, *, project: bool
) -> Value | tuple[str, ...]:
    """Return a value that was typed here as the file holds it."""
    beside = str(Path(file.path).parent) if project else ""
    return setting_kinds.for_file(
        setting, value, folder=str(session.settings.folder), beside=beside
    )


def check_file(session: Session, setting: Setting, value: Value) -> None:
    """Refuse a file that is not there, or is not what the setting needs.

    Raises:
        UsageError: It is of no use.
    """
    if setting.kind != "path" or not value:
        return
    path = session.settings.folder / Path(str(value)).expanduser()
    if found := wire_file_check(setting.key)(path):
        raise UsageError(
            f"The setting {setting.key!r} cannot be {str(value)!r}.",
            why=f"Found: {found}.",
            evidence=f"{path}: {setting.help}",
            next_step=f"ls -l {quote(str(path))}",
        )


def change_text(change: SettingsChange) -> str:
    """Say what a change did, or would do."""
    if not change.changed:
        return f"{change.path}: nothing to change"
    return change.diff if change.dry_run else f"{change.path}: changed\n{change.diff}"


def note_respelled(session: Session, setting: Setting, words: Sequence[str]) -> None:
    """Say what a device's name in upstream's spelling became."""
    if word := setting_kinds.written_as(setting, " ".join(words)):
        device = setting_kinds.from_text(setting, word)
        session.console.note(f"{word} is upstream's spelling of {device}.")


def note_stronger(session: Session, setting: Setting, file: SettingsFile, *, project: bool) -> None:
    """Say where what was just set does not hold, or should not be seen by others."""
    holds = Session(session.flags).settings.find(setting.key)
    if holds.source != file.path:
        session.console.note(f"{holds.source} is stronger: {setting.key} is {cell(holds)} here.")
    if project and isinstance(holds.value, str) and redacted(holds.value) != holds.value:
        session.console.note(f"{file.path} holds a password now: keep it out of version control.")


def check_terminal(session: Session) -> None:
    """Refuse to open an editor where nobody can see it.

    Raises:
        UsageError: Standard input or output is no terminal, or `--json` was given.
    """
    if session.console.as_json or not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError(
            "An editor needs a terminal.",
            why="Nobody could see or leave it, and its output would be in the answer's place.",
            evidence="Standard input or output is no terminal, or --json was given.",
            next_step="ttctl config set --help",
        )


def wants_again(session: Session, wrong: BadFileError) -> bool:
    """Show what is wrong and ask whether to edit again; under `--yes` nobody is asked."""
    if session.console.yes:
        return False
    session.console.error(wrong)
    return session.console.agrees("Edit again?", next_step=wrong.next_step)
