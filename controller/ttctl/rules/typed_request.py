# SPDX-License-Identifier: Apache-2.0
"""Which words of a command line ask for this? Pure."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from ttctl.model.ejected import NONE
from ttctl.rules.stack import names_of
from ttctl.rules.tls import key_of

if TYPE_CHECKING:
    from ttctl.model.spec import Request


def typed(verb: str, request: Request, *more: str) -> str:
    """Return the line that asks for this as it was asked, with further options.

    What was not said is not said here either: it is decided anew in the same way.
    """
    words = words_of(request, name=request.name, device=request.device)
    boards = (word for board in request.boards for word in ("--board", board))
    return shlex.join(["ttctl", verb, *words, *boards, *more, *engine_words(request)])


def typed_up(requested: str, stack: str) -> str:
    """Return the line that brings a stack up that was asked for by this word."""
    named = f" --name {shlex.quote(stack)}" if stack not in names_of(requested) else ""
    return f"ttctl up {shlex.quote(requested)}{named}"


def words_of(request: Request, *, name: str | None, device: str | None) -> tuple[str, ...]:
    """Return the model and the options that every verb with a model takes, boards left out.

    Args:
        request: What is asked for.
        name: The stack's; None to leave it to the model's.
        device: What it was matched on, so that it is the same wherever the words are typed; None to
            match it anew.
    """
    said = {
        "--name": name,
        "--device": device,
        "--engine": request.engine,
        "--impl": request.implementation,
        "--task": request.task,
        "--values": request.values,
        "--port": request.port,
        "--host": request.host,
        "--tls": request.tls,
        "--tls-key": key_of(request) or None,
        "--max-model-len": request.max_model_len,
        "--max-num-seqs": request.max_num_seqs,
        "--block-size": request.block_size,
        "--image-uid": request.image_uid,
        "--with": None if request.services is None else ",".join(request.services) or "none",
    }
    words = [word for pair in said.items() if pair[1] is not None for word in map(str, pair)]
    words += ["--experimental"] if request.experimental else []
    words += [word for one in _ejected(request) for word in ("--from", one)]
    words += [word for source in request.sources for word in ("--source", source)]
    return (request.model, *words)


def _ejected(request: Request) -> tuple[str, ...]:
    return () if request.ejected is None else request.ejected or (NONE,)


def engine_words(request: Request) -> tuple[str, ...]:
    """Return the flags of the engine, which come last."""
    flags = [word for name, value in request.engine_args or () for word in (f"--{name}", value)]
    return ("--", *(word for word in flags if word)) if flags else ()
