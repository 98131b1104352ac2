# SPDX-License-Identifier: Apache-2.0
"""Say what runs `ttctl up --boot` as a unit of systemd. Pure.

`up --boot` waits for the container engine by itself: a user's unit cannot be ordered behind one of
the system, and a socket that is there need not answer yet.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ttctl.errors import BadFileError, UsageError
from ttctl.rules.interpolation import literal
from ttctl.rules.unit_read import sections_of, words_of
from ttctl.rules.unit_text import assignment, switch, unit_text, word

if TYPE_CHECKING:
    from ttctl.model.boot import Scope, UnitWish

MARK = "# Made by `ttctl config boot`, and taken away by `ttctl config boot --remove`."
START_S = 21600
"""systemd's limit for all stacks together, seconds: `up --boot` bounds each of its own waits, and
five minutes for the machine and an hour for each of several engines fit in."""
COMMAND = ("up", "--boot")
TARGETS: dict[Scope, str] = {"user": "default.target", "system": "multi-user.target"}
UNSAFE = frozenset("\"'\\$")
"""Signs that a path of a program may not have, however they are written; of others it may.

Source: https://github.com/systemd/systemd/blob/v249/src/core/load-fragment.c, config_parse_exec
"""
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*")


def unit_name(wish: UnitWish) -> str:
    """Return the unit's file name; the system has one for each user."""
    return "ttctl-boot.service" if wish.scope == "user" else f"ttctl-boot-{wish.user}.service"


def boot_unit(wish: UnitWish) -> str:
    """Return the unit's text, which was read back and says what is meant.

    Raises:
        UsageError: A value is one that a unit cannot hold.
    """
    _check(wish)
    service = [("Type", "oneshot"), ("RemainAfterExit", switch(on=True))]
    service += [("User", wish.user)] if wish.scope == "system" else []
    service += [("WorkingDirectory", "/")]
    service += [("Environment", assignment(name, value)) for name, value in wish.environ]
    command = " ".join(word(literal(one)) for one in (wish.program, *COMMAND))
    service += [("ExecStart", command), ("TimeoutStartSec", str(START_S))]
    text = unit_text(
        [
            (
                "Unit",
                [
                    ("Description", "Bring back the ttctl stacks that were up"),
                    ("After", "docker.service"),
                ],
            ),
            ("Service", service),
            ("Install", [("WantedBy", TARGETS[wish.scope])]),
        ]
    )
    text = f"{MARK}\n{text}"
    check_says(text, wish)
    return text


def check_says(text: str, wish: UnitWish) -> None:
    """Read a unit as systemd does, and compare it with what is meant.

    Raises:
        BadFileError: It says something else.
    """
    try:
        keys = {name: rows for name, rows in sections_of(text)}["Service"]  # noqa: C416 - typed
        environ = [words_of(value, dollars=False) for key, value in keys if key == "Environment"]
        command = [words_of(value, dollars=True) for key, value in keys if key == "ExecStart"]
    except (ValueError, KeyError) as exc:
        raise _otherwise(f"It cannot be read: {exc}") from exc
    meant = [(f"{name}={value}",) for name, value in wish.environ]
    if environ != meant or command != [(wish.program, *COMMAND)]:
        raise _otherwise(f"Read: {command}, {environ}.")
    users = [value for key, value in keys if key == "User"]
    if users != ([wish.user] if wish.scope == "system" else []):
        raise _otherwise(f"Read: User {users}.")


def _check(wish: UnitWish) -> None:
    if wish.scope == "system" and not _USER.fullmatch(wish.user):
        raise _unfit("user", wish.user, "a unit of the system names one by letters and digits")
    if not wish.program.startswith("/") or set(wish.program) & UNSAFE:
        why = "systemd wants a whole path without quotes, backslashes and dollars"
        raise _unfit("program", wish.program, why)
    for name, value in (("program", wish.program), *wish.environ):
        if not value.isprintable() or not _is_text(value):
            raise _unfit(name, value, "it holds what cannot be printed, such as a line's end")
    for name, _ in wish.environ:
        if not _VARIABLE.fullmatch(name):
            raise _unfit("variable", name, "no variable is called so")


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _unfit(name: str, value: str, why: str) -> UsageError:
    return UsageError(
        f"A boot unit cannot hold this {name}: {value!r}.",
        why=f"{why[:1].upper()}{why[1:]}.",
        evidence="Nothing was written.",
        next_step="ttctl config boot --help",
    )


def _otherwise(evidence: str) -> BadFileError:
    return BadFileError(
        "The boot unit does not say what is meant.",
        why="It is read back before and after it is written.",
        evidence=evidence[:400],
        next_step="ttctl config boot --dry-run",
    )
