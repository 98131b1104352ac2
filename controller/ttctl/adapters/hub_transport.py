# SPDX-License-Identifier: Apache-2.0
"""How this site reaches the model hub, and how one file comes over HTTP."""

from __future__ import annotations

import re
import ssl
import threading
from concurrent.futures import Future
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeVar

import httpx2

from ttctl.adapters.reach import proxy_for
from ttctl.adapters.site import check_ca
from ttctl.errors import BadFileError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from ttctl.model.lock import LockedFile
    from ttctl.model.site import Site, Sourced

TIMEOUT = httpx2.Timeout(30.0, connect=10.0)

_TRANSIENT = frozenset({408, 416, 429, 500, 502, 503, 504})
_NAMES_ERROR = frozenset({"x-error-code", "x-error-message"})
_CONTENT_ID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_T = TypeVar("_T")


class WrongAnswerError(Exception):
    """The server sent something that is not the file."""


class WebPageError(WrongAnswerError):
    """Something in between answered with a page for people: a login, a filter's notice."""


def client(site: Site) -> httpx2.Client:
    """Return a client with the site's proxy and certificates; the environment is not read again.

    Raises:
        BadFileError: The CA bundle cannot be read, or a proxy's address means nothing.
    """
    check_ca(site.ca_bundle)
    context = httpx2.create_ssl_context()
    if site.ca_bundle is not None:
        try:
            context.load_verify_locations(cafile=site.ca_bundle.value)
        except OSError as exc:
            raise BadFileError(
                f"The CA bundle {site.ca_bundle.value!r} cannot be used.",
                why=f"It is set in {site.ca_bundle.source}.",
                evidence=exc.strerror or str(exc),
                next_step="ttctl config site",
            ) from exc
    ways = {scheme: _proxied(setting, context) for scheme, setting in _proxies(site) if setting}
    transport = ByPlace(site, httpx2.HTTPTransport(verify=context), ways)
    return httpx2.Client(
        transport=transport, trust_env=False, follow_redirects=True, timeout=TIMEOUT
    )


