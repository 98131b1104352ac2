# SPDX-License-Identifier: Apache-2.0
"""What is kept of conversations, wired: a part of `wiring`, loaded piece by piece like it."""
# ruff: noqa: PLC0415 - see above

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from ttctl.adapters import places

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from ttctl.model.shelf import Inputs, Talks, Tools
    from ttctl.model.talk import Role


class WiredShelf:
    """The real folders of one user."""

    def __init__(
        self, environ: Mapping[str, str], *, note: Callable[[str], None] | None = None
    ) -> None:
        """Nothing is read yet.

        Args:
            environ: Says where the folders are.
            note: Tells of what is passed over.
        """
        self._environ = environ
        self._note = note

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
    def prompts(self) -> Inputs:
        """Earlier prompts for images."""
        from ttctl.adapters.input_history import InputHistory

        return InputHistory(places.state(self._environ) / "image-history")

    @cached_property
    def tools(self) -> Tools:
        """Other programs."""
        from ttctl.adapters.connect_tools import ConnectTools

        return ConnectTools(_talk_folder() / "connect")

    def roles(self) -> tuple[Role, ...]:
        """Return the roles: the shipped ones, and those beside the settings file.

        A file whose name is no role's is told of the first time.
        """
        from ttctl.adapters.roles import read_roles, unnamed_roles

        own = places.config(self._environ).parent / "roles"
        note, self._note = self._note, None
        if note:
            for name in unnamed_roles(own):
                note(
                    f"{str(own / name)!r} is no role: its name may have A-Z, a-z, 0-9, '.', '_' and"
                    " '-', up to 64 of them, and begins with a letter or a digit"
                )
        return read_roles(_talk_folder() / "roles", own)


def _talk_folder() -> Path:
    data = places.shipped() / "talk"
    return data if data.is_dir() else places.shipped() / "controller" / "talk"
