# SPDX-License-Identifier: Apache-2.0
"""Does anything answer at an address? With urllib: one question needs no HTTP library."""

from __future__ import annotations

import base64
import ipaddress
import logging
import ssl
import threading
import urllib.error
import urllib.request
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPException
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from urllib.parse import SplitResult

    from ttctl.model.site import Site

LOOPBACK = ("localhost", "127.0.0.1", "::1")
"""Never asked through a proxy."""

_LIMIT_S = 5.0

_REGISTRY = "/v2/"
"""Where an image registry tells everybody 401 first, and where to get a token.

Source: https://distribution.github.io/distribution/spec/auth/token/
"""

_OF_PROXY = frozenset({407, 502, 503, 504})
"""What a proxy answers by itself where the host behind it was not reached."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """What came of a question."""

    came: bool
    """Whether the host said anything: an error shows a way, too."""
    trouble: str = ""


def reaches(url: str, site: Site) -> bool:
    """Return whether anything answers at `url` within five seconds; never raises.

    Any answer counts, an error too: the question is whether there is a way. The exception is
    what a proxy says of itself. A SOCKS proxy counts as no way, since urllib does not speak it.
    Where pip trusts a host, its certificate is not verified here either.
    """
    return _answer(url, site).came


def why_not(url: str, site: Site) -> str:
    """Return why what lies at `url` cannot be had, in words for people; empty where it can.

    As `reaches`, but a host that wants a name and a password, or refuses them, is no way.
    """
    return _answer(url, site).trouble


def _answer(url: str, site: Site) -> _Answer:
    host = (_scheme_and_host(url) or ("", ""))[1]
    if not host:
        return _Answer(came=False, trouble="it is no web address")
    if site.is_offline and not is_loopback(host):
        source = site.offline.source if site.offline else ""
        return _Answer(came=False, trouble=f"no network may be used: {source} says so")
    answers: list[_Answer] = []
    # A look-up of a name knows no limit, so the limit is put around all of it.
    asking = threading.Thread(target=lambda: answers.append(_ask(url, host, site)), daemon=True)
    asking.start()
    asking.join(_LIMIT_S)
    silence = _Answer(came=False, trouble=f"no answer within {_LIMIT_S:g} s")
    return answers[0] if answers else silence


def _scheme_and_host(url: str) -> tuple[str, str] | None:
    """Return (scheme, host) of an HTTP address, None for anything else."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return None
    return parts.scheme, parts.hostname


def is_loopback(host: str) -> bool:
    """Return whether a host name means this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def proxy_for(url: str, site: Site) -> str | None:
    """Return the proxy that `url` is asked through, None for the direct way."""
    parts = _scheme_and_host(url)
    if parts is None:
        return None
    scheme, host = parts
    one = site.http_proxy if scheme == "http" else site.https_proxy
    if one is None or is_loopback(host) or _is_exempt(host, site):
        return None
    return one.value


def _is_exempt(host: str, site: Site) -> bool:
    """Return whether `no_proxy` names the host, its domain or its network."""
    exempt = site.no_proxy.value if site.no_proxy else ""
    for part in (part.strip().lower() for part in exempt.split(",")):
        domain = part.removeprefix("*").removeprefix(".").partition(":")[0]
        if part == "*" or (domain and (host == domain or host.endswith(f".{domain}"))):
            return True
        if part and _is_in(host, part):
            return True
    return False


def _is_in(host: str, network: str) -> bool:
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Takes a redirect for the answer that it is."""

    def redirect_request(self, *_: object) -> None:
        """Follow nothing."""


def _through(request: urllib.request.Request, proxy: str) -> None:
    """Send `request` through `proxy`.

    Not by urllib's own handler: that one reads the variables of this process again.
    """
    parts = urlsplit(proxy)
    request.set_proxy(parts.netloc.rpartition("@")[2], parts.scheme)
    if parts.username is not None:
        request.add_header("Proxy-Authorization", _basic(parts))


def _is_trusted(url: str, site: Site) -> bool:
    """Return whether pip is told to take this host's certificate as it is.

    Source: https://pip.pypa.io/en/stable/cli/pip/#cmdoption-trusted-host (HOST or HOST:PORT)
    """
    asked = urlsplit(url)
    for one in site.pip_trusted_hosts:
        try:
            trusted = urlsplit(f"//{one.value}")
            if trusted.hostname == asked.hostname and trusted.port in {None, asked.port or 443}:
                return True
        except ValueError:
            continue
    return False


def _tls(url: str, site: Site) -> ssl.SSLContext:
    if _is_trusted(url, site):
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    return ssl.create_default_context(cafile=site.ca_bundle.value if site.ca_bundle else None)


def _without_login(url: str) -> tuple[str, str]:
    """Return an address without its name and password, and these as a header's value."""
    parts = urlsplit(url)
    if parts.username is None:
        return url, ""
    bare = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    return bare, _basic(parts)


def _basic(parts: SplitResult) -> str:
    pair = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
    return f"Basic {base64.b64encode(pair.encode()).decode('ascii')}"


def _ask(url: str, host: str, site: Site) -> _Answer:
    proxy = proxy_for(url, site)
    if proxy is not None and not proxy.startswith(("http://", "https://")):
        return _Answer(came=False, trouble="its proxy is none that is asked by HTTP")
    login = ""
    # A broken CA bundle is no matter of a plain connection.
    needs_tls = any(one and one.startswith("https:") for one in (url, proxy))
    try:
        bare, login = _without_login(url)
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}),
            *([urllib.request.HTTPSHandler(context=_tls(url, site))] if needs_tls else []),
            _NoRedirect(),
        )
        request = urllib.request.Request(bare, method="HEAD")  # noqa: S310 - http(s) only, see above
        if login:
            request.add_unredirected_header("Authorization", login)
        if proxy is not None:
            _through(request, proxy)
        with opener.open(request, timeout=_LIMIT_S):
            return _Answer(came=True)
    except urllib.error.HTTPError as answer:
        with answer:
            if proxy is not None and url.startswith("http:") and answer.code in _OF_PROXY:
                return _Answer(came=False, trouble=f"the proxy answered {answer.code}")
            return _Answer(came=True, trouble=_refusal(answer.code, url, login))
    except (OSError, HTTPException, ValueError) as error:
        _log.debug("%s does not answer", host, exc_info=True)
        return _Answer(came=False, trouble=_cause(error, site))


def _refusal(code: int, url: str, login: str) -> str:
    if code != HTTPStatus.UNAUTHORIZED or (not login and urlsplit(url).path == _REGISTRY):
        return ""
    if login:
        return "it answered 401: the name or the password in its address is refused"
    return "it answered 401: it wants a name and a password, NAME:PASSWORD@ in its address"


def _cause(error: Exception, site: Site) -> str:
    """Return what a failed connection says, without a part of the address."""
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(reason, ssl.SSLCertVerificationError):
        named = f"{site.ca_bundle.value} of {site.ca_bundle.source}" if site.ca_bundle else "unset"
        return (
            f"its certificate is not trusted ({reason.verify_message}); "
            f"the setting ca_bundle is {named}"
        )
    if isinstance(reason, OSError):
        return reason.strerror or str(reason) or type(reason).__name__
    return type(error).__name__
