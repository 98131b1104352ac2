# SPDX-License-Identifier: Apache-2.0
"""Make short commits and tags exact: by the table, the repository's names, or all its commits.

A server cannot be asked for a commit by a part of its hash. So where no tag and no branch has it,
the history is fetched without any file: commits alone.
"""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING

from ttctl.adapters.git_place import ANSWER_S, asked_address, git_in_place, translated
from ttctl.adapters.local_source import check_tree, sources_of
from ttctl.errors import BadFileError, OfflineError
from ttctl.model.commit import ResolvedCommit
from ttctl.rules.commits import FULL, HEX, known_commit, listed_commit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from ttctl.model.commit import CommitOrigin, NamedCommit
    from ttctl.model.image import LocalSource
    from ttctl.model.pin_facts import PinFacts
    from ttctl.model.site import Site

FETCH_S = 900.0
FETCH_BYTES = 2_000_000_000
"""A server that does not leave the files out would send the whole repository."""
LOOK_S = 0.5
_TOLD = "a git_mirror that this place reaches tells them"

_LINE = re.compile(r"([0-9a-f]{40})\t(\S+)")
_ALL = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")


class GitCommits:
    """Asks git, as the place says."""

    def __init__(
        self,
        facts: PinFacts,
        hosts: Iterable[str],
        histories: Path,
        *,
        repositories: Mapping[str, str] | None = None,
        fetch_s: float = FETCH_S,
        fetch_bytes: int = FETCH_BYTES,
    ) -> None:
        """Nothing is asked yet.

        Args:
            facts: The table of known commits.
            hosts: The public hosts that a mirror of all of them replaces.
            histories: Folder of the histories that were fetched; they are kept.
            repositories: Component to its public address.
            fetch_s: Seconds until a fetch is given up.
            fetch_bytes: Size from which it is.
        """
        self.repositories: Mapping[str, str] = dict(repositories or {})
        self._facts = facts
        self._hosts = tuple(hosts)
        self._histories = histories
        self._fetch_s = fetch_s
        self._fetch_bytes = fetch_bytes
        self._listed: dict[str, dict[str, str]] = {}

    def checkouts(self, given: Sequence[str]) -> tuple[LocalSource, ...]:
        """Return the checkouts on this machine that `COMPONENT=PATH` names."""
        return sources_of(given)

    def check(self, source: LocalSource, recipe: str, script: str) -> None:
        """Look whether a checkout is a tree that a recipe builds, by the script of its build."""
        check_tree(source, recipe, script)

    def resolve(self, named: Sequence[NamedCommit], site: Site) -> tuple[ResolvedCommit, ...]:
        """Return the full commits, in the order of their names.

        Raises:
            OfflineError: Some are not known here and nobody could be asked; it names them all.
            BadFileError: A repository has no such commit, or several; or a name is none.
            PrivilegeError: A server asks for a login.
        """
        found: list[ResolvedCommit] = []
        missing: list[NamedCommit] = []
        refusals: list[OfflineError] = []
        for one in named:
            try:
                commit, origin = self._one(one, site)
            except OfflineError as error:
                missing.append(one)
                refusals.append(error)
                continue
            found.append(
                ResolvedCommit(component=one.component, name=one.name, commit=commit, origin=origin)
            )
        if missing:
            raise _offline(missing, refusals[0], site)
        return tuple(found)

    def _one(self, one: NamedCommit, site: Site) -> tuple[str, CommitOrigin]:
        if FULL.fullmatch(one.name):
            return one.name, "given"
        if commit := known_commit(one.component, one.name, self._facts):
            return commit, "known"
        asked = asked_address(one.repository, one.name, site, self._hosts)
        if commit := listed_commit(one.name, self._names(one, asked, site)):
            return commit, "listed"
        if not HEX.fullmatch(one.name):
            raise _unknown(one, asked, "It lists no tag and no branch of this name.")
        return self._fetched(one, asked, site), "fetched"

    def _names(self, one: NamedCommit, asked: str, site: Site) -> dict[str, str]:
        """Return every tag and branch of a repository, asked once."""
        if one.repository not in self._listed:
            lines: list[str] = []
            words = ("ls-remote", "--tags", "--heads", "--", one.repository)
            done = git_in_place(
                words, site, self._hosts, url=asked, answer_s=ANSWER_S, on_line=lines.append
            )
            if done.returncode != 0:
                raise translated(asked, done)
            matches = (_LINE.fullmatch(line) for line in lines)
            self._listed[one.repository] = {match[2]: match[1] for match in matches if match}
        return self._listed[one.repository]

    def _fetched(self, one: NamedCommit, asked: str, site: Site) -> str:
        history = self._histories / f"{one.component}.git"
        if not (history / "HEAD").exists():
            history.mkdir(parents=True, exist_ok=True)
            self._git(("init", "--quiet", "--bare", str(history)), asked, site)
        if commit := self._sought(history, one, asked, site):
            return commit
        words = ("-C", str(history), "fetch", "--quiet", "--filter=tree:0", "--no-tags")
        self._git((*words, "--", one.repository, *_ALL), asked, site, watched=history)
        commit = self._sought(history, one, asked, site)
        if not commit:
            raise _unknown(one, asked, "None of its commits begins so, or several do.")
        return commit

    def _sought(self, history: Path, one: NamedCommit, asked: str, site: Site) -> str:
        # Several commits that begin so are none.
        words = ("-C", str(history), "rev-parse", "--verify", "--quiet", f"{one.name}^{{commit}}")
        done = git_in_place(words, site, self._hosts, url=asked, answer_s=ANSWER_S)
        return next((line for line in done.lines if FULL.fullmatch(line)), "")

    def _git(
        self, words: tuple[str, ...], asked: str, site: Site, *, watched: Path | None = None
    ) -> None:
        ended, too_large = threading.Event(), threading.Event()
        watcher = threading.Thread(
            target=_watch, args=(watched, self._fetch_bytes, ended, too_large), daemon=True
        )
        watcher.start()
        try:
            done = git_in_place(
                words, site, self._hosts, url=asked, answer_s=self._fetch_s, cancel=too_large
            )
        finally:
            ended.set()
            watcher.join()
        if too_large.is_set():
            raise OfflineError(
                f"The history of {asked} is too large to look through.",
                why="The server sends files too, though only commits are asked for.",
                evidence=f"More than {self._fetch_bytes / 1e9:g} GB came.",
                next_step="ttctl config site   # a git_mirror that knows partial clones",
            )
        if done.returncode != 0:
            raise translated(asked, done)


