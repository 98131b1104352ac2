# SPDX-License-Identifier: Apache-2.0
"""What does a build's output say: how far it is, and why it failed?"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ttctl.rules.redaction import redacted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ttctl.model.protocols import Reporter

STEP = re.compile(r"^#(\d+) \[(?:[^\]]* )?(\d+)/(\d+)\]")
UNTRUSTED = re.compile(r"CERTIFICATE_VERIFY_FAILED|certificate verif", re.IGNORECASE)
REFUSED = re.compile(
    r"\b401\b[ ,:]+(?:Error|Client Error|Unauthorized)|\b407 Proxy|\bUser for \S+:"
    r"|could not read (?:Username|Password)"
)
"""As pip, apt and git say it; pip and git ask for a name, and nobody answers."""
TROUBLE = re.compile(r"\berror\b|\bfatal\b|failed|unable|not found", re.IGNORECASE)
DONE = re.compile(r"^#(\d+) (DONE|CACHED)")
SAID = re.compile(r"ttctl: error: (.+)")
"""How the scripts under images/ name what stopped them."""


class Progress:
    """Turns buildx's plain output into real counts of steps."""

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter
        self._steps: set[str] = set()
        self._totals: dict[str, int] = {}
        self._done: set[str] = set()
        self._cached: set[str] = set()
        self.failed_at = ""

    def line(self, line: str) -> None:
        """Take one line of output."""
        self._reporter.detail(redacted(line))
        if step := STEP.match(line):
            self._steps.add(step[1])
            stage = line.partition("[")[2].partition(" ")[0]
            self._totals[stage if "/" not in stage else ""] = int(step[3])
        elif done := DONE.match(line):
            if done[1] in self._steps:
                self._done.add(done[1])
                if done[2] == "CACHED":
                    self._cached.add(done[1])
                self._reporter.progress(len(self._done), sum(self._totals.values()), "steps")
        elif line.startswith("ERROR: "):
            self.failed_at = line.removeprefix("ERROR: ")[:300]

    @property
    def all_cached(self) -> bool:
        """Whether every step came from the cache."""
        return bool(self._done) and self._done == self._cached


def of_the_place(lines: Sequence[str]) -> tuple[str, str]:
    """Return (why, what to type) where a build failed of the site and not of itself."""
    text = "\n".join(lines)
    if UNTRUSTED.search(text):
        why = "The site's ca_bundle trusts no certificate of a server, or of a proxy before it."
        return why, "export TTCTL_CA_BUNDLE=/path/to/ca.pem"
    if REFUSED.search(text):
        why = "An index, a mirror or a proxy refuses the name or the password in its address."
        return why, "ttctl config site"
    return "", ""


def error_lines(lines: Sequence[str]) -> str:
    """Return the last lines that tell of trouble, or the last lines where none does."""
    kept = [re.sub(r"^#\d+ [\d.]+ ", "", line) for line in lines if line.strip()]
    marked = [line for line in kept if TROUBLE.search(line)]
    return redacted("\n".join((marked or kept)[-6:]))


def said(lines: Sequence[str]) -> str:
    """Return the sentence of a script of ours that ended a build, empty where none did."""
    # The builder prints a failed command again, behind its own number and time.
    found = [match[1] for line in lines if (match := SAID.search(line))]
    return redacted(found[0]).strip() if found else ""
