# SPDX-License-Identifier: Apache-2.0
"""Obtain the image that ours stand on: pulled by digest, or bootstrapped from packages."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ttctl.adapters.process import run
from ttctl.adapters.registry import DIGEST, digest_of, mirrored, pull_error
from ttctl.adapters.scratch import scratch
from ttctl.errors import BadFileError, BuildError, PrivilegeError, ToolMissingError, WaitError
from ttctl.model.image import BaseImage
from ttctl.rules.apt_line import uri_and_suite
from ttctl.rules.images import pull_reference
from ttctl.rules.redaction import redacted
from ttctl.rules.rootfs import DEBOOTSTRAP, PACKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ttctl.adapters.sources import BaseEntry
    from ttctl.model.protocols import Reporter
    from ttctl.model.site import Site

PULL_S = 1800
LOCAL_S = 10
BOOTSTRAP_S = 1200
REMOVE_S = 120
LOCAL = "ttctl/rootfs"


def decide_base(entry: BaseEntry, site: Site, *, offline: bool) -> BaseImage:
    """Return what the images stand on; a registry that answers gives the digest."""
    if site.base_image is not None:
        found = DIGEST.search(site.base_image.value)
        return BaseImage(
            origin="site",
            reference=site.base_image.value,
            source=site.base_image.value,
            digest=found[0] if found else "",
            reason=f"named by {site.base_image.source}",
        )
    upstream = mirrored(entry.image, site)
    if offline:
        return _pulled_before(entry, upstream) or _to_bootstrap(
            entry, "no registry may be asked, and none was before"
        )
    digest = digest_of(upstream, site)
    if digest:
        return BaseImage(
            origin="registry",
            reference=f"{LOCAL}:{entry.release}-{digest.removeprefix('sha256:')[:16]}",
            source=upstream,
            digest=digest,
            reason=f"the registry answers for {upstream}",
        )
    return _to_bootstrap(entry, f"no registry answers for {upstream}")


def obtain_base(base: BaseImage, release: str, site: Site, reporter: Reporter) -> None:
    """Pull or bootstrap `base` and give it its local name.

    Raises:
        BuildError: It could not be pulled or made.
        PrivilegeError: The registry asks for a login.
        OfflineError: Its certificate is not trusted.
    """
    if base.origin == "bootstrapped":
        _bootstrap(base, release, site, reporter)
        return
    wanted = pull_reference(base)
    _pull(wanted, reporter, "The base image could not be pulled.")
    if base.reference != wanted:
        _checked(["docker", "tag", wanted, base.reference], 30, reporter, "It cannot be tagged.")


def pull(reference: str, reporter: Reporter, *, name: str = "") -> None:
    """Pull an image that is not built here, and give it a `name` that it is found by again."""
    _pull(reference, reporter, f"{reference!r} cannot be pulled.")
    if name:
        _checked(["docker", "tag", reference, name], 30, reporter, "It cannot be tagged.")


def _pull(reference: str, reporter: Reporter, what: str) -> None:
    done = run(
        ["docker", "pull", reference],
        timeout_s=PULL_S,
        on_line=lambda line: reporter.detail(redacted(line)),
    )
    if done.returncode != 0:
        raise pull_error(reference, done, what)


def bootstrap_commands(
    release: str, mirror: str, folder: str, archive: str, reference: str
) -> tuple[tuple[str, ...], ...]:
    """Return the commands that make the base image, in order; the first two need root."""
    return (
        (*DEBOOTSTRAP, release, folder, *([mirror] if mirror else [])),
        ("tar", "--create", f"--file={archive}", f"--directory={folder}", *PACKING, "."),
        ("docker", "import", archive, reference),
    )


def mirror_of(site: Site, release: str) -> str:
    """Return the distribution mirror that this place uses for `release`, empty for the default.

    Raises:
        BadFileError: Its address holds credentials, which debootstrap would show to everybody.
    """
    for source in site.apt_sources:
        uri, suite = uri_and_suite(source.value)
        if suite != release:
            continue
        if "@" in uri.partition("://")[2].partition("?")[0]:
            raise BadFileError(
                "The base image cannot be made from a mirror whose address holds a password.",
                why="debootstrap takes the address as an argument, which every user can read.",
                evidence=f"apt_sources, from {source.source}: {redacted(uri)}",
                next_step="name a mirror without one by TTCTL_APT_SOURCES, "
                "or an image by TTCTL_BASE_IMAGE",
            )
        return uri
    return ""


def bootstrap_environ(site: Site, wgetrc: Path) -> dict[str, str]:
    """Return all that debootstrap and its wget may know of this place; writes `wgetrc`."""
    environ = {"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8"}
    for name, one in (
        ("http_proxy", site.http_proxy),
        ("https_proxy", site.https_proxy),
        ("no_proxy", site.no_proxy),
    ):
        if one is not None:
            environ[name] = one.value
    if site.ca_bundle is not None:
        bundle = str(Path(site.ca_bundle.value).absolute())
        # Debian's wget is built with GnuTLS, which does not know SSL_CERT_FILE.
        wgetrc.write_text(f"ca_certificate = {bundle}\n", encoding="utf-8")
        environ |= {"SSL_CERT_FILE": bundle, "WGETRC": str(wgetrc)}
    return environ


def _to_bootstrap(entry: BaseEntry, why: str) -> BaseImage:
    return BaseImage(
        origin="bootstrapped",
        reference=f"{LOCAL}:{entry.release}",
        source=f"{entry.distribution} {entry.release}",
        reason=f"{why}: made from the distribution's packages",
    )


def _pulled_before(entry: BaseEntry, upstream: str) -> BaseImage | None:
    """Return the base image that this engine still has from a registry. No network is asked."""
    named = f"reference={LOCAL}:{entry.release}-*"
    found = _local("image", "ls", f"--filter={named}", "--format={{.Repository}}:{{.Tag}}")
    for reference in found:
        for shown in _local("image", "inspect", '--format={{join .RepoDigests "\\n"}}', reference):
            digest = shown.rpartition("@")[2]
            if DIGEST.fullmatch(digest) and reference.endswith(f"-{digest[7:23]}"):
                return BaseImage(
                    origin="registry",
                    reference=reference,
                    source=upstream,
                    digest=digest,
                    reason="no registry may be asked: the base image that was pulled before",
                )
    return None


def _local(*words: str) -> tuple[str, ...]:
    try:
        done = run(["docker", *words], timeout_s=LOCAL_S)
    except (ToolMissingError, WaitError):
        return ()
    return done.lines if done.returncode == 0 else ()


def _bootstrap(base: BaseImage, release: str, site: Site, reporter: Reporter) -> None:
    mirror = mirror_of(site, release)
    reporter.note(f"{base.reason} (debootstrap, about a minute)")
    root = _root_prefix()

    def remove(folder: Path) -> None:
        run([*root, "rm", "-rf", "--one-file-system", str(folder)], timeout_s=REMOVE_S)

    with scratch("rootfs", remove) as place:
        commands = bootstrap_commands(
            release, mirror, str(place / "rootfs"), str(place / "rootfs.tar"), base.reference
        )
        environ = bootstrap_environ(site, place / "wgetrc")
        for number, command in enumerate(commands):
            prefix = root if command[0] != "docker" else ()
            of_site = environ if command[0] == "debootstrap" else None
            if prefix and of_site:
                prefix = (*prefix, *_preserved(of_site))
            what = f"Step {number + 1} of the bootstrap failed."
            _checked([*prefix, *command], BOOTSTRAP_S, reporter, what, environ=of_site)
            reporter.progress(number + 1, len(commands), "steps")


def _preserved(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return sudo's option for the variables of the place: by name, a value may be a password."""
    names = sorted(environ.keys() - {"PATH", "LANG"})
    return (f"--preserve-env={','.join(names)}",) if names else ()


def _root_prefix() -> tuple[str, ...]:
    if os.geteuid() == 0:
        return ()
    try:
        allowed = run(["sudo", "-n", "true"], timeout_s=10).returncode == 0
    except ToolMissingError:
        allowed = False
    if allowed:
        return ("sudo", "-n")
    raise PrivilegeError(
        "The base image cannot be made by this user.",
        why="No registry answers, and debootstrap unpacks a distribution, for which it needs root.",
        evidence="This user is not root, and sudo asks for a password.",
        next_step="sudo -v   # then the same command; or name an image by TTCTL_BASE_IMAGE",
    )


def _checked(
    command: Sequence[str],
    timeout_s: float,
    reporter: Reporter,
    what: str,
    *,
    environ: Mapping[str, str] | None = None,
) -> None:
    done = run(
        command,
        timeout_s=timeout_s,
        on_line=lambda line: reporter.detail(redacted(line)),
        environ=environ,
    )
    if done.returncode != 0:
        raise BuildError(
            what,
            why=f"{Path(command[0]).name} ended with {done.returncode}.",
            evidence=redacted(done.tail(6)),
            next_step="ttctl config site",
        )
