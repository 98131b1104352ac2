# SPDX-License-Identifier: Apache-2.0
"""What the program is told on its command line."""

from __future__ import annotations

import os
from argparse import ArgumentParser
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

PLACES = 16
BACKEND, BACKENDS = "TTCTL_DIRECT_BACKEND", ("tenstorrent", "cpu")
"""The variable by which an image says what it is made for; the flag wins."""


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """All of it."""

    weights: Path
    name: str
    backend: str
    host: str
    port: int
    context: int
    places: int


def arguments_of(words: Sequence[str] | None = None) -> Arguments:
    """Read the command line; what is wrong with it ends the program with code 2."""
    parser = ArgumentParser(prog="ttctl-direct", description="Keep a model in memory and answer.")
    add = parser.add_argument
    add("--weights", type=Path, required=True, help="folder in the hub's format")
    add("--name", required=True, help="name of the model in answers")
    add("--backend", choices=BACKENDS, default=os.environ.get(BACKEND) or BACKENDS[0])
    add("--host", default="0.0.0.0", help="address to listen on")  # noqa: S104 - a container's own
    add("--port", type=_port, default=8000)
    add("--max-model-len", type=_positive, default=2048, help="tokens of prompt and answer")
    add("--places", type=_places, default=PLACES, help="requests that may wait")
    said = parser.parse_args(words)
    # argparse holds no default against the choices.
    if said.backend not in BACKENDS:
        parser.error(f"{BACKEND} is {said.backend!r}; there are {' and '.join(BACKENDS)}")
    return Arguments(
        weights=said.weights,
        name=said.name,
        backend=said.backend,
        host=said.host,
        port=said.port,
        context=said.max_model_len,
        places=said.places,
    )


def _within(text: str, least: int, most: int) -> int:
    value = int(text)
    if not least <= value <= most:
        message = f"{value} is not within {least} to {most}"
        raise ValueError(message)
    return value


def _port(text: str) -> int:
    return _within(text, 1, 65535)


def _positive(text: str) -> int:
    return _within(text, 16, 1 << 20)


def _places(text: str) -> int:
    return _within(text, 0, 4096)