def _watch(
    folder: Path | None, limit_bytes: int, ended: threading.Event, too_large: threading.Event
) -> None:
    while folder is not None and not ended.wait(LOOK_S):
        sizes = (path.lstat().st_size for path in folder.rglob("*") if path.is_file())
        try:
            if sum(sizes) > limit_bytes:
                too_large.set()
                return
        except OSError:
            # git renames a file as it is looked at.
            continue


def _offline(missing: Sequence[NamedCommit], first: OfflineError, site: Site) -> OfflineError:
    names = ", ".join(dict.fromkeys(f"{one.component} {one.name}" for one in missing))
    forbids = site.offline.source if site.offline and site.is_offline else ""
    helps = f"{forbids} keeps ttctl from asking" if forbids else _TOLD
    return OfflineError(
        f"The full commits of {names} are not known here.",
        why="A build fetches a commit by all its 40 digits, and the repository cannot be asked.",
        evidence=f"{first.message} {first.evidence}".strip(),
        next_step=f"ttctl config site   # {helps}",
    )


def _unknown(one: NamedCommit, asked: str, why: str) -> BadFileError:
    return BadFileError(
        f"The repository {asked} has no commit {one.name!r}.",
        why=why,
        evidence=f"The entry pins {one.component} to it.",
        next_step="ttctl config site   # its git_mirror may be behind",
    )
