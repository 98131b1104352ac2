# SPDX-License-Identifier: Apache-2.0
"""What does a build get to know of its place, and in which words? Pure.

Everything here becomes a BuildKit secret or a bind: it is there while a command runs, and no
layer ever holds it.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from ttctl.errors import BadFileError
from ttctl.model.site import SiteFiles
from ttctl.rules.git_mirror import gitconfig

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ttctl.model.site import Site, Sourced

SECRETS = "/run/secrets"
"""Where BuildKit mounts them."""

_RETRIES = 3
_TIMEOUT_S = 60
"""pip's own 15 seconds are short behind a proxy that scans what it passes on."""

_OFF = frozenset({"", "0", "false", "no"})


def site_files(site: Site, *, git_hosts: Iterable[str] = ()) -> SiteFiles:
    """Return the secrets and binds of a build at this place.

    An empty text means that the place needs nothing there. The CA bundle and the wheelhouses
    are named by their host paths and go in as they are.

    Args:
        git_hosts: The public git hosts that a mirror of all of them replaces.

    Raises:
        BadFileError: A value holds a line end or another character that no setting has.
    """
    for name, one in site.entries():
        _check(name, one)
    return SiteFiles(
        secrets=(
            ("site.env", _site_env(site)),
            ("pip.conf", _pip_conf(site)),
            ("apt.conf", _apt_conf(site)),
            ("sources.list", "".join(f"{one.value}\n" for one in site.apt_sources)),
            ("gitconfig", gitconfig(site, git_hosts, ca_file=f"{SECRETS}/ca.pem")),
        ),
        ca_bundle=site.ca_bundle.value if site.ca_bundle else "",
        wheelhouses=tuple(one.value for one in site.wheelhouses if "://" not in one.value),
    )


def _check(name: str, one: Sourced) -> None:
    if one.value.isprintable():
        return
    found = next(char for char in one.value if not char.isprintable())
    # The value stays out of the message: it may hold a password.
    raise BadFileError(
        f"The site setting {name!r} holds a character that cannot stand in it.",
        why="It is written into configuration files, where a line end would start a new setting.",
        evidence=f"{one.source}: expected printable characters, found {found!r}.",
        next_step="ttctl config site",
    )


def _site_env(site: Site) -> str:
    """Return shell assignments; both spellings, since programs differ in which they read."""
    found = (
        ("http_proxy", site.http_proxy),
        ("https_proxy", site.https_proxy),
        ("no_proxy", site.no_proxy),
    )
    proxies = [
        (spelling, one.value)
        for name, one in found
        if one is not None
        for spelling in (name, name.upper())
    ]
    given = [*proxies, *_of_uv(site)]
    return "".join(f"{name}={shlex.quote(value)}\n" for name, value in given)


def _of_uv(site: Site) -> list[tuple[str, str]]:
    """Return what uv is told, which reads no settings of pip's; nothing where nothing is set.

    Source: https://docs.astral.sh/uv/reference/environment/
    """
    index = site.pip_index_url.value if site.pip_index_url else ""
    links = (one.value for one in site.wheelhouses if "://" in one.value)
    found = (
        ("UV_INDEX_URL", index),
        ("UV_EXTRA_INDEX_URL", " ".join(one.value for one in site.pip_extra_index_urls)),
        ("UV_FIND_LINKS", ",".join(links)),
        ("UV_INSECURE_HOST", " ".join(one.value for one in site.pip_trusted_hosts)),
        ("UV_NO_INDEX", "1" if _no_index(site) else ""),
    )
    return [(name, value) for name, value in found if value]


def _no_index(site: Site) -> bool:
    one = site.pip_no_index
    return one is not None and one.value.lower() not in _OFF


def _pip_conf(site: Site) -> str:
    lines = ["[global]", f"timeout = {_TIMEOUT_S}", f"retries = {_RETRIES}"]
    if site.pip_index_url:
        lines += _pip_option("index-url", [site.pip_index_url])
    lines += _pip_option("extra-index-url", site.pip_extra_index_urls)
    lines += _pip_option("trusted-host", site.pip_trusted_hosts)
    # Host folders never stand here: the recipe names the wheelhouse that they are bound to.
    lines += _pip_option("find-links", [one for one in site.wheelhouses if "://" in one.value])
    if _no_index(site):
        lines.append("no-index = true")
    return "\n".join(lines) + "\n"


def _pip_option(name: str, values: Iterable[Sourced]) -> list[str]:
    for one in (values := tuple(values)):
        if " " in one.value:
            raise BadFileError(
                f"The package index setting {name!r} holds a space.",
                why="pip parts several values by spaces.",
                evidence=f"{one.source}: expected one address or host name.",
                next_step="ttctl config site",
            )
    match values:
        case ():
            return []
        case (one,):
            return [f"{name} = {one.value}"]
        case several:
            return [f"{name} =", *(f"    {one.value}" for one in several)]


def _apt_conf(site: Site) -> str:
    lines = [f'Acquire::Retries "{_RETRIES}";']
    if site.apt_sources:
        lines += [
            f'Dir::Etc::sourcelist "{SECRETS}/sources.list";',
            'Dir::Etc::sourceparts "-";',
        ]
    for scheme, proxy in (("http", site.http_proxy), ("https", site.https_proxy)):
        if proxy:
            lines.append(f'Acquire::{scheme}::Proxy "{_apt_quoted(proxy.value)}";')
    if site.ca_bundle:
        lines.append(f'Acquire::https::CAInfo "{SECRETS}/ca.pem";')
    return "\n".join(lines) + "\n"


def _apt_quoted(address: str) -> str:
    """Write an address so that apt reads it back as it was.

    Between quotes apt knows no escape at all: only the quote itself cannot stand there, and in
    an address it has another spelling.

    Source: https://github.com/Debian/apt/blob/2.6.1/apt-pkg/contrib/strutl.cc (ParseCWord)
    """
    return address.replace('"', "%22")
