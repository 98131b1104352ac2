# SPDX-License-Identifier: Apache-2.0
"""What is peculiar to this place? Settings first, then what the host already says."""

from __future__ import annotations

import os
import re
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ttctl.adapters.apt_sources import host_apt_sources
from ttctl.adapters.git_config import host_git_mirrors
from ttctl.adapters.pip_config import (
    index_folders,
    is_remote,
    is_true,
    items,
    link_folders,
    read_pip,
)
from ttctl.errors import BadFileError
from ttctl.model.site import Site, Sourced
from ttctl.rules.mending import unset_site

if TYPE_CHECKING:
    from collections.abc import Mapping

_CA_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "PIP_CERT", "CURL_CA_BUNDLE")

_OF_HOST = (
    "etc/ssl/certs/ca-certificates.crt",
    "etc/pki/tls/certs/ca-bundle.crt",
    "etc/ssl/ca-bundle.pem",
)
"""Where distributions keep what they trust.

Source: https://github.com/golang/go/blob/go1.24.0/src/crypto/x509/root_linux.go
"""

_CERTIFICATE = re.compile(rb"^-----BEGIN (?:TRUSTED )?CERTIFICATE-----", re.MULTILINE)

_SEVERAL = frozenset(
    {
        "pip_extra_index_urls",
        "pip_trusted_hosts",
        "wheelhouses",
        "apt_sources",
        "git_mirror",
        "models_dir",
    }
)
_OF_PATHS = frozenset({"wheelhouses", "models_dir"})
"""Fields that hold more than one value."""

_HUB_TRUE = frozenset({"1", "on", "yes", "true"})
"""What the hub's own client takes for yes."""


def detect(
    environ: Mapping[str, str],
    *,
    root: Path = Path("/"),
    home: Path,
    prefix: Path,
    settings: Mapping[str, Sourced],
) -> Site:
    """Return the site settings: those that were given, then those of the host.

    Reads a few small files and asks no network. One program may be started: git, where a
    file of its settings has something to tell.

    Args:
        root: Where the host's file system starts. Paths that a variable or a file names are
            taken as they are.
        prefix: The Python environment whose own pip.conf counts.
        settings: By field of `Site`; an empty value switches the host's off. Several values
            in one are parted by white space (`pip_*`, `git_mirror`), line ends
            (`apt_sources`), or line ends and `:` (`wheelhouses`).

    Raises:
        BadFileError: pip's configuration cannot be read.
    """
    pip = read_pip(environ, root=root, home=home, prefix=prefix)
    site = replace(
        _of_pip(pip, home),
        http_proxy=_proxy(environ, "http", pip),
        https_proxy=_proxy(environ, "https", pip),
        no_proxy=_variable(environ, "no_proxy", "NO_PROXY"),
        ca_bundle=_variable(environ, *_CA_VARIABLES) or pip.get("cert") or _of_host(root),
        apt_sources=host_apt_sources(root),
        git_mirror=()
        if "git_mirror" in settings
        else host_git_mirrors(environ, root=root, home=home),
        hub_endpoint=_variable(environ, "HF_ENDPOINT"),
        hub_offline=_hub_offline(environ),
    )
    site = _with_settings(site, settings)
    return replace(
        site, http_proxy=_with_scheme(site.http_proxy), https_proxy=_with_scheme(site.https_proxy)
    )


def check_ca(bundle: Sourced | None) -> None:
    """Look into the CA bundle. For where it is used: what needs no network must not fail of it.

    Raises:
        BadFileError: It cannot be read, or holds no certificate.
    """
    if bundle and (found := why_no_bundle(Path(bundle.value))):
        raise BadFileError(
            f"The CA bundle {bundle.value!r} cannot be used.",
            why=f"{bundle.source} names it for every encrypted connection.",
            evidence=f"Expected a file with certificates in PEM form; found: {found}.",
            next_step=unset_site("ca_bundle", bundle.source),
        )


