# SPDX-License-Identifier: Apache-2.0
"""Which digest does an image have in a registry, and what does a registry's refusal mean?

buildx asks for the digest and does so as this user: with the logins of `docker login`, and the
proxy and certificates of the site. The engine pulls, with settings of its own.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ttctl.adapters.process import run
from ttctl.errors import (
    BadFileError,
    BuildError,
    OfflineError,
    PrivilegeError,
    ToolMissingError,
    WaitError,
)
from ttctl.model.prebuilt import Prebuilt
from ttctl.rules.image_user import config_user
from ttctl.rules.redaction import redacted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ttctl.adapters.process import Finished
    from ttctl.errors import TtctlError
    from ttctl.model.site import Site, Sourced

REGISTRY_S = 12
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")

_INSPECT = ("docker", "buildx", "imagetools", "inspect")
_MANIFEST = ("--format", "{{json .Manifest}}")
_WITH_CONFIG = ("--format", '{"manifest":{{json .Manifest}},"image":{{json .Image}}}')
PLATFORM = "linux/amd64"
"""Of a list of images, the one whose configuration is read: hosts of cards are these."""
_MIRROR = re.compile(
    r"(?:[A-Za-z0-9][A-Za-z0-9.-]*|\[[0-9a-fA-F:]+\])(?::\d{1,5})?(?:/[a-z0-9][a-z0-9._-]*)*/?"
)
_REFUSED = re.compile(
    r"\b401\b|unauthorized|no basic auth|authorization failed|\bdenied\b", re.IGNORECASE
)
_UNTRUSTED = re.compile(r"x509:|certificate", re.IGNORECASE)
_ABSENT = re.compile(r"not found|manifest unknown|name unknown|\b404\b", re.IGNORECASE)


def check_registry(one: Sourced) -> None:
    """Refuse a mirror that is more than a host, a port and a path.

    Raises:
        BadFileError: It holds a scheme, a password, or what no registry's name has.
    """
    if _MIRROR.fullmatch(one.value):
        return
    login = "@" in one.value
    raise BadFileError(
        "The site setting 'registry' cannot be put before an image's name.",
        why="Its password would stand in the lock: docker keeps logins itself."
        if login
        else "It becomes the first part of a reference.",
        evidence=f"{one.source}: expected HOST[:PORT][/PATH], found {redacted(one.value)!r}.",
        next_step=f"docker login {host_of(one.value)}" if login else "ttctl config site",
    )


def host_of(mirror: str) -> str:
    """Return the host and port of a mirror or a reference, which `docker login` takes."""
    return mirror.rpartition("://")[2].rpartition("@")[2].partition("/")[0]


def digest_of(reference: str, site: Site) -> str:
    """Return what a tag means in its registry now, empty where no registry answers.

    Raises:
        PrivilegeError: The registry that this site names asks for a login.
        OfflineError: Its certificate is not trusted.
    """
    done = inspected(reference, site, _MANIFEST)
    return "" if done is None else _digest(object_in(done))


def find_prebuilt(reference: str, site: Site) -> Prebuilt:
    """Look whether a registry has an image, by the place's mirror where it names one.

    Args:
        reference: As upstream names it.

    Raises:
        PrivilegeError: The registry that this site names asks for a login.
        OfflineError: Its certificate is not trusted.
        BadFileError: The site setting is no registry.
    """
    asked = mirrored(reference, site)
    if not reference:
        return Prebuilt(reference="", state="absent", why="the entry names no prebuilt image")
    if site.is_offline:
        return Prebuilt(reference=asked, state="unasked", why="this place is set to use no network")
    host = f"the registry {host_of(asked)}"
    done = inspected(asked, site, _WITH_CONFIG)
    if done is None:
        return Prebuilt(reference=asked, state="silent", why=f"{host} does not answer")
    found = object_in(done)
    if digest := _digest(found.get("manifest")):
        user = _user(found.get("image"))
        return Prebuilt(reference=asked, state="there", digest=digest, user=user)
    said = redacted(done.tail(2))
    if _ABSENT.search(said) or _REFUSED.search(said):
        return Prebuilt(reference=asked, state="absent", why=f"{host} has no such image")
    return Prebuilt(reference=asked, state="silent", why=f"{host} says: {said}")


def mirrored(reference: str, site: Site) -> str:
    """Return an upstream reference as this place reaches it.

    Raises:
        BadFileError: The setting is more than a host and a path.
    """
    if site.registry is None:
        return reference
    check_registry(site.registry)
    return f"{site.registry.value.rstrip('/')}/{reference.partition('/')[2]}"


def inspected(reference: str, site: Site, form: Sequence[str]) -> Finished | None:
    """Return what a registry said of an image, None where none answers in time.

    Args:
        form: Words that say what is wanted of it.

    Raises:
        PrivilegeError: The registry that this site names asks for a login.
        OfflineError: Its certificate is not trusted.
    """
    try:
        done = run([*_INSPECT, *form, reference], timeout_s=REGISTRY_S, environ=_environ(site))
    except (ToolMissingError, WaitError):
        return None
    if done.returncode != 0 and site.registry is not None:
        refusal = _refusal(reference, done)
        if refusal is not None:
            raise refusal
    return done


def object_in(done: Finished) -> dict[str, Any]:
    """Return the object in what was printed, an empty one where it failed or holds none."""
    if done.returncode != 0:
        return {}
    # Warnings may stand before the object: both streams are one here.
    _, brace, rest = "\n".join(done.lines).partition("{")
    try:
        found, _ = json.JSONDecoder().raw_decode(brace + rest)
    except ValueError:
        return {}
    return dict(found)


def _digest(manifest: object) -> str:
    digest = str(manifest.get("digest", "")) if isinstance(manifest, dict) else ""
    return digest if DIGEST.fullmatch(digest) else ""


def _user(image: object) -> str:
    """Return whom an image starts as; empty where its configuration did not come along."""
    if isinstance(image, dict) and "config" not in image:
        # Of a list, by platform.
        image = image.get(PLATFORM)
    config = image.get("config") if isinstance(image, dict) else None
    return config_user(config) if isinstance(config, dict) else ""


def pull_error(reference: str, done: Finished, what: str) -> TtctlError:
    """Return the error for a pull that failed."""
    return _refusal(reference, done) or BuildError(
        what,
        why=f"docker ended with {done.returncode}.",
        evidence=redacted(done.tail(6)),
        next_step="ttctl config site",
    )


def _refusal(reference: str, done: Finished) -> TtctlError | None:
    """Return the error for a registry that answers and does not give, None for any other."""
    said, host = redacted(done.tail(6)), host_of(reference)
    if _UNTRUSTED.search(said):
        return OfflineError(
            f"The certificate of the registry {host!r} is not trusted.",
            why="The engine trusts what lies in a folder of its own; buildx, the site's ca_bundle.",
            evidence=said,
            next_step=f"sudo install -D -m 644 ca.pem /etc/docker/certs.d/{host}/ca.crt",
        )
    if _REFUSED.search(said):
        return PrivilegeError(
            f"The registry {host!r} does not give {redacted(reference)!r} to this user.",
            why="It asks for a login, this one may not read the image, or there is none.",
            evidence=said,
            next_step=f"docker login {host}",
        )
    return None


def _environ(site: Site) -> dict[str, str]:
    """Return this user's variables, with the proxy and the certificates of the place."""
    environ = {
        name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")
    }
    for name, one in (
        ("http_proxy", site.http_proxy),
        ("https_proxy", site.https_proxy),
        ("no_proxy", site.no_proxy),
    ):
        if one is not None:
            environ[name] = environ[name.upper()] = one.value
    if site.ca_bundle is not None:
        environ["SSL_CERT_FILE"] = str(Path(site.ca_bundle.value).absolute())
    return environ