class ByPlace(httpx2.BaseTransport):
    """Sends each request the way that the site says: one rule for all that asks by HTTP."""

    def __init__(
        self,
        site: Site,
        direct: httpx2.BaseTransport,
        proxied: Mapping[str, httpx2.BaseTransport],
    ) -> None:
        """`proxied` holds the way through a proxy, by scheme."""
        self._site = site
        self._direct = direct
        self._proxied = proxied

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send it."""
        through = proxy_for(str(request.url), self._site) is not None
        way = self._proxied.get(request.url.scheme) if through else None
        return (way or self._direct).handle_request(request)

    def close(self) -> None:
        """Close every way."""
        for one in (self._direct, *self._proxied.values()):
            one.close()


def _proxies(site: Site) -> tuple[tuple[str, Sourced | None], ...]:
    return (("http", site.http_proxy), ("https", site.https_proxy))


def _proxied(setting: Sourced, context: ssl.SSLContext) -> httpx2.BaseTransport:
    address = setting.value if "://" in setting.value else f"http://{setting.value}"
    try:
        own = context if address.startswith("https:") else None
        proxy = httpx2.Proxy(address, ssl_context=own)
        return httpx2.HTTPTransport(verify=context, proxy=proxy)
    except (ValueError, ImportError, httpx2.InvalidURL) as exc:
        raise BadFileError(
            "The proxy cannot be used.",
            why=f"It is set in {setting.source}.",
            evidence=f"{type(exc).__name__}; expected http://HOST:PORT.",
            next_step="ttctl config site",
        ) from exc


def endpoint(address: str, source: str) -> str:
    """Return the hub's address without a slash at its end.

    Raises:
        BadFileError: It is no web address.
    """
    try:
        url = httpx2.URL(address)
    except httpx2.InvalidURL:
        url = httpx2.URL()
    if url.scheme not in {"http", "https"} or not url.host:
        raise BadFileError(
            "The model hub's address cannot be used.",
            why=f"It is set in {source}.",
            evidence="Expected https://HOST[:PORT][/PATH].",
            next_step="ttctl config site",
        )
    return address.rstrip("/")


def receive(
    response: httpx2.Response,
    file: LockedFile,
    target: Path,
    on_bytes: Callable[[int], None],
    *,
    commit: str,
) -> str:
    """Write an answer's body behind what is there; return the hub's name for the content.

    Raises:
        WrongAnswerError: It is not this file of this commit, as far as the answer tells.
    """
    content_id = _content_id(response, commit)
    if response.status_code != HTTPStatus.PARTIAL_CONTENT:
        forget(target, on_bytes)
    start = size(target)
    _check_announcement(response, file, start)
    with target.open("ab") as out:
        for chunk in response.iter_bytes():
            start += len(chunk)
            if start > file.size_bytes:
                raise WrongAnswerError(f"more than the lock's {file.size_bytes} bytes came")
            out.write(chunk)
            on_bytes(len(chunk))
    if start != file.size_bytes:
        raise WrongAnswerError(f"{start} bytes came, the lock says {file.size_bytes}")
    return content_id


def size(target: Path) -> int:
    """Return how many bytes of the file are here."""
    return target.stat().st_size if target.exists() else 0


def forget(target: Path, on_bytes: Callable[[int], None]) -> None:
    """Remove what is here and take it back from the count."""
    on_bytes(-size(target))
    target.unlink(missing_ok=True)


def pause_s(response: httpx2.Response | None, failures: int) -> float | None:
    """Return after how many seconds another try makes sense, None where it never does."""
    if response is None:
        return 0.5 * 2.0**failures
    if response.status_code not in _TRANSIENT:
        return None
    after = str(response.headers.get("Retry-After", "")).strip()
    return float(after) if after.isdecimal() else 0.5 * 2.0**failures


def is_of_hub(response: httpx2.Response) -> bool:
    """Return whether a failure is the hub's own word, not that of a filter in between.

    The hub names each error or at least the request, and sends no page for people with it.

    Source: https://github.com/huggingface/huggingface_hub/blob/main/src/huggingface_hub/utils/_http.py
    """
    if _NAMES_ERROR & {name.lower() for name in response.headers}:
        return True
    page = "text/html" in response.headers.get("Content-Type", "")
    return "X-Request-Id" in response.headers and not page


def is_untrusted(error: BaseException | None) -> bool:
    """Return whether a failure comes of a certificate that nobody here vouches for."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False


def within(seconds: float, ask: Callable[[], _T]) -> _T:
    """Return what `ask` returns, or give up on it.

    A thread, because a client's time-outs hold for one connect or read each and a name look-up
    has none at all.

    Raises:
        TimeoutError: It took longer.
    """
    answer: Future[_T] = Future()

    def run() -> None:
        try:
            answer.set_result(ask())
        except BaseException as exc:  # noqa: BLE001 - it is raised again where the caller waits
            answer.set_exception(exc)

    threading.Thread(target=run, daemon=True).start()
    return answer.result(timeout=seconds)


def _check_announcement(response: httpx2.Response, file: LockedFile, start: int) -> None:
    if "text/html" in response.headers.get("Content-Type", "") and not file.path.endswith(".html"):
        raise WebPageError("a web page came instead of the file")
    if "Content-Encoding" in response.headers or "Content-Length" not in response.headers:
        return
    total = start + int(response.headers["Content-Length"])
    if total != file.size_bytes:
        raise WrongAnswerError(f"{total} bytes are offered, the lock says {file.size_bytes}")


def _content_id(response: httpx2.Response, commit: str) -> str:
    """Return the hash in the hub's own answer; what it redirects to may name other things."""
    for one in (*response.history, response):
        if "X-Repo-Commit" not in one.headers:
            continue
        if one.headers["X-Repo-Commit"] != commit:
            raise WrongAnswerError(f"it is of the commit {one.headers['X-Repo-Commit']!r}")
        tag = str(one.headers.get("X-Linked-Etag") or one.headers.get("ETag", ""))
        found = tag.removeprefix("W/").strip('"')
        if _CONTENT_ID.fullmatch(found):
            return found
    return ""
