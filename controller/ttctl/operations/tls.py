# SPDX-License-Identifier: Apache-2.0
"""Which certificate does a stack's gateway show, and how do clients of ours know it?"""

from __future__ import annotations

import shlex
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from ttctl.errors import BadFileError, TtctlError, UsageError
from ttctl.model.service import LOOPBACK
from ttctl.model.spec import Request
from ttctl.model.tls import GENERATED, OWN, At, Pin, Wish
from ttctl.operations.undo import undoing
from ttctl.rules.stack import BIND, GATEWAY_SERVICE, stack_name
from ttctl.rules.tls import (
    is_file,
    key_of,
    mode_of,
    name_to_ask,
    said_of,
    why_made,
    why_put,
    why_taken,
)
from ttctl.rules.typed_request import typed, typed_up

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ttctl.model.lock import Lock
    from ttctl.model.lock_summary import LockSummary
    from ttctl.model.protocols import World


def wish_of(world: World, request: Request, *, locked: Lock | None, bind: str) -> Wish:
    """Return what is wanted of a stack's certificate; nothing is made or copied.

    Raises:
        BadFileError: The user's own cannot be used.
        UsageError: A key was named without its certificate.
    """
    mode = mode_of(request.tls, locked.tls if locked is not None else "")
    key_file = key_of(request)
    if key_file and not is_file(request.tls):
        raise UsageError(
            "A key was named without its certificate.",
            why="--tls-key is for the key of the certificate that --tls names.",
            evidence=f"--tls-key {key_file}, --tls {request.tls or 'is not said'}",
            next_step=f"ttctl up {shlex.quote(request.model)} --tls CERTIFICATE --tls-key KEY",
        )
    if not mode:
        return Wish()
    stack, now = stack_name(request), world.clock.epoch()
    kept, used = world.certificates.kept(stack, mode), world.certificates.found(stack)
    if mode == GENERATED:
        names = world.certificates.names(everywhere=bind != LOOPBACK)
        wish, serves = Wish(mode=mode, names=names, why=why_made(kept, names, now)), kept
    elif request.tls is None or not is_file(request.tls):
        wish, serves = Wish(mode=mode, why=why_taken(kept, None, now)), kept
    else:
        serves = world.certificates.read(request.tls, key_file)
        why = why_taken(kept, serves, now)
        wish = Wish(mode=mode, file=request.tls, key_file=key_file, why=why)
    if serves is None or (wish.why and not wish.file):
        return wish
    if not wish.why and (used is None or used.sha256 != serves.sha256):
        wish = replace(wish, why=why_put(used), put=True)
    return replace(wish, sha256=serves.sha256, said=said_of(serves))


def refuse_unusable(wish: Wish, *, stack: str, requested: str) -> None:
    """Refuse to go on with a certificate of the user's own that was copied once and does no more.

    Raises:
        BadFileError: It has ended, or its copy is gone.
    """
    if wish.mode != OWN or not wish.why or wish.file or wish.put:
        return
    raise BadFileError(
        f"The certificate of the stack {stack!r} cannot be used any more.",
        why="It is a copy of a file of your own, which nobody named now.",
        evidence=f"{wish.why}. Nothing was changed.",
        next_step=f"{typed_up(requested, stack)} --tls CERTIFICATE   # or: --tls generated",
    )


def refuse_locked(world: World, lock: Lock) -> None:
    """Refuse to go back to a lock whose certificate of the user's own does no more; only a look.

    Raises:
        BadFileError: As `refuse_unusable`.
    """
    refuse_unusable(_locked(world, lock), stack=lock.stack, requested=lock.requested)


def ensure_certificate(world: World, wish: Wish, *, stack: str, requested: str) -> bool:
    """Make a certificate, copy it or put it in its place, where the one that is used does not do.

    Returns:
        Whether another one is in use now.

    Raises:
        BadFileError: The user's own cannot be used.
        ToolMissingError: OpenSSL is not installed.
    """
    refuse_unusable(wish, stack=stack, requested=requested)
    if not wish.why:
        return False
    made = "Make a certificate" if wish.mode == GENERATED else f"Copy {wish.file}"
    with world.reporter.step(f"Use the {wish.mode} certificate" if wish.put else made):
        if wish.put:
            world.certificates.use(stack, wish.mode)
        elif wish.mode == GENERATED:
            world.certificates.make(stack, wish.names)
        else:
            world.certificates.take(stack, wish.file, wish.key_file)
    return True


def ensure_first(world: World, request: Request, wish: Wish) -> bool:
    """Have a certificate for what is not started, where the stack keeps none at all.

    One that is there is left alone: a gateway may show it, and clients know that gateway by it.

    Returns:
        Whether there is one now that was not there.

    Raises:
        TtctlError: As `ensure_certificate`.
    """
    stack, found = stack_name(request), world.certificates
    if not wish.why:
        return False
    if found.found(stack) or found.kept(stack, OWN) or found.kept(stack, GENERATED):
        line = typed("up", request)
        world.reporter.note(f"{stack} keeps its certificate ({wish.why}). `{line}` changes it.")
        return False
    return ensure_certificate(world, wish, stack=stack, requested=request.model)


def ensure_locked(world: World, lock: Lock) -> bool:
    """Have the certificate that a lock needs, where the stack is started as it was written down.

    Returns:
        Whether another one is in use now.

    Raises:
        TtctlError: As `ensure_certificate`.
    """
    wish = _locked(world, lock)
    return ensure_certificate(world, wish, stack=lock.stack, requested=lock.requested)


@contextmanager
def known_by_its_own(world: World, stack: str) -> Iterator[None]:
    """Have clients know the gateway that is there by the certificate that it shows.

    Where the block fails before the gateway was made anew, its certificate is put back. One that is
    near its end is renewed the next time.

    Args:
        world: Everything outside.
        stack: Whose certificate the block may replace, under the stack's lock.

    Raises:
        TtctlError: What the block raised.
    """
    held, gateway = world.certificates.held(stack), _gateway(world, stack)
    try:
        yield
    except BaseException:
        if gateway and _gateway(world, stack, unknown=gateway) == gateway:
            with undoing(world, f"{stack} is not known by its certificate"):
                world.certificates.put_back(held)
        raise


def _gateway(world: World, stack: str, *, unknown: str = "") -> str:
    """Return the container that shows a certificate; `unknown` where the engine does not answer."""
    try:
        seen = world.engine.containers(stack)
    except TtctlError:
        return unknown
    return next((one.container_id for one in seen if one.service == GATEWAY_SERVICE), "")


def _locked(world: World, lock: Lock) -> Wish:
    request = Request(model=lock.requested, name=lock.stack)
    return wish_of(world, request, locked=lock, bind=lock.bind or BIND)


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
