# SPDX-License-Identifier: Apache-2.0
"""When is a certificate made anew, what is asked for, and what becomes of the gateway?"""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.certified import OWN

from ttctl.model.tls import PORT, At, Certificate, Pin, Wish
from ttctl.rules.tls import (
    DAY_S,
    DAYS,
    RENEWED_DAYS,
    certificate_steps,
    door_values,
    mode_of,
    name_to_ask,
    why_made,
    why_taken,
)

NOW = 1_800_000_000
MADE = Certificate(
    names=("localhost", "127.0.0.1"), until=NOW + DAYS * DAY_S, ends="2028-01-15", sha256="1" * 64
)


@pytest.mark.parametrize(
    ("said", "locked", "mode"),
    [
        (None, "", ""),
        (None, "own", "own"),
        ("none", "own", ""),
        ("generated", "", "generated"),
        ("/srv/cert.pem", "generated", "own"),
    ],
)
def test_what_was_said_goes_before_what_is_locked(said: str | None, locked: str, mode: str) -> None:
    assert mode_of(said, locked) == mode  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("until", "why"),
    [
        (NOW - 1, "it ended on 2028-01-15"),
        (NOW + RENEWED_DAYS * DAY_S - 1, "it ends on 2028-01-15"),
        (NOW + RENEWED_DAYS * DAY_S, ""),
    ],
)
def test_a_certificate_is_made_anew_before_its_end(until: int, why: str) -> None:
    assert why_made(replace(MADE, until=until), MADE.names, NOW) == why


def test_a_certificate_is_made_where_none_is_or_a_name_is_new() -> None:
    assert why_made(None, MADE.names, NOW) == "none was made yet"
    assert why_made(MADE, (*MADE.names, "10.0.0.7"), NOW) == "it does not name 10.0.0.7"
    assert why_made(MADE, MADE.names[:1], NOW) == ""


def test_it_is_valid_for_no_longer_than_clients_take() -> None:
    assert DAYS <= 825


def test_the_users_own_is_copied_where_it_is_another_and_not_used_beyond_its_end() -> None:
    assert why_taken(None, OWN, NOW) == "none was copied yet"
    assert why_taken(OWN, OWN, NOW) == ""
    assert why_taken(OWN, replace(OWN, sha256="2" * 64), NOW) == "it is another than before"
    assert why_taken(None, None, NOW) == "its copy is not here"
    assert why_taken(OWN, None, NOW) == ""
    assert why_taken(OWN, None, OWN.until + 1) == "it ended on 2033-05-18"


@pytest.mark.parametrize(
    ("names", "asked"),
    [
        (("llm.example.org", "127.0.0.1"), "127.0.0.1"),
        (("llm.example.org", "localhost"), "localhost"),
        (("*.example.org", "llm.example.org"), "llm.example.org"),
        (("*.example.org",), "ttctl.example.org"),
        ((), "localhost"),
    ],
)
def test_a_client_of_this_machine_asks_by_a_name_that_leads_to_it(
    names: tuple[str, ...], asked: str
) -> None:
    assert name_to_ask(names) == asked


def test_an_address_of_a_gateway_says_whether_it_is_encrypted() -> None:
    assert At(port=8000).url == "http://127.0.0.1:8000"
    assert At(port=1, pin=Pin(file="/c", name="localhost")).url == "https://localhost:1"
    assert At(port=1, pin=Pin(file="/c", name="::1")).url == "https://[::1]:1"


def test_without_tls_nothing_is_rendered_or_done_for_it() -> None:
    assert door_values(Wish()) == {}
    assert certificate_steps(Wish()) == ()
    assert door_values(Wish(mode="own")) == {"tls": PORT}


@pytest.mark.parametrize(
    ("wish", "verb", "reason"),
    [
        (Wish(mode="own", said="for a, until b"), "skip", "it is for a, until b"),
        (
            Wish(mode="generated", why="none was made yet", names=("a", "b")),
            "key",
            "none was made yet: one is made for a, b, for 365 days",
        ),
        (
            Wish(mode="own", why="none was copied yet", file="/c.pem", said="for a, until b"),
            "key",
            "none was copied yet: /c.pem is copied, for a, until b; its key belongs to it",
        ),
        (Wish(mode="own", why="it ended"), "key", "it ended: --tls names another"),
    ],
)
def test_a_plan_says_what_was_looked_at(wish: Wish, verb: str, reason: str) -> None:
    (step,) = certificate_steps(wish)
    assert (step.verb, step.subject, step.reason) == (verb, "gateway certificate", reason)
