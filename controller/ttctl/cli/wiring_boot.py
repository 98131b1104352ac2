# SPDX-License-Identifier: Apache-2.0
"""Wires the folder of units, and what a boot unit has to say of this user and this place."""
# ruff: noqa: PLC0415 - an adapter is loaded when its part of the world is first asked for

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ttctl.model.boot import UnitWish
from ttctl.model.settings import SETTINGS

if TYPE_CHECKING:
    from ttctl.cli.session import Session
    from ttctl.model.boot import Scope, UnitFiles


def wire_unit(session: Session, *, system: bool) -> tuple[UnitFiles, UnitWish, tuple[str, ...]]:
    """Return where units lie, what this one is to run, and which variables it leaves out."""
    from ttctl.adapters import units

    environ, home = dict(os.environ), Path.home()
    scope: Scope = "system" if system or os.geteuid() == 0 else "user"
    named = session.flags.config is not None or bool(environ.get("TTCTL_CONFIG"))
    if named:
        session.settings.check_file_is_there()
    settings = session.settings.user_file if named else None
    wish = UnitWish(
        scope=scope,
        program=units.this_program(),
        user=units.this_user(),
        environ=units.surroundings(environ, home, settings=settings),
    )
    variables = {one.variable for one in SETTINGS.values()}
    left_out = tuple(sorted(name for name in variables if environ.get(name)))
    return units.UnitFolder(scope, environ, home=home), wish, left_out
