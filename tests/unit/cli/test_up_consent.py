# SPDX-License-Identifier: Apache-2.0
"""Are boards reset only after somebody agreed to it?"""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from ttctl.cli.session import Flags, Session
from ttctl.cli.up import with_consent
from ttctl.errors import DirtyError, StaleFilesError
from ttctl.model.plan import How
from ttctl.operations.up_result import UpResult

RESULT = UpResult(
    stack="llama",
    model="acme/Llama-8B",
    device="n300",
    demo=False,
    reason="a test",
    url="http://127.0.0.1:8000",
    key_file=Path("/key"),
    folder=Path("/folder"),
    command=(),
    changed=True,
    answers=True,
    seconds=1,
)


class Terminal(io.StringIO):
    """A person who types a word."""

    def isatty(self) -> bool:
        return True


class Bring:
    """Refuses dirty boards until a reset is agreed to."""

    def __init__(self) -> None:
        self.asked: list[How] = []

    def __call__(self, *, how: How) -> UpResult:
        self.asked.append(how)
        if not how.reset:
            raise DirtyError(
                "The boards need a reset.",
                why="An engine was killed.",
                evidence="container a was killed",
                next_step="ttctl up llama --reset",
            )
        return RESULT


def test_where_nobody_can_be_asked_the_refusal_names_the_flag() -> None:
    bring = Bring()
    with pytest.raises(DirtyError) as caught:
        with_consent(Session(Flags()), bring, How(recreate=True))
    assert caught.value.next_step == "ttctl up llama --reset"
    assert bring.asked == [How(recreate=True)]


def test_yes_is_consent_and_the_rest_of_what_was_asked_stays() -> None:
    bring = Bring()
    assert with_consent(Session(Flags(yes=True)), bring, How(recreate=True)) == RESULT
    assert [(how.recreate, how.reset) for how in bring.asked] == [(True, False), (True, True)]


@pytest.mark.parametrize(("typed", "agreed"), [("y\n", True), ("\n", False), ("n\n", False)])
def test_a_person_is_told_why_and_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], typed: str, *, agreed: bool
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(typed))
    bring, session = Bring(), Session(Flags())
    if agreed:
        assert with_consent(session, bring, How()) == RESULT
    else:
        with pytest.raises(DirtyError):
            with_consent(session, bring, How())
    said = capsys.readouterr().err
    assert "container a was killed" in said
    assert "Reset them now? [y/N]" in said
    assert len(bring.asked) == 1 + agreed


class BringOverFiles:
    """Has somebody asked about files until it was said what becomes of them."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, *, how: How) -> UpResult:
        self.asked.append(how.stale)
        if how.stale == "ask":
            raise StaleFilesError("Files are there.", next_step="ttctl devices clear")
        return RESULT


@pytest.mark.parametrize(
    ("typed", "became"), [("y\n", ["ask", "remove"]), ("n\n", ["ask", "keep"])]
)
def test_a_person_says_what_becomes_of_a_killed_engines_files(
    monkeypatch: pytest.MonkeyPatch, typed: str, became: list[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(typed))
    bring = BringOverFiles()
    assert with_consent(Session(Flags()), bring, How()) == RESULT
    assert bring.asked == became


def test_nobody_is_asked_about_them_in_a_script_and_yes_removes_them() -> None:
    for flags, became in ((Flags(), ["keep"]), (Flags(yes=True), ["remove"])):
        bring = BringOverFiles()
        assert with_consent(Session(flags), bring, How()) == RESULT
        assert bring.asked == became
