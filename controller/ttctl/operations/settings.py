# SPDX-License-Identifier: Apache-2.0
"""Change a settings file, by a word or in an editor; what is wrong is never written."""

from __future__ import annotations

from contextlib import nullcontext
from difflib import unified_diff
from typing import TYPE_CHECKING

from ttctl.errors import BadFileError
from ttctl.model.settings import SettingsChange
from ttctl.rules.redaction import redacted
from ttctl.rules.settings import known_setting
from ttctl.rules.settings_page import template

if TYPE_CHECKING:
    from collections.abc import Callable

    from ttctl.model.settings import Setting, Value
    from ttctl.model.settings_file import EditText, SettingsFile


def change(
    file: SettingsFile,
    setting: Setting,
    value: Value | tuple[str, ...],
    *,
    dry_run: bool = False,
) -> SettingsChange:
    """Set one setting in a file.

    Raises:
        BadFileError: The file is wrong already; it is left as it is.
        LockedError: Another command changes settings, and does not come to its end.
    """
    with nullcontext() if dry_run else file.exclusive():
        before = file.text()
        file.check(before)
        after = file.with_value(before, setting, value)
        file.check(after)
        return _written(file, before, after, dry_run=dry_run)


def remove(file: SettingsFile, key: str, *, dry_run: bool = False) -> SettingsChange:
    """Remove a key from a file, one that is no setting and a value that does not fit too.

    Raises:
        UsageError: There is no such key in the file, and no such setting.
        BadFileError: The file is no TOML; or it is wrong, and the key is not in it.
        LockedError: As `change`.
    """
    with nullcontext() if dry_run else file.exclusive():
        before = file.text()
        after = file.without(before, key)
        if after == before:
            known_setting(key)
            file.check(before)
        return _written(file, before, after, dry_run=dry_run)


def edit(
    file: SettingsFile, *, editor: EditText, again: Callable[[BadFileError], bool]
) -> SettingsChange:
    """Let a person edit a copy until it is right, or until they give up.

    Args:
        file: The settings file.
        editor: Opens a text and returns what it has become.
        again: Shows what is wrong and asks whether to go on.

    Raises:
        BadFileError: What was typed is wrong, or somebody else changed the file meanwhile. The
            file is left as it is.
    """
    before = file.text()
    start = before or template()
    text = start
    while True:
        text = editor(text)
        try:
            file.check(text)
            break
        except BadFileError as wrong:
            if not again(wrong):
                raise BadFileError(
                    f"{file.path!r} was left as it was.",
                    why=wrong.message,
                    evidence=wrong.evidence,
                    next_step=wrong.next_step,
                ) from wrong
    if text == start:
        return _written(file, before, before, dry_run=False)
    with file.exclusive():
        if file.text() != before:
            raise BadFileError(
                f"{file.path!r} was changed by somebody else meanwhile.",
                why="Writing would undo that change.",
                evidence="What was typed was not written.",
                next_step="ttctl config edit",
            )
        return _written(file, before, text, dry_run=False)


def _written(file: SettingsFile, before: str, after: str, *, dry_run: bool) -> SettingsChange:
    if before != after and not dry_run:
        file.write(after)
    return SettingsChange(
        path=file.path,
        changed=before != after,
        dry_run=dry_run,
        diff=redacted(difference(before, after, file.path)),
    )


def difference(before: str, after: str, path: str) -> str:
    """Return what differs, as `diff -u` has it."""
    lines = unified_diff(before.splitlines(), after.splitlines(), path, path, n=2, lineterm="")
    return "\n".join(lines)
