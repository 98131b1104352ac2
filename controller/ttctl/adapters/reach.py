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
from http.client import HTTPException
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from ttctl.model.site import Site

_LIMIT_S = 5.0

_OF_PROXY = frozenset({407, 502, 503, 504})
"""What a proxy answers by itself where the host behind it was not reached."""

_log = logging.getLogger(__name__)


def reaches(url: str, site: Site) -> bool:
    """Return whether anything answers at `url` within five seconds; never raises.

    Any answer counts, an error too: the question is whether there is a way. The exception is
    what a proxy says of itself. A SOCKS proxy counts as no way, since urllib does not speak it.
    Where pip trusts a host, its certificate is not verified here either.
    """
    host = (_scheme_and_host(url) or ("", ""))[1]
    if not host or (site.is_offline and not is_loopback(host)):
        return False
    answers: list[bool] = []
    # A look-up of a name knows no limit, so the limit is put around all of it.
    asking = threading.Thread(target=lambda: answers.append(_ask(url, host, site)), daemon=True)
    asking.start()
    asking.join(_LIMIT_S)
    return answers == [True]


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
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        word = base64.b64encode(pair.encode()).decode("ascii")
        request.add_header("Proxy-Authorization", f"Basic {word}")


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


def _ask(url: str, host: str, site: Site) -> bool:
    proxy = proxy_for(url, site)
    if proxy is not None and not proxy.startswith(("http://", "https://")):
        return False
    try:
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}),
            urllib.request.HTTPSHandler(context=_tls(url, site)),
            _NoRedirect(),
        )
        request = urllib.request.Request(url, method="HEAD")  # noqa: S310 - http(s) only, see above
        if proxy is not None:
            _through(request, proxy)
        with opener.open(request, timeout=_LIMIT_S):
            return True
    except urllib.error.HTTPError as answer:
        with answer:
            of_proxy = proxy is not None and url.startswith("http:") and answer.code in _OF_PROXY
            return not of_proxy
    except (OSError, HTTPException, ValueError):
        _log.debug("%s does not answer", host, exc_info=True)
        return False
