# SPDX-License-Identifier: Apache-2.0
"""Which layers does an image in a registry have, and how large are they as they are sent?"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ttctl.adapters.registry import (
    DIGEST,
    PLATFORM,
    find_prebuilt,
    inspected,
    mirrored,
    object_in,
)
from ttctl.errors import TtctlError
from ttctl.model.prebuilt import Layer

if TYPE_CHECKING:
    from ttctl.model.prebuilt import Prebuilt
    from ttctl.model.site import Site

_RAW = ("--raw",)
_CONFIG = ("--format", "{{json .Image}}")
_PLATFORM = tuple(PLATFORM.split("/"))
_PLAIN = re.compile(r"sha256:[0-9a-f]{64}")


class BuildxRegistry:
    """Fulfils `Registry` by the functions here and those of `registry`."""

    def find(self, reference: str, site: Site) -> Prebuilt:
        """Look whether a registry has an image, by the place's mirror where it names one."""
        return find_prebuilt(reference, site)

    def mirrored(self, reference: str, site: Site) -> str:
        """Return what upstream names so as this place reaches it; nobody is asked."""
        return mirrored(reference, site)

    def layers(self, reference: str, site: Site) -> tuple[Layer, ...]:
        """Return an image's layers from the bottom up; none where no registry tells them."""
        return layers_of(reference, site)


def layers_of(reference: str, site: Site) -> tuple[Layer, ...]:
    """Return an image's layers from the bottom up; none where the registry does not tell them.

    Args:
        reference: As this place reaches it.

    Source: https://github.com/opencontainers/image-spec/blob/v1.1.0/manifest.md, `layers`, whose
    order is that of `rootfs.diff_ids` in the image's configuration.
    """
    try:
        manifest = _manifest(reference, site)
        image = _asked(_CONFIG, reference, site)
    except TtctlError:
        # Whoever pulls is told by the pull what is in the way.
        return ()
    sizes = [_size(one) for one in _list(manifest, "layers")]
    rootfs = _of_platform(image).get("rootfs")
    names = [str(one) for one in _list(rootfs if isinstance(rootfs, dict) else {}, "diff_ids")]
    if len(sizes) != len(names) or 0 in sizes or not all(map(_PLAIN.fullmatch, names)):
        return ()
    pairs = zip(names, sizes, strict=True)
    return tuple(Layer(name=name, size_bytes=size) for name, size in pairs)


def _manifest(reference: str, site: Site) -> dict[str, Any]:
    """Return the manifest of the image for our platform, where the reference is a list's too."""
    found = _asked(_RAW, reference, site)
    listed = [one for one in _list(found, "manifests") if isinstance(one, dict)]
    if not listed:
        return found
    ours = [one for one in listed if _platform(one) == _PLATFORM]
    digest = str(ours[0].get("digest", "")) if ours else ""
    if not DIGEST.fullmatch(digest):
        return {}
    host, slash, name = reference.partition("@")[0].rpartition("/")
    return _asked(_RAW, f"{host}{slash}{name.partition(':')[0]}@{digest}", site)


def _asked(form: tuple[str, ...], reference: str, site: Site) -> dict[str, Any]:
    done = inspected(reference, site, form)
    return {} if done is None else object_in(done)


def _of_platform(image: dict[str, Any]) -> dict[str, Any]:
    found = image if "rootfs" in image else image.get(PLATFORM)
    return found if isinstance(found, dict) else {}


def _platform(one: dict[str, Any]) -> tuple[str, ...]:
    named = one.get("platform")
    named = named if isinstance(named, dict) else {}
    return (str(named.get("os")), str(named.get("architecture")))


def _list(value: dict[str, Any], key: str) -> list[Any]:
    found = value.get(key)
    return found if isinstance(found, list) else []


def _size(layer: object) -> int:
    size = layer.get("size") if isinstance(layer, dict) else 0
    return size if isinstance(size, int) and size > 0 else 0