def why_no_bundle(path: Path) -> str:
    """Return why a file is no CA bundle, nothing where it is one."""
    try:
        return "" if _CERTIFICATE.search(path.read_bytes()) else "no certificate"
    except (OSError, ValueError) as error:
        return getattr(error, "strerror", None) or "no file"


def why_no_file(path: Path) -> str:
    """Return why nothing can be read there, nothing where it can."""
    try:
        path.open("rb").close()
    except (OSError, ValueError) as error:
        return getattr(error, "strerror", None) or "no file"
    return ""


def _variable(environ: Mapping[str, str], *names: str) -> Sourced | None:
    """Return the first variable that says something."""
    for name in names:
        if value := environ.get(name, "").strip():
            return Sourced(value=value, source=name)
    return None


def _of_host(root: Path) -> Sourced | None:
    """Return the bundle of this machine's distribution, with what its owner added.

    A build sees nothing of the machine: without it, a step whose image holds no certificates
    could speak to no index, and none could behind a proxy that the machine trusts.
    """
    found = (root / path for path in _OF_HOST)
    one = next((str(path) for path in found if path.is_file()), "")
    return Sourced(value=one, source="this machine") if one else None


def _proxy(environ: Mapping[str, str], scheme: str, pip: Mapping[str, Sourced]) -> Sourced | None:
    names = (f"{scheme}_proxy", f"{scheme.upper()}_PROXY", "all_proxy", "ALL_PROXY")
    return _variable(environ, *names) or pip.get("proxy")


def _with_scheme(proxy: Sourced | None) -> Sourced | None:
    """Spell `host:port` as an address: apt takes nothing else."""
    if proxy is None or "://" in proxy.value:
        return proxy
    return replace(proxy, value=f"http://{proxy.value}")


def _hub_offline(environ: Mapping[str, str]) -> Sourced | None:
    """Return what the hub's client was told. It says nothing about mirrors and indexes.

    Source: https://huggingface.co/docs/huggingface_hub/package_reference/environment_variables
    """
    one = _variable(environ, "HF_HUB_OFFLINE")
    return Sourced(value="1", source=one.source) if one and one.value.lower() in _HUB_TRUE else None


def _of_pip(pip: Mapping[str, Sourced], home: Path) -> Site:
    # One address as a whole, as pip has it: cut at a blank, half a password would be its port.
    index = tuple(one for one in (pip.get("index-url"),) if one is not None)
    extra = items(pip, "extra-index-url")
    remote = [one for one in (*index, *extra) if is_remote(one.value)]
    main = remote[0] if remote and index else None
    no_index = pip.get("no-index") if is_true(pip.get("no-index")) else None
    if index and not remote:
        # The host's only index is a folder: its pip asks no other, so the build's must not either.
        no_index = no_index or index[0]
    return Site(
        pip_index_url=main,
        pip_extra_index_urls=tuple(one for one in dict.fromkeys(remote) if one is not main),
        pip_no_index=replace(no_index, value="1") if no_index else None,
        pip_trusted_hosts=items(pip, "trusted-host"),
        wheelhouses=tuple(
            dict.fromkeys(
                (
                    *link_folders(items(pip, "find-links"), home),
                    *index_folders((*index, *extra), home),
                )
            )
        ),
    )


def _with_settings(site: Site, settings: Mapping[str, Sourced]) -> Site:
    changes: dict[str, Any] = {}
    for name in (field.name for field in fields(Site) if field.name in settings):
        given = settings[name]
        if name in _SEVERAL:
            changes[name] = tuple(
                Sourced(value=part, source=given.source) for part in parts(name, given.value)
            )
        else:
            changes[name] = given if given.value.strip() else None
    return replace(site, **changes)


def parts(name: str, value: str) -> list[str]:
    """Return the values that one text of a setting of several holds."""
    if name.startswith("pip_") or name == "git_mirror":
        return value.split()
    ends = rf"[\n{os.pathsep}]" if name in _OF_PATHS and "://" not in value else r"\n"
    return [part.strip() for part in re.split(ends, value) if part.strip()]
