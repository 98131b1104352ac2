# SPDX-License-Identifier: Apache-2.0
"""The door: what needs no command is answered here, and this is the one place that exits."""

from __future__ import annotations

import contextlib
import gc
import os
import sys

from ttctl import __version__
from ttctl.cli.door import COMPLETE, split_flags, split_values

GC_OBJECTS = 20_000
"""New objects after which Python looks for garbage; it starts with 700."""


def program() -> None:
    """Be the program `ttctl`: run it, and end with its exit code whatever its threads are at.

    They follow logs and draw, and nobody waits for them. Where the interpreter ends beside one,
    that is thrown out of what it is in, of C code too, and the whole may be ended by SIGABRT.
    """
    try:
        main()
    except SystemExit as ended:
        if isinstance(ended.code, int) and _only_followers_are_left():
            for stream in (sys.stdout, sys.stderr):
                with contextlib.suppress(OSError):
                    stream.flush()
            os._exit(ended.code)
        raise


def _only_followers_are_left() -> bool:
    # Nobody who did not load it has begun a thread.
    if (threading := sys.modules.get("threading")) is None:
        return False
    left = [one for one in threading.enumerate() if one is not threading.current_thread()]
    return bool(left) and all(one.daemon for one in left)


def main() -> None:
    """Run ttctl; turn a refusal into one message and its exit code."""
    _open_streams()
    if asked := os.environ.get(COMPLETE):
        _complete(asked)
        raise SystemExit(0)
    words, values = split_values(sys.argv[1:])
    words, flags = split_flags(words)
    if words[:1] in (["--version"], ["-V"]):
        print(f"ttctl {__version__}")  # noqa: T201
        raise SystemExit(0)
    asks_for_help = len(words) == 1 and words[0] in {"--help", "-h", "help"}
    # `--config` with nothing behind its file is refused: the file may have been meant for a verb.
    if asks_for_help or not (words or values):
        _front_page(flags)
        raise SystemExit(0)
    raise SystemExit(_run(words, flags, values))


def _open_streams() -> None:
    """Give a stream that was closed (`>&-`) somewhere to go, as the shell's own tools have it."""
    if None not in {sys.stdin, sys.stdout, sys.stderr}:
        return
    # The lowest free numbers come first: no file that is opened after this is taken for a stream.
    while (nowhere := os.open(os.devnull, os.O_RDWR)) <= 2:  # noqa: PLR2004 - stderr
        pass
    stream = os.fdopen(nowhere, "w", encoding="utf-8")
    sys.stdin = sys.stdin or os.fdopen(0, encoding="utf-8")
    sys.stdout = sys.stdout or stream
    sys.stderr = sys.stderr or stream


def _complete(asked: str) -> None:
    from ttctl.cli.completing import answer  # noqa: PLC0415

    print(answer(os.environ, asked), end="", flush=True)  # noqa: T201


def _front_page(flags: frozenset[str]) -> None:
    # Loaded behind the door, so that `--version` costs nothing.
    from ttctl.cli.front_page import front_page  # noqa: PLC0415
    from ttctl.cli.palette import palette_for  # noqa: PLC0415

    print(front_page(palette_for(sys.stdout, when="never" if "no_color" in flags else "auto")))  # noqa: T201


def _run(words: list[str], flags: frozenset[str], values: dict[str, str]) -> int:
    # Modules live as long as the process: looking for garbage among them, while they are loaded
    # and once more at the end, is a tenth of what a short command costs.
    gc.set_threshold(GC_OBJECTS)
    from ttctl.cli.app import run_command  # noqa: PLC0415

    try:
        return run_command(words, flags, values)
    finally:
        gc.freeze()


if __name__ == "__main__":
    program()
