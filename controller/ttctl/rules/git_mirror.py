# SPDX-License-Identifier: Apache-2.0
"""Which address does git ask in place of a public one, and how is git told? Pure.

Source: https://git-scm.com/docs/git-config (url.<base>.insteadOf, http.<url>.extraHeader)
"""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING

from ttctl.errors import BadFileError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ttctl.model.site import Site, Sourced

_PAIR = re.compile(r"(?P<base>https?://[^\s=]+)=(?P<mirror>https?://\S+)", re.IGNORECASE)
_ADDRESS = re.compile(r"https?://[^\s/@:]\S*", re.IGNORECASE)
_PARTS = re.compile(r"(?P<scheme>https?://)(?:(?P<login>[^/]*)@)?(?P<rest>\S*)", re.IGNORECASE)


def replacements(site: Site, hosts: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Return (public address, mirror) for each start of an address that this place replaces.

    Args:
        hosts: What a mirror replaces that names no address itself: the catalog's public hosts.

    Raises:
        BadFileError: A setting is neither a mirror nor a pair.
    """
    hosts = tuple(hosts)
    found: dict[str, str] = {}
    for one in site.git_mirror:
        if pair := _PAIR.fullmatch(one.value):
            found.setdefault(pair["base"], pair["mirror"])
        elif _ADDRESS.fullmatch(one.value):
            # A folder of repositories stands for a host, so both end alike.
            mirror = f"{one.value.rstrip('/')}/"
            for host in hosts:
                found.setdefault(host, mirror)
        else:
            raise _unlike(one)
    return tuple(found.items())


def gitconfig(site: Site, hosts: Iterable[str], *, ca_file: str) -> str:
    """Return a configuration by which git asks the mirrors and trusts the place's CA bundle.

    A mirror's name and password become a header, since git shows the address that it asks in
    the arguments of a child. The proxy is not here: it comes by the variables, one a scheme.
    """
    pairs = replacements(site, hosts)
    lines: list[str] = []
    if site.ca_bundle:
        lines += ["[http]", f"\tsslCAInfo = {_quoted(ca_file)}"]
    for base, mirror in pairs:
        address, _ = _parted(mirror)
        lines += [f"[url {_quoted(address)}]", f"\tinsteadOf = {_quoted(base)}"]
    for address, login in dict.fromkeys(_parted(mirror) for _, mirror in pairs):
        if login:
            header = f"Authorization: Basic {base64.b64encode(login).decode('ascii')}"
            lines += [f"[http {_quoted(address)}]", f"\textraHeader = {_quoted(header)}"]
    return "".join(f"{line}\n" for line in lines)


def _parted(mirror: str) -> tuple[str, bytes]:
    """Return an address without its login, and the login as it is sent: NAME:PASSWORD."""
    parts = _PARTS.fullmatch(mirror)
    if parts is None or parts["login"] is None:
        return mirror, b""
    name, _, password = parts["login"].partition(":")
    login = b":".join(map(_unescaped, (name, password)))
    return f"{parts['scheme']}{parts['rest']}", login


def _unescaped(text: str) -> bytes:
    return re.sub(rb"%([0-9A-Fa-f]{2})", lambda found: bytes([int(found[1], 16)]), text.encode())


def _quoted(text: str) -> str:
    """Write a value so that git reads it back as it was: `#` and `;` would start a comment."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _unlike(one: Sourced) -> BadFileError:
    return BadFileError(
        "The site setting 'git_mirror' holds something that git cannot ask.",
        why="A mirror is an address of its own, or stands behind the address that it replaces.",
        # The value stays out of the message: it may hold a password.
        evidence=f"{one.source}: expected https://MIRROR/ or https://HOST/=https://MIRROR/.",
        next_step="ttctl config site",
    )
