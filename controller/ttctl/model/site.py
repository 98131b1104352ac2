# SPDX-License-Identifier: Apache-2.0
"""What is peculiar to this place: mirrors, proxies, certificates. Values only."""

from __future__ import annotations

from dataclasses import dataclass, field, fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Sourced:
    """A setting and where it was found."""

    value: str
    source: str
    """`HTTPS_PROXY`, a file's path, or `default`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteEntry:
    """One setting of the site as it is shown: without passwords."""

    name: str
    value: str
    source: str


def is_on(switch: Sourced) -> bool:
    """Return whether a switch says yes."""
    return switch.value.lower() not in {"", "0", "false", "no", "off"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Everything that differs from one place to another. Empty means: not set here."""

    http_proxy: Sourced | None = None
    https_proxy: Sourced | None = None
    no_proxy: Sourced | None = None
    ca_bundle: Sourced | None = None
    """Path of a PEM file on the host."""
    pip_index_url: Sourced | None = None
    pip_extra_index_urls: tuple[Sourced, ...] = ()
    """Further indexes reached by HTTP; an index in a host folder counts as a wheelhouse."""
    pip_no_index: Sourced | None = None
    """`1` where pip may ask no index at all, only the wheelhouses."""
    pip_trusted_hosts: tuple[Sourced, ...] = ()
    wheelhouses: tuple[Sourced, ...] = ()
    """Host folders (or URLs) that pip's find-links names."""
    apt_sources: tuple[Sourced, ...] = ()
    """One-line package sources for the base image's distribution and release."""
    registry: Sourced | None = None
    """Mirror of the public image registry, `host[:port][/path]`."""
    git_mirror: tuple[Sourced, ...] = ()
    """`https://MIRROR/` in place of all public git hosts, or `https://HOST/=https://MIRROR/`."""
    hub_endpoint: Sourced | None = None
    hub_offline: Sourced | None = None
    """`1` where only the model hub may not be asked; everything else may."""
    token_file: Sourced | None = None
    """A file with the hub's token; without it the hub's own variables and login count."""
    models_dir: tuple[Sourced, ...] = ()
    """Folders in which a user keeps models, each by its name."""
    base_image: Sourced | None = None
    """Image reference to build on, in place of the pulled or bootstrapped one."""
    engine_image: Sourced | None = None
    """Prebuilt vLLM image for the cpu target, in place of the built one."""
    vllm_requirements: Sourced | None = None
    """Requirements file with hashes that replaces the built-in one of the vLLM image."""
    catalog: Sourced | None = None
    """The catalog to use: a file, an address, a release that was fetched, or `built-in`."""
    catalog_mirror: Sourced | None = None
    """Mirror of the host that upstream's catalogs are fetched from, `https://HOST[/PATH]`."""
    offline: Sourced | None = None
    """`1` where no network may be used."""

    @property
    def is_offline(self) -> bool:
        """Whether no network may be used."""
        return self.offline is not None and is_on(self.offline)

    def entries(self) -> tuple[tuple[str, Sourced], ...]:
        """Return each setting that is set here, by name, in the order above."""
        found: list[tuple[str, Sourced]] = []
        for entry in fields(self):
            value = getattr(self, entry.name)
            values = value if isinstance(value, tuple) else (value,)
            found.extend((entry.name, one) for one in values if one is not None)
        return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteFiles:
    """What a build gets as secrets and binds, by secret id."""

    secrets: tuple[tuple[str, str], ...]
    """(id, text); an empty text means that the place needs nothing there."""
    ca_bundle: str = ""
    """Host path of the CA bundle, empty for none."""
    wheelhouses: tuple[str, ...] = field(default_factory=tuple)
    """Host folders whose matching wheels go into the build."""
