# SPDX-License-Identifier: Apache-2.0
"""Show an image that was written: itself where the terminal can, its name and its figures."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping

from ttctl.cli.console import Console
from ttctl.model.picture import ImageFile
from ttctl.rules.inline_image import (
    Show,
    columns_for,
    encoded,
    protocol_for,
)
from ttctl.rules.talk import visible


class Viewer:
    """Shows images on standard output, one after the other."""

    def __init__(
        self, console: Console, show: Show, environ: Mapping[str, str] = os.environ
    ) -> None:
        """Look once at what the terminal can show."""
        self._console = console
        self._protocol = protocol_for(environ, show=show, is_terminal=sys.stdout.isatty())
        # Whoever asks for it within tmux has allowed tmux to hand it on.
        self._through_tmux = bool(environ.get("TMUX"))

    def show(self, file: ImageFile, data: bytes) -> None:
        """Show one image; a program gets its figures with all the others at the end."""
        if self._console.as_json:
            return
        room = shutil.get_terminal_size()
        columns = columns_for(file.width, file.height, columns=room.columns, lines=room.lines)
        self._console.piece(
            encoded(
                data,
                self._protocol,
                name=file.path.name,
                columns=columns,
                through_tmux=self._through_tmux,
            )
        )
        self._console.piece(f"{visible(str(file.path))}\n")
        if not self._console.quiet:
            self._console.say(self._console.err.paint(_figures(file), "dim"))


def _figures(file: ImageFile) -> str:
    seed = "" if file.seed is None else f", seed {file.seed}"
    kilobytes = file.size_bytes / 1000
    return f"({file.width}x{file.height}{seed}, {kilobytes:.1f} kB, {file.seconds:.1f} s)"
