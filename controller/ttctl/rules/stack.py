# SPDX-License-Identifier: Apache-2.0
"""What a stack is called, and where it is reached. Pure."""

from __future__ import annotations

import re
import shlex

from ttctl.errors import UsageError
from ttctl.model.service import LOOPBACK
from ttctl.model.spec import Request

GATEWAY_SERVICE = "gateway"
API_SERVICE = "api"
"""What `direct` is called where it is talked to."""
BIND = LOOPBACK
DEFAULT_PORT = 8000
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,47}")


def service_name(engine: str) -> str:
    """Return the name of the container in which an engine serves."""
    return API_SERVICE if engine == "direct" else engine


def render_command(model: str, device: str) -> str:
    """Return what writes an entry down that is not started here, into a folder of its name."""
    folder = stack_name(Request(model=model))
    return shlex.join(["ttctl", "render", model, "--device", device, "-o", folder])


def stack_name(request: Request) -> str:
    """Return a stack's name: the one asked for, or the model's in compose's project alphabet.

    Raises:
        UsageError: The name asked for is none, or nothing of the model's is left.
    """
    if request.name is not None:
        return checked_name(request.name)
    word = request.model
    name = re.sub(r"[^a-z0-9]+", "-", word.rpartition("/")[2].lower()).strip("-")[:48].rstrip("-")
    if not name:
        raise UsageError(
            f"{word!r} cannot name a stack.",
            why="A stack's name needs a letter or a digit.",
            next_step="ttctl models ls",
        )
    return name


def names_of(word: str) -> tuple[str, ...]:
    """Return the stacks that `word` may mean: the one of that name, and that of such a model."""
    try:
        return word, stack_name(Request(model=word))
    except UsageError:
        return (word,)


def checked_name(name: str) -> str:
    """Return `name` where it can name a stack; it becomes a folder's name, too.

    Raises:
        UsageError: It cannot.
    """
    if not NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} cannot name a stack.",
            why="Compose allows lower-case letters, digits and dashes, at most 48.",
            evidence="For example llama, or my-stack.",
            next_step="ttctl status",
        )
    return name
