# SPDX-License-Identifier: Apache-2.0
"""Bring a catalog over HTTP: encrypted, of a bounded size, within a bounded time."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx2

from ttctl.adapters.catalog_store import LIMIT_BYTES
from ttctl.adapters.hub_transport import client, is_untrusted, within
from ttctl.adapters.reach import is_loopback
from ttctl.errors import BadFileError, OfflineError, PrivilegeError
from ttctl.rules.catalog_names import without_login
from ttctl.rules.redaction import redacted

if TYPE_CHECKING:
    from ttctl.errors import TtctlError
    from ttctl.model.site import Site

ANSWER_S = 60.0
"""How long all of it may take: 1 MB at 17 kB/s."""
REDIRECTS = 5
LENGTH_DIGITS = 20
"""No length of an answer has as many."""
SHOWN = 80
"""Characters of an answer that is none, for the evidence."""

_DENIED = frozenset({401, 403})


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came."""

    data: bytes | None
    """None where the copy that is here is still the right one."""
    etag: str


def fetch(
    url: str,
    site: Site,
    *,
    etag: str = "",
    plain: str = "",
    answer_s: float = ANSWER_S,
    limit_bytes: int = LIMIT_BYTES,
) -> Answer:
    """Return what lies at `url` now.

    Args:
        url: Where it lies; may carry a login.
        site: The proxy, the certificates, and whether a network may be used.
        etag: Of the copy that is here: an unchanged one is not sent again.
        plain: The mirror that the site names; if it is unencrypted, that is meant so.
        answer_s: Seconds until it is given up.
        limit_bytes: The largest that is read.

    Raises:
        OfflineError: It does not come, or may not be asked for.
        PrivilegeError: The server does not let this user read it.
        BadFileError: There is nothing, or more than a catalog has.
    """
    shown = without_login(url)
    if site.is_offline and not is_loopback(_host(url)):
        raise OfflineError(
            f"The catalog {shown} may not be asked for.",
            why="This place is set to use no network; a file that was brought here can be used.",
            evidence=f"Set in {site.offline.source if site.offline else ''}.",
            next_step=f"ttctl models refresh {shown.rpartition('/')[2] or 'catalog.json'}",
        )
    try:
        _check(url, plain)
        ask = partial(
            _ask, url, site, etag=etag, plain=plain, answer_s=answer_s, limit_bytes=limit_bytes
        )
        return within(answer_s + 1.0, ask)
    except TimeoutError as exc:
        raise _silent(shown, f"It was not there within {answer_s:g} s.") from exc
    except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as exc:
        if is_untrusted(exc):
            raise _untrusted(shown, redacted(str(exc))) from exc
        said = redacted(str(exc)) or type(exc).__name__
        raise _silent(shown, said) from exc


def _ask(
    url: str, site: Site, *, etag: str, plain: str, answer_s: float, limit_bytes: int
) -> Answer:
    deadline = time.monotonic() + answer_s
    headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
    headers |= {"If-None-Match": etag} if etag else {}
    with client(site) as asking:
        request = asking.build_request("GET", url, headers=headers)
        for _ in range(REDIRECTS + 1):
            response = asking.send(request, stream=True, follow_redirects=False)
            try:
                if response.next_request is None:
                    return _received(response, url, deadline=deadline, limit_bytes=limit_bytes)
                _check(str(response.next_request.url), plain, came_from=str(request.url))
                request = response.next_request
            finally:
                response.close()
    raise _silent(without_login(url), f"It was redirected more than {REDIRECTS} times.")


def _received(response: httpx2.Response, url: str, *, deadline: float, limit_bytes: int) -> Answer:
    """Read an answer to its end."""
    shown = without_login(url)
    etag = str(response.headers.get("ETag", ""))
    if response.status_code == HTTPStatus.NOT_MODIFIED:
        return Answer(data=None, etag=etag)
    _check_head(response, shown, limit_bytes)
    body = bytearray()
    for chunk in response.iter_raw():
        body += chunk
        if len(body) > limit_bytes:
            raise _too_large(shown, limit_bytes)
        if time.monotonic() > deadline:
            raise TimeoutError
    if "text/html" in response.headers.get("Content-Type", ""):
        begin = bytes(body[:SHOWN]).decode("utf-8", "replace")
        raise _silent(shown, f"A web page came, of a proxy or a login perhaps: {begin!r}")
    return Answer(data=bytes(body), etag=etag)


