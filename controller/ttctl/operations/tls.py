# SPDX-License-Identifier: Apache-2.0
"""Which certificate does a stack's gateway show, and how do clients of ours know it?"""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

from ttctl.errors import BadFileError, UsageError
from ttctl.model.service import LOOPBACK
from ttctl.model.spec import Request
from ttctl.model.tls import GENERATED, OWN, At, Pin, Wish
from ttctl.rules.stack import BIND, stack_name
from ttctl.rules.tls import is_file, mode_of, name_to_ask, said_of, why_made, why_taken
from ttctl.rules.typed_request import typed_up

if TYPE_CHECKING:
    from ttctl.model.lock import Lock
    from ttctl.model.lock_summary import LockSummary
    from ttctl.model.protocols import World
    from ttctl.model.tls import Certificate


def wish_of(world: World, request: Request, *, locked: Lock | None, bind: str) -> Wish:
    """Return what is wanted of a stack's certificate; nothing is made or copied.

    Raises:
        BadFileError: The user's own cannot be used.
        UsageError: A key was named without its certificate.
    """
    mode = mode_of(request.tls, locked.tls if locked is not None else "")
    if request.tls_key is not None and not is_file(request.tls):
        raise UsageError(
            "A key was named without its certificate.",
            why="--tls-key is for the key of the certificate that --tls names.",
            evidence=f"--tls-key {request.tls_key}, --tls {request.tls or 'is not said'}",
            next_step=f"ttctl up {shlex.quote(request.model)} --tls CERTIFICATE --tls-key KEY",
        )
    if not mode:
        return Wish()
    found, now = world.certificates.found(stack_name(request)), world.clock.epoch()
    if found is not None and found.ours is not (mode == GENERATED):
        found = None
    if mode == GENERATED:
        names = world.certificates.names(everywhere=bind != LOOPBACK)
        why = why_made(found, names, now)
        return _with(Wish(mode=mode, names=names, why=why), None if why else found)
    if request.tls is None or not is_file(request.tls):
        why = why_taken(found, None, now)
        return _with(Wish(mode=mode, why=why), None if why else found)
    key_file = request.tls_key or ""
    own = world.certificates.read(request.tls, key_file)
    why = why_taken(found, own, now)
    return _with(Wish(mode=mode, file=request.tls, key_file=key_file, why=why), own)


def _with(wish: Wish, used: Certificate | None) -> Wish:
    """Return a wish with what the certificate says that serves in the end, where it is known."""
    return wish if used is None else replace(wish, sha256=used.sha256, said=said_of(used))


def refuse_unusable(wish: Wish, *, stack: str, requested: str) -> None:
    """Refuse to go on with a certificate of the user's own that was copied once and does no more.

    Raises:
        BadFileError: It has ended, or its copy is gone.
    """
    if wish.mode != OWN or not wish.why or wish.file:
        return
    raise BadFileError(
        f"The certificate of the stack {stack!r} cannot be used any more.",
        why="It is a copy of a file of your own, which nobody named now.",
        evidence=f"{wish.why}. Nothing was changed.",
        next_step=f"{typed_up(requested, stack)} --tls CERTIFICATE   # or: --tls generated",
    )


def ensure_certificate(world: World, wish: Wish, *, stack: str, requested: str) -> None:
    """Make or copy a certificate where the one that is there does not do.

    Raises:
        BadFileError: The user's own cannot be used.
        ToolMissingError: OpenSSL is not installed.
    """
    refuse_unusable(wish, stack=stack, requested=requested)
    if not wish.why:
        return
    what = "Make a certificate" if wish.mode == GENERATED else f"Copy {wish.file}"
    with world.reporter.step(what):
        if wish.mode == GENERATED:
            world.certificates.make(stack, wish.names)
        else:
            world.certificates.take(stack, wish.file, wish.key_file)


def ensure_locked(world: World, lock: Lock) -> None:
    """Have the certificate that a lock needs, where the stack is started as it was written down.

    Raises:
        TtctlError: As `ensure_certificate`.
    """
    request = Request(model=lock.requested, name=lock.stack)
    wish = wish_of(world, request, locked=lock, bind=lock.bind or BIND)
    ensure_certificate(world, wish, stack=lock.stack, requested=lock.requested)


def at_of(world: World, stack: str, lock: Lock | LockSummary) -> At:
    """Return where a stack's gateway is asked on this machine, and how it is known."""
    if not lock.tls:
        return At(port=lock.port)
    found = world.certificates.found(stack)
    name = name_to_ask(found.names if found is not None else ())
    return At(port=lock.port, pin=Pin(file=str(world.certificates.file(stack)), name=name))


def client_file(world: World, stack: str, lock: Lock | LockSummary) -> str:
    """Return the file by which other programs know a gateway; empty where they need none."""
    if not lock.tls or (lock.tls == OWN and world.certificates.is_trusted(stack)):
        return ""
    return str(world.certificates.file(stack))
