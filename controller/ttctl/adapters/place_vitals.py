# SPDX-License-Identifier: Apache-2.0
"""What do the clock and the certificates say, and where does this place go?"""

from __future__ import annotations

import ctypes
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from huggingface_hub import constants

import ttctl
from ttctl.adapters.pip_index import default_index
from ttctl.adapters.reach import is_loopback
from ttctl.adapters.registry import mirrored
from ttctl.adapters.site import check_ca
from ttctl.errors import BadFileError
from ttctl.model.health import Destination, PlaceVitals
from ttctl.model.site import Sourced, is_on
from ttctl.rules.apt_line import uri_and_suite
from ttctl.rules.git_mirror import replacements

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ttctl.adapters.sources import Sources
    from ttctl.model.health import Use
    from ttctl.model.site import Site

_TIMEX_BYTES = 512
"""More than `struct timex` has on any Linux."""
SHIPPED = "sources.toml"
_UNSYNCHRONISED = 5
"""TIME_ERROR. Source: adjtimex(2)"""


def place_vitals(site: Site, sources: Sources, *, now: float) -> PlaceVitals:
    """Look at the clock, which says `now` (Unix time), and the CA bundle; no network is asked."""
    bundle = _bundle(site, now)
    destinations: tuple[Destination, ...] = ()
    refusal = ""
    try:
        destinations = tuple(_unique(_destinations(site, sources)))
    except BadFileError as error:
        refusal = f"{error.message} {error.evidence}"
    return PlaceVitals(
        now=now,
        installed=Path(ttctl.__file__).stat().st_mtime,
        synchronised=_is_synchronised(),
        certificates=bundle.certificates,
        expired=bundle.expired,
        not_yet=bundle.not_yet,
        ca_error=bundle.error,
        destinations=destinations,
        refusal=refusal,
    )


def _is_synchronised() -> bool | None:
    """Ask the kernel, which needs no program and no rights."""
    try:
        asked = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    except (AttributeError, OSError):
        return None
    return None if asked < 0 else asked != _UNSYNCHRONISED


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bundle:
    certificates: int = 0
    expired: int = 0
    not_yet: int = 0
    error: str = ""


def _bundle(site: Site, now: float) -> _Bundle:
    if site.ca_bundle is None:
        return _Bundle()
    try:
        check_ca(site.ca_bundle)
        found = ssl.create_default_context(cafile=site.ca_bundle.value).get_ca_certs()
    except BadFileError as error:
        return _Bundle(error=error.evidence)
    except (OSError, ValueError) as error:
        return _Bundle(error=str(error))
    ends = [ssl.cert_time_to_seconds(str(one["notAfter"])) for one in found]
    begins = [ssl.cert_time_to_seconds(str(one["notBefore"])) for one in found]
    return _Bundle(
        certificates=len(found),
        expired=sum(end < now for end in ends),
        not_yet=sum(begin > now for begin in begins),
    )


def _destinations(site: Site, sources: Sources) -> Iterator[Destination]:
    yield from _proxies(site)
    yield from _indexes(site, sources)
    for source in site.apt_sources:
        if (uri := uri_and_suite(source.value)[0]).startswith(("http://", "https://")):
            mirror = Sourced(value=uri, source=source.source)
            yield _to("package mirror", mirror, "build", "apt_sources")
    yield from _upstream(site, sources)


def _proxies(site: Site) -> Iterator[Destination]:
    for setting, proxy in (("http_proxy", site.http_proxy), ("https_proxy", site.https_proxy)):
        if proxy is not None:
            yield _to("proxy", proxy, "proxy", setting)


def _indexes(site: Site, sources: Sources) -> Iterator[Destination]:
    if not (site.pip_no_index and is_on(site.pip_no_index)):
        index = site.pip_index_url or Sourced(value=default_index(), source="pip's default")
        yield _to("package index", index, "build", "pip_index_url")
        for number, extra in enumerate(site.pip_extra_index_urls, start=2):
            yield _to(f"index {number}", extra, "sources", "pip_extra_index_urls")
        for name, url in sources.index.items():
            shipped = Sourced(value=url, source=SHIPPED)
            yield _to(f"index {name}", shipped, "sources", "wheelhouses")
    for house in site.wheelhouses:
        if "://" in house.value and not house.value.startswith("file:"):
            yield _to("wheelhouse", house, "build", "wheelhouses")
        else:
            yield _folder(house)


def _upstream(site: Site, sources: Sources) -> Iterator[Destination]:
    if site.base_image is None:
        image = mirrored(sources.base.image, site)
        host = image.partition("/")[0]
        scheme = "http" if is_loopback(host.partition(":")[0]) else "https"
        source = site.registry.source if site.registry else SHIPPED
        registry = Sourced(value=f"{scheme}://{host}/v2/", source=source)
        yield _to("image registry", registry, "base", "registry")
    mirrors = replacements(site, sources.git.values())
    for _, mirror in mirrors:
        found = Sourced(value=mirror, source=site.git_mirror[0].source)
        yield _to("git mirror", found, "sources", "git_mirror")
    for url in sources.git.values():
        if url not in {base for base, _ in mirrors}:
            yield _to("git host", Sourced(value=url, source=SHIPPED), "sources", "git_mirror")
    if site.hub_offline is None:
        hub = site.hub_endpoint or Sourced(value=constants.ENDPOINT, source="its client's default")
        yield _to("model hub", hub, "weights", "hub_endpoint")


def _to(name: str, address: Sourced, use: Use, setting: str) -> Destination:
    return Destination(
        name=name, url=address.value, source=address.source, use=use, setting=setting
    )


def _folder(house: Sourced) -> Destination:
    path = unquote(urlsplit(house.value).path) if house.value.startswith("file:") else house.value
    return Destination(
        name="wheelhouse",
        url="",
        source=house.source,
        use="build",
        setting="wheelhouses",
        path=path,
        here=Path(path).is_dir(),
    )


def _unique(found: Iterator[Destination]) -> Iterator[Destination]:
    """Yield each address once, and none that is empty."""
    seen: set[str] = set()
    for one in found:
        key = one.url or one.path
        if key and key not in seen:
            seen.add(key)
            yield one
