# SPDX-License-Identifier: Apache-2.0
"""What a person reads when the model hub does not deliver. No token or signed URL is in it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ttctl.errors import BadFileError, OfflineError, PrivilegeError, TtctlError

if TYPE_CHECKING:
    from collections.abc import Mapping


def of_status(
    endpoint: str, repository: str, *, path: str, status: int, headers: Mapping[str, str]
) -> TtctlError:
    """Return the error for an answer that is neither a file nor a refusal."""
    what = f"{path!r} of {repository!r}" if path else repr(repository)
    if status == 404:  # noqa: PLR2004 - the field's own word for "not found"
        kind = headers.get("X-Error-Code", "no further word")
        return unlike(endpoint, f"{what}: it answered 404 ({kind}).")
    after = headers.get("Retry-After")
    more = f", and asks to come back after {after} s" if after else ""
    return silent(endpoint, f"{what}: it answered {status}{more}.")


def silent(endpoint: str, evidence: str) -> OfflineError:
    """Return the error for a hub that does not answer, or not as one."""
    return OfflineError(
        f"The model hub at {_shown(endpoint)} does not deliver.",
        why="The weights are not complete here.",
        evidence=evidence,
        next_step="ttctl config site",
    )


def untrusted(endpoint: str, evidence: str) -> OfflineError:
    """Return the error for a certificate that the place's CA bundle does not vouch for."""
    return OfflineError(
        f"The certificate of the model hub at {_shown(endpoint)} is not trusted by 'ca_bundle'.",
        why="A proxy that looks into TLS, or a mirror, signs with a CA of its own.",
        evidence=evidence,
        next_step="export TTCTL_CA_BUNDLE=/path/to/ca.pem",
    )


def between(endpoint: str, what: str, *, status: int) -> OfflineError:
    """Return the error for an answer that is not the hub's: something in between gave it."""
    return silent(
        endpoint,
        f"{what}: the answer {status} has none of the hub's headers, so a proxy, a filter or a "
        "mirror's login gave it.",
    )


def unlike(endpoint: str, evidence: str) -> BadFileError:
    """Return the error for a hub that has something else than the catalog or the lock says."""
    return BadFileError(
        f"The model hub at {_shown(endpoint)} does not have what the catalog or the lock names.",
        why="It was removed or replaced there, or a mirror serves something else.",
        evidence=evidence,
        next_step="ttctl models ls   # then lock yours anew, with --upgrade",
    )


def refused(endpoint: str, repository: str, *, status: int, sent: str) -> PrivilegeError:
    """Return the error for a repository that this user may not read."""
    page = f"{_shown(endpoint)}/{repository}"
    return PrivilegeError(
        f"The hub does not let this user read {repository!r}.",
        why=f"It is gated, private or not there; terms: {page}",
        evidence=f"It answered {status}; {sent}.",
        next_step="hf auth login"
        if status == 401  # noqa: PLR2004 - the field's own word for "who are you"
        else f"hf auth whoami   # who accepts the terms on {page}",
    )


def forbidden_here() -> OfflineError:
    """Return the error for a user who told the hub's library to stay offline."""
    return OfflineError(
        "The model hub may not be asked.",
        why="The weights are not complete here.",
        evidence="HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE is set.",
        next_step="unset HF_HUB_OFFLINE TRANSFORMERS_OFFLINE",
    )


def _shown(endpoint: str) -> str:
    """Return the endpoint without a user's name or password."""
    parts = urlsplit(endpoint)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
