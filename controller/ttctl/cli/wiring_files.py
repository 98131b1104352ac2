# SPDX-License-Identifier: Apache-2.0
"""Wires what a person writes: settings, stacks of their own, and the editor that opens a text.

None of it needs the rest of the world, and the settings are read before there is one.
"""
# ruff: noqa: PLC0415 - an adapter is loaded when its part of the world is first asked for

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ttctl.adapters import places

if TYPE_CHECKING:
    from collections.abc import Callable

    from ttctl.adapters.settings import Settings
    from ttctl.model.lock import Lock
    from ttctl.model.named_stack import NamedStack
    from ttctl.model.project import ProjectFiles
    from ttctl.model.protocols import Reporter
    from ttctl.model.settings_file import EditText, SettingsFile
    from ttctl.rules.settings import Layer


def wire_settings(named: str | None) -> Settings:
    """Return the settings of one command; `named` is what `--config` says."""
    from ttctl.adapters.settings import Settings

    return Settings(dict(os.environ), read=_read_settings, named=named)


def wire_stack(word: str, own: Path) -> NamedStack | None:
    """Return the stack that a word names; a file in the user's folder comes first."""
    from ttctl.adapters.stack_file import named_stack

    folders = (own / "stacks", places.shipped() / "compose" / "stacks")
    return named_stack(word, folders)


def wire_settings_file(path: Path, *, home: str, repair: str, reporter: Reporter) -> SettingsFile:
    """Return a settings file that can be changed."""
    from ttctl.adapters.settings_file import TomlSettingsFile

    lock = places.state(dict(os.environ)) / "settings" / "settings.flock"
    return TomlSettingsFile(path, home=home, repair=repair, lock=lock, reporter=reporter)


def wire_project(folder: Path, *, home: str) -> ProjectFiles:
    """Return the files of a folder that becomes a project's."""
    from ttctl.adapters.project_folder import ProjectFolder

    return ProjectFolder(folder, home=home)


def wire_project_lock(file: Path) -> Lock | None:
    """Return the lock beside a project's settings, None where there is none."""
    from ttctl.adapters.lock_file import read_lock
    from ttctl.model.project import PROJECT_LOCK

    return read_lock(file.with_name(PROJECT_LOCK))


def wire_file_check(key: str) -> Callable[[Path], str]:
    """Return what says why a file cannot be the value of a setting, nothing where it can."""
    from ttctl.adapters import site

    checks = {"site.ca_bundle": site.why_no_bundle, "site.vllm_requirements": site.why_no_file}
    return checks[key]


def wire_editor(again: str) -> EditText:
    """Return what opens a text in the user's editor; `again` is the command that does so."""
    from ttctl.adapters.editor import edit_text

    environ = dict(os.environ)
    return lambda text: edit_text(text, environ, again=again)


def _read_settings(path: Path, home: str, next_step: str) -> Layer:
    from ttctl.adapters.settings_reader import read_settings

    return read_settings(path, home, next_step)
