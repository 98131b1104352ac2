# SPDX-License-Identifier: Apache-2.0
"""Which commit does a name mean in a repository on the network? Asked of git, as this place says.

Nothing of the caller's own git settings takes part: the mirrors, the proxy and the certificates
are those of the site, so that a build, which sees no other, gets the same answer.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ttctl.adapters.git_place import ANSWER_S, asked_address, git_in_place, translated
from ttctl.errors import BadFileError, OfflineError, PrivilegeError, ToolMissingError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ttctl.errors import TtctlError
    from ttctl.model.site import Site

_NO_SUCH_NAME = 2
"""Source: https://git-scm.com/docs/git-ls-remote (--exit-code)"""
_LINE = re.compile(r"([0-9a-f]{40})\t(\S+)")


def head(
    url: str, ref: str, site: Site, *, hosts: Iterable[str] = (), answer_s: float = ANSWER_S
) -> str:
    """Return the commit, 40 hex digits, that `ref` means in the repository at `url` now.

    Args:
        url: The repository's public address; the site may name a mirror in its place.
        ref: A branch, a tag, `HEAD`, or a whole name such as `refs/pull/1/head`.
        hosts: The public hosts that a mirror of all of them replaces.
        answer_s: Seconds until it is given up.

    Raises:
        OfflineError: The server does not answer, is not trusted, or may not be asked.
        PrivilegeError: It does not let this user read the repository.
        BadFileError: There is no such repository or name; or a setting cannot be used.
        ToolMissingError: git is not installed.
    """
    asked = asked_address(url, ref, site, hosts := tuple(hosts))
    words = ("ls-remote", "--exit-code", "--", url, ref, f"{ref}^{{}}")
    done = git_in_place(words, site, hosts, url=url, answer_s=answer_s)
    if done.returncode not in {0, _NO_SUCH_NAME}:
        raise translated(asked, done)
    found = {match[2]: match[1] for line in done.lines if (match := _LINE.fullmatch(line))}
    # A tag's own object comes first where both are; what it points to is the commit.
    names = (f"refs/tags/{ref}^{{}}", f"refs/tags/{ref}", f"refs/heads/{ref}", f"{ref}^{{}}", ref)
    commit = next((found[name] for name in names if name in found), "")
    if not commit:
        raise BadFileError(
            f"The repository {asked} has no {ref!r}.",
            why="A branch or a tag of this name was removed, or never was there.",
            evidence=f"It lists {', '.join(found) or 'nothing'} for this name.",
            next_step="ttctl config site   # its git_mirror may be behind",
        )
    return commit


def why_not_git(
    url: str, site: Site, *, hosts: Iterable[str] = (), answer_s: float = ANSWER_S
) -> TtctlError | None:
    """Return why the repository at `url` cannot be read, None where it can."""
    try:
        head(url, "HEAD", site, hosts=hosts, answer_s=answer_s)
    except (OfflineError, PrivilegeError, BadFileError, ToolMissingError) as error:
        return error
    return None
