# SPDX-License-Identifier: Apache-2.0
"""Which full commit does a short one mean, by what is known beforehand or was listed? Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ttctl.model.pin_facts import PinFacts

HEX = re.compile(r"[0-9a-f]{7,40}")
FULL = re.compile(r"[0-9a-f]{40}")
_PEELED = "^{}"


def known_commit(component: str, name: str, facts: PinFacts) -> str:
    """Return the full commit that the catalog's table has for a short one, empty for none."""
    tables = {"tt-metal": facts.tt_metal, "vllm": tuple(one.full for one in facts.vllm)}
    return only(tables.get(component, ()), name)


def listed_commit(name: str, listed: Mapping[str, str]) -> str:
    """Return what a repository's own names say of a tag, a branch or a short commit.

    Args:
        listed: Whole name to hash, as `git ls-remote` lists them; a tag's own object and, behind
            `^{}`, what it points to.
    """
    for ref in (f"refs/tags/{name}{_PEELED}", f"refs/tags/{name}", f"refs/heads/{name}"):
        if ref in listed:
            return listed[ref]
    # The object of an annotated tag is no commit: only what it points to counts.
    commits = (commit for ref, commit in listed.items() if f"{ref}{_PEELED}" not in listed)
    return only(commits, name)


def only(commits: Iterable[str], name: str) -> str:
    """Return the one commit that begins with `name`, empty where none or several do."""
    if not HEX.fullmatch(name):
        return ""
    found = {commit for commit in commits if commit.startswith(name)}
    return found.pop() if len(found) == 1 else ""
