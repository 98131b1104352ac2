# SPDX-License-Identifier: Apache-2.0
"""Run git as this place says: its mirrors, proxy and certificates, and nothing of the caller."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ttctl.adapters.process import run
from ttctl.adapters.reach import LOOPBACK, is_loopback
from ttctl.adapters.scratch import scratch
from ttctl.adapters.site import check_ca
from ttctl.errors import BadFileError, OfflineError, PrivilegeError, ToolMissingError, WaitError
from ttctl.rules.git_mirror import gitconfig, replacements
from ttctl.rules.redaction import redacted

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Sequence

    from ttctl.adapters.process import Finished
    from ttctl.errors import TtctlError
    from ttctl.model.site import Site

ANSWER_S = 20.0
"""How long a server may take to list its names."""

_REFUSED = re.compile(r"could not read (?:Username|Password)|Authentication failed|error: 40[13]\b")
_ABSENT = re.compile(r"repository .*not found|error: 404\b|not a git repository", re.IGNORECASE)
_UNTRUSTED = re.compile(r"certificate", re.IGNORECASE)


def asked_address(url: str, ref: str, site: Site, hosts: tuple[str, ...]) -> str:
    """Return the address that git will ask, without a login.

    Raises:
        BadFileError: It is none, or carries a login, or `ref` cannot be a name.
        OfflineError: The site may ask nobody.
    """
    if not re.fullmatch(r"https?://[^\s/@]+/\S+", url) or not re.fullmatch(r"[\w][\S]*", ref):
        raise BadFileError(
            "A git repository is named by something that cannot be asked.",
            why="Its address and name are passed to git.",
            evidence=f"Expected https://HOST/PATH and a name; found {redacted(url)!r}, {ref!r}.",
            next_step="ttctl config site",
        )
    longest = max(
        (pair for pair in replacements(site, hosts) if url.startswith(pair[0])),
        key=lambda pair: len(pair[0]),
        default=("", ""),
    )
    asked = redacted(longest[1] + url[len(longest[0]) :] if longest[0] else url)
    if site.is_offline and not is_loopback(urlsplit(asked).hostname or ""):
        raise OfflineError(
            f"The repository {asked} may not be asked.",
            why="This place is set to use no network.",
            evidence=f"Set in {site.offline.source if site.offline else ''}.",
            next_step="ttctl config site",
        )
    return asked


def git_in_place(
    words: Sequence[str],
    site: Site,
    hosts: tuple[str, ...],
    *,
    url: str,
    answer_s: float,
    on_line: Callable[[str], None] | None = None,
    cancel: threading.Event | None = None,
) -> Finished:
    """Run a git command that knows the place, and nothing of this user's own settings.

    Raises:
        OfflineError: The server of `url` was silent for `answer_s` seconds.
        ToolMissingError: git is not installed.
    """
    check_ca(site.ca_bundle)
    bundle = str(Path(site.ca_bundle.value).absolute()) if site.ca_bundle else ""
    with scratch("git") as home:
        settings = home / ".gitconfig"
        settings.touch(mode=0o600)
        settings.write_text(gitconfig(site, hosts, ca_file=bundle), encoding="utf-8")
        command = ["git", "-C", str(home), *words]
        environ = _environ(site, home)
        try:
            return run(command, timeout_s=answer_s, environ=environ, on_line=on_line, cancel=cancel)
        except ToolMissingError as error:
            raise ToolMissingError(
                error.message,
                why="Repositories are asked through it.",
                evidence=error.evidence,
                next_step="sudo apt-get install git",
            ) from error
        except WaitError as error:
            raise _silent(redacted(url), f"No answer within {answer_s:g} s.") from error


def _environ(site: Site, home: Path) -> dict[str, str]:
    """Return all that git may know of the caller and the place."""
    environ = {
        "PATH": os.environ.get("PATH", os.defpath),
        "LC_ALL": "C",
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CEILING_DIRECTORIES": str(home.parent),
        "GIT_TERMINAL_PROMPT": "0",
    }
    exempt = site.no_proxy.value if site.no_proxy else ""
    for name, one in (("http_proxy", site.http_proxy), ("https_proxy", site.https_proxy)):
        if one is not None:
            environ[name] = one.value
    environ["no_proxy"] = ",".join(part for part in (exempt, *LOOPBACK) if part)
    return environ


def translated(asked: str, done: Finished) -> TtctlError:
    """Return the error for a server that did not give what it was asked for."""
    said = redacted(done.tail(4))
    if _REFUSED.search(said):
        forbids = "error: 403" in said
        return PrivilegeError(
            f"The git server does not let this user read {asked}.",
            why="It forbids it." if forbids else "It asks for a name and a password.",
            evidence=f"It answered {403 if forbids else 401}: {said}",
            next_step="ttctl config site   # its git_mirror may hold NAME:PASSWORD@",
        )
    if _ABSENT.search(said):
        return BadFileError(
            f"There is no repository {asked}.",
            why="It was removed or renamed, or the mirror does not carry it.",
            evidence=said,
            next_step="ttctl config site",
        )
    if _UNTRUSTED.search(said):
        return OfflineError(
            f"The certificate of {asked} is not trusted by the setting 'ca_bundle'.",
            why="A proxy that looks into TLS, or a mirror, signs with a CA of its own.",
            evidence=said,
            next_step="export TTCTL_CA_BUNDLE=/path/to/ca.pem",
        )
    return _silent(asked, said)


def _silent(asked: str, evidence: str) -> OfflineError:
    return OfflineError(
        f"The git server of {asked} does not answer.",
        why="What is built from source is cloned from there.",
        evidence=evidence,
        next_step="ttctl config site",
    )
