# SPDX-License-Identifier: Apache-2.0
"""When is a certificate made anew, and which of its names is asked for? Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ttctl.model.plan import Step
from ttctl.model.tls import GENERATED, NONE, PORT
from ttctl.rules.stack import GATEWAY_SERVICE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ttctl.model.service import Stack
    from ttctl.model.spec import Request
    from ttctl.model.tls import Certificate, Tls, Wish

DAYS = 365
"""For which one is generated."""
RENEWED_DAYS = 30
"""Before its end: a stack that is brought up once a month never meets that."""
DAY_S = 86400
SUBJECT = "gateway certificate"
OURS = ("127.0.0.1", "localhost")
"""Names by which this machine reaches itself without asking anybody."""


def mode_of(said: str | None, locked: Tls) -> Tls:
    """Return whose certificate is meant; None says: as it is locked."""
    match said:
        case None:
            return locked
        case "none":
            return ""
        case "generated":
            return "generated"
        case _:
            return "own"


def is_file(said: str | None) -> bool:
    """Return whether what was said names a certificate of the user's own."""
    return said not in {None, NONE, GENERATED}


def key_of(request: Request) -> str:
    """Return the file of a certificate's key; empty where it is in the certificate's.

    One that a setting says belongs to the file that a setting says, and to nothing else.
    """
    filled = request.from_settings
    if "tls_key" in filled and not ("tls" in filled and is_file(request.tls)):
        return ""
    return request.tls_key or ""


def why_made(found: Certificate | None, names: Sequence[str], now: int) -> str:
    """Return why a certificate is generated; empty where the one that is there does.

    Args:
        found: It; None for none.
        names: What it has to name.
        now: Seconds since 1970.
    """
    if found is None:
        return "none was made yet"
    if now > found.until:
        return f"it ended on {found.ends}"
    if found.until - now < RENEWED_DAYS * DAY_S:
        return f"it ends on {found.ends}"
    missing = [one for one in names if one not in found.names]
    return f"it does not name {', '.join(missing)}" if missing else ""


def why_taken(found: Certificate | None, own: Certificate | None, now: int) -> str:
    """Return why the user's own is copied, or cannot be used on; empty where all is well.

    Args:
        found: The copy; None for none.
        own: The file that was named; None where none was named now.
        now: Seconds since 1970.
    """
    if own is not None:
        same = found is not None and found.sha256 == own.sha256
        return "" if same else "it is another than before" if found else "none was copied yet"
    if found is None:
        return "its copy is not here"
    return f"it ended on {found.ends}" if now > found.until else ""


def why_put(used: Certificate | None) -> str:
    """Return why one that is kept is put in its place; `used` is what is there."""
    return "none is in its place" if used is None else "another one is in its place"


def name_to_ask(names: Sequence[str]) -> str:
    """Return the name by which a client of this machine asks for a certificate."""
    plain = [one for one in names if not one.startswith("*.")]
    first = next((one for one in OURS if one in plain), "") or next(iter(plain), "")
    # Whatever stands for the `*` is one of its names.
    return first or next((f"ttctl{one[1:]}" for one in names), "localhost")


def said_of(found: Certificate) -> str:
    """Say whom a certificate is for, and until when."""
    return f"for {', '.join(found.names)}, until {found.ends}"


def certificate_steps(wish: Wish) -> tuple[Step, ...]:
    """Return what is done for a gateway's certificate; nothing for one that is not encrypted."""
    match wish.mode:
        case "":
            return ()
        case _ if not wish.why:
            return (Step(verb="skip", subject=SUBJECT, reason=f"it is {wish.said}"),)
        case _ if wish.put:
            reason = f"{wish.why}: the one that is kept is used, {wish.said}"
        case "generated":
            reason = f"{wish.why}: one is made for {', '.join(wish.names)}, for {DAYS} days"
        case _ if wish.file:
            reason = f"{wish.why}: {wish.file} is copied, {wish.said}; its key belongs to it"
        case _:
            reason = f"{wish.why}: --tls names another"
    return (Step(verb="key", subject=SUBJECT, reason=reason),)


def with_door(stack: Stack, wish: Wish) -> Stack:
    """Return the stack with a gateway that is encrypted; another certificate makes another one."""
    if not wish.mode:
        return stack
    doors = (
        replace(one, publish=PORT, inputs=(*one.inputs, ("certificate", wish.sha256)))
        if one.name == GATEWAY_SERVICE
        else one
        for one in stack.services
    )
    return replace(stack, services=tuple(doors))


def has_door(stack: Stack) -> bool:
    """Return whether a stack's gateway is encrypted."""
    return any(one.name == GATEWAY_SERVICE and one.publish == PORT for one in stack.services)


def door_values(wish: Wish) -> dict[str, object]:
    """Return what compose/gateway/haproxy.cfg.j2 is rendered with besides."""
    return {"tls": PORT} if wish.mode else {}
