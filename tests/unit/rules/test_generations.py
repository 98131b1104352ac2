# SPDX-License-Identifier: Apache-2.0
"""What does a stack's next request take over from the one before?"""

from __future__ import annotations

import pytest

from ttctl.model.spec import Request
from ttctl.rules.generations import as_recorded, together

OWN = Request(model="llama", tls="/srv/cert.pem", tls_key="/srv/key.pem")


@pytest.mark.parametrize("said", ["generated", "none", "/srv/other.pem"])
def test_a_key_goes_with_its_own_certificate_alone(said: str) -> None:
    found = together(Request(model="llama", tls=said), OWN)
    assert (found.tls, found.tls_key) == (said, None)


def test_a_certificate_is_taken_over_with_its_key_where_neither_is_said() -> None:
    found = together(Request(model="llama", port=9000), OWN)
    assert (found.tls, found.tls_key) == (OWN.tls, OWN.tls_key)


@pytest.mark.parametrize(
    ("said", "kept"), [("generated", "generated"), ("none", "none"), ("/srv/cert.pem", None)]
)
def test_a_file_that_was_copied_is_not_recorded(said: str, kept: str | None) -> None:
    found = as_recorded(Request(model="llama", tls=said, tls_key="/srv/key.pem"))
    assert (found.tls, found.tls_key) == (kept, None)
