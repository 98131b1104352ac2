# SPDX-License-Identifier: Apache-2.0
"""What is kept of conversations, wired: a part of `wiring`, loaded piece by piece like it."""
# ruff: noqa: PLC0415 - see above

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from ttctl.adapters import places

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ttctl.model.shelf import Inputs, Talks, Tools
    from ttctl.model.talk import Role


class WiredShelf:
    """The real folders of one user."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        """Nothing is read yet; `environ` says where the folders are."""
        self._environ = environ

    @cached_property
    def talks(self) -> Talks:
        """Saved conversations."""
        from ttctl.adapters.saved_talks import SavedTalks

        return SavedTalks(places.state(self._environ) / "talks")

    @cached_property
    def inputs(self) -> Inputs:
        """Earlier inputs."""
        from ttctl.adapters.input_history import InputHistory

        return InputHistory(places.state(self._environ) / "chat-history")

    @cached_property
    def tools(self) -> Tools:
        """Other programs."""
        from ttctl.adapters.connect_tools import ConnectTools

        return ConnectTools(_talk_folder() / "connect")

    def roles(self) -> tuple[Role, ...]:
        """Return the roles: the shipped ones, and those beside the settings file."""
        from ttctl.adapters.roles import read_roles

        own = places.config(self._environ).parent / "roles"
        return read_roles(_talk_folder() / "roles", own)


def _talk_folder() -> Path:
    data = places.shipped() / "talk"
    return data if data.is_dir() else places.shipped() / "controller" / "talk"
