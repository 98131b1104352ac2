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

_OF_PROXY = frozenset({407, 502, 503, 504})
"""What a proxy answers by itself where the host behind it was not reached."""

_log = logging.getLogger(__name__)


def reaches(url: str, site: Site) -> bool:
    """Return whether anything answers at `url` within five seconds; never raises."""
    return not why_not(url, site)


def why_not(url: str, site: Site) -> str:
    """Return why nothing answers at `url`, in words for people; empty where something does.

    Never raises, and takes five seconds at most. Any answer counts, an error too: the question is
    whether there is a way. The exceptions are what a proxy says of itself, and a refusal of the
    name and password in the address. A SOCKS proxy counts as no way, since urllib does not speak
    it. Where pip trusts a host, its certificate is not verified here either.
    """
    host = (_scheme_and_host(url) or ("", ""))[1]
    if not host:
        return "it is no web address"
    if site.is_offline and not is_loopback(host):
        return f"no network may be used: {site.offline.source if site.offline else ''} says so"
    answers: list[str] = []
    # A look-up of a name knows no limit, so the limit is put around all of it.
    asking = threading.Thread(target=lambda: answers.append(_ask(url, host, site)), daemon=True)
    asking.start()
    asking.join(_LIMIT_S)
    return answers[0] if answers else f"no answer within {_LIMIT_S:g} s"


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


def _ask(url: str, host: str, site: Site) -> str:
    proxy = proxy_for(url, site)
    if proxy is not None and not proxy.startswith(("http://", "https://")):
        return "its proxy is none that is asked by HTTP"
    login = ""
    try:
        bare, login = _without_login(url)
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}),
            urllib.request.HTTPSHandler(context=_tls(url, site)),
            _NoRedirect(),
        )
        request = urllib.request.Request(bare, method="HEAD")  # noqa: S310 - http(s) only, see above
        if login:
            request.add_unredirected_header("Authorization", login)
        if proxy is not None:
            _through(request, proxy)
        with opener.open(request, timeout=_LIMIT_S):
            return ""
    except urllib.error.HTTPError as answer:
        with answer:
            return _refusal(answer.code, plain=url.startswith("http:"), proxy=proxy, login=login)
    except (OSError, HTTPException, ValueError) as error:
        _log.debug("%s does not answer", host, exc_info=True)
        return _cause(error, site)


def _refusal(code: int, *, plain: bool, proxy: str | None, login: str) -> str:
    """Return what is wrong with an answer that is no success, empty where it shows a way."""
    if proxy is not None and plain and code in _OF_PROXY:
        return f"the proxy answered {code}"
    if login and code == HTTPStatus.UNAUTHORIZED:
        return "it answered 401: the name or the password in its address is refused"
    return ""


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
