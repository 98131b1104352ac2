# SPDX-License-Identifier: Apache-2.0
"""Write the unit that brings stacks back after a boot, or take it away."""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING

from ttctl.errors import BadFileError
from ttctl.model.boot import BootUnit
from ttctl.rules.boot_unit import MARK, boot_unit, check_says, unit_name

if TYPE_CHECKING:
    from ttctl.model.boot import UnitFiles, UnitWish


def write_unit(
    files: UnitFiles,
    wish: UnitWish,
    *,
    enable: bool = False,
    dry_run: bool = False,
    left_out: tuple[str, ...] = (),
) -> BootUnit:
    """Write the unit, read it back, and say what is to be typed next.

    Args:
        files: The folder of units.
        wish: What it is to run.
        enable: Whether systemctl is asked to run it at every boot; a failure of that is told.
        dry_run: Whether to write nothing.
        left_out: Variables that hold now and are not carried.

    Raises:
        BadFileError: Another file has its name, or it does not read as it was meant.
        UsageError: A value is one that a unit cannot hold.
    """
    name, text = unit_name(wish), boot_unit(wish)
    before = _ours(files, name)
    changed = before != text
    failures: list[str] = []
    if not dry_run:
        if changed:
            files.write(name, text)
        check_says(files.text(name) or "", wish)
        if enable:
            failures = _enabled(files, wish, name)
    enabled = enable and not dry_run and not failures
    return BootUnit(
        path=str(files.path(name)),
        name=name,
        scope=wish.scope,
        text=text,
        changed=changed,
        removed=False,
        dry_run=dry_run,
        enabled=enabled,
        failures=tuple(failures),
        left_out=left_out,
        commands=_next(files, wish, name, enabled=enabled),
    )


def remove_unit(files: UnitFiles, wish: UnitWish, *, dry_run: bool = False) -> BootUnit:
    """Take the unit away with the links by which it is enabled; nothing where there is none.

    Raises:
        BadFileError: Another file has its name.
    """
    name = unit_name(wish)
    before = _ours(files, name)
    if before is not None and not dry_run:
        files.remove(name)
    return BootUnit(
        path=str(files.path(name)),
        name=name,
        scope=wish.scope,
        text=before or "",
        changed=before is not None,
        removed=True,
        dry_run=dry_run,
        enabled=False,
        failures=(),
        left_out=(),
        commands=(_line(wish, "daemon-reload"),) if before is not None else (),
    )


def _ours(files: UnitFiles, name: str) -> str | None:
    text = files.text(name)
    if text is None or text.startswith(MARK):
        return text
    path = str(files.path(name))
    raise BadFileError(
        f"{path!r} is not a unit of ttctl's.",
        why="ttctl changes no unit that it did not make.",
        evidence=f"It does not begin with: {MARK}",
        next_step=f"mv {quote(path)} {quote(f'{path}.old')}",
    )


def _enabled(files: UnitFiles, wish: UnitWish, name: str) -> list[str]:
    """Ask systemctl; without `--now`, as what is wanted is up and a start may take an hour."""
    own = ("--user",) if wish.scope == "user" else ()
    return [
        f"{_line(wish, *words)}: {why}"
        for words in (("daemon-reload",), ("enable", name))
        if (why := files.systemctl((*own, *words)))
    ]


def _next(files: UnitFiles, wish: UnitWish, name: str, *, enabled: bool) -> tuple[str, ...]:
    lines = [] if enabled else [_line(wish, "daemon-reload"), _line(wish, "enable", "--now", name)]
    if wish.scope == "user" and not files.lingers(wish.user):
        # Else the user's units begin with a login.
        lines.append(f"sudo loginctl enable-linger {quote(wish.user)}")
    return tuple(lines)


def _line(wish: UnitWish, *words: str) -> str:
    head = ("systemctl", "--user") if wish.scope == "user" else ("systemctl",)
    sudo = ("sudo",) if wish.scope == "system" and wish.user != "root" else ()
    return " ".join((*sudo, *head, *words))