def _check_head(response: httpx2.Response, shown: str, limit_bytes: int) -> None:
    """Refuse what need not be read: no answer, a packed one, one that says it is too large."""
    if response.status_code != HTTPStatus.OK:
        raise _of_status(shown, response.status_code)
    if encoding := response.headers.get("Content-Encoding", ""):
        raise _silent(
            shown, f"It came packed ({redacted(encoding)[:SHOWN]}), and was not asked to."
        )
    if _declared(response) > limit_bytes:
        raise _too_large(shown, limit_bytes)


def _declared(response: httpx2.Response) -> int:
    """Return the bytes that an answer says it has, 0 where it says nothing readable."""
    said = str(response.headers.get("Content-Length", ""))
    return int(said) if said.isascii() and said.isdecimal() and len(said) < LENGTH_DIGITS else 0


def _check(url: str, plain: str, *, came_from: str = "") -> None:
    """Refuse an address that is not encrypted, unless it is this machine's or the site's mirror.

    A redirect never leads from an encrypted address to a plain one, nor from elsewhere to here.
    """
    parts, before = urlsplit(url), urlsplit(came_from)
    here = is_loopback(parts.hostname or "")
    trusted = here or (bool(plain) and _origin(url) == _origin(plain))
    fits = parts.scheme == "https" or (parts.scheme == "http" and trusted)
    if came_from:
        fits &= before.scheme == "http" or parts.scheme == "https"
        fits &= is_loopback(before.hostname or "") or not here
    if not fits:
        raise BadFileError(
            f"The catalog's address {without_login(url)} may not be used.",
            why="A catalog says what is started here, so it comes encrypted."
            if not came_from
            else f"{without_login(came_from)} redirects there, which is less than was asked for.",
            evidence="http:// is for this machine, and for the mirror that a setting names.",
            next_step="ttctl config set site.catalog_mirror https://MIRROR/",
        )


def _origin(address: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(address)
    return parts.scheme, parts.hostname, parts.port


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _of_status(shown: str, status: int) -> TtctlError:
    if status in _DENIED:
        return PrivilegeError(
            f"The server does not let this user read the catalog {shown}.",
            why="It wants a name and a password, or refuses them.",
            evidence=f"It answered {status}; NAME:PASSWORD@ may stand in the address.",
            next_step="ttctl config site",
        )
    if status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
        return BadFileError(
            f"There is no catalog at {shown}.",
            why="The release has none, or the mirror does not carry it.",
            evidence=f"It answered {status}.",
            next_step="ttctl models refresh   # the newest release",
        )
    return _silent(shown, f"It answered {status}.")


def _too_large(shown: str, limit_bytes: int) -> BadFileError:
    return BadFileError(
        f"What lies at {shown} is too large for a catalog.",
        why="It was not read to its end, and is not used.",
        evidence=f"It has more than {limit_bytes} bytes; release 0.20.0 has 1,020,331.",
        next_step="ttctl models ls",
    )


def _silent(shown: str, evidence: str) -> OfflineError:
    return OfflineError(
        f"The catalog {shown} could not be fetched.",
        why="Its server, or the way there, does not deliver it.",
        evidence=evidence,
        next_step="ttctl config site",
    )


def _untrusted(shown: str, evidence: str) -> OfflineError:
    return OfflineError(
        f"The certificate of {shown} is not trusted by the setting 'ca_bundle'.",
        why="A proxy that looks into TLS, or a mirror, signs with a CA of its own.",
        evidence=evidence,
        next_step="export TTCTL_CA_BUNDLE=/path/to/ca.pem",
    )
