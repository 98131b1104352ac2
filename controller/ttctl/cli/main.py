# SPDX-License-Identifier: Apache-2.0
"""The door: flags that hold for every verb, the verb, and the one place that exits."""

from __future__ import annotations

import sys

from ttctl import __version__

ANYWHERE = {"--json": "as_json", "--quiet": "quiet", "--verbose": "verbose", "--debug": "debug"}
BEFORE_THE_VERB = {"-q": "quiet", "-v": "verbose"}
"""Short ones: behind a verb they may be the verb's own, as in `down -v` and `ps -q`."""


def main() -> None:
    """Run ttctl; turn a refusal into one message and its exit code."""
    words, flags = split_flags(sys.argv[1:])
    if words[:1] in (["--version"], ["-V"]):
        print(f"ttctl {__version__}")  # noqa: T201
        raise SystemExit(0)
    raise SystemExit(_run(words, flags))


def split_flags(arguments: list[str]) -> tuple[list[str], dict[str, bool]]:
    """Return the words without the global flags, and the flags; what follows `--` is left alone."""
    words: list[str] = []
    flags: dict[str, bool] = {}
    for position, word in enumerate(arguments):
        if word == "--":
            return [*words, *arguments[position:]], flags
        known = ANYWHERE if words else ANYWHERE | BEFORE_THE_VERB
        if word in known:
            flags[known[word]] = True
        else:
            words.append(word)
    return words, flags


def _run(words: list[str], flags: dict[str, bool]) -> int:
    # Loaded behind the door, so that `--version` costs nothing.
    from ttctl.cli.app import run_command  # noqa: PLC0415

    return run_command(words, flags)


if __name__ == "__main__":
    main()
