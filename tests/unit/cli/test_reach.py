# SPDX-License-Identifier: Apache-2.0
"""Is it said aloud that other machines reach a stack, and is an address that cannot be refused?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.unit.cli.test_up_consent import RESULT

from ttctl.cli.reach import reach_line
from ttctl.cli.up import up_text

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Typed

EVERYWHERE = "0.0.0.0"  # noqa: S104 - what these tests are about


def test_a_stack_for_other_machines_says_so_and_that_nothing_is_encrypted() -> None:
    text = up_text(replace(RESULT, bind=EVERYWHERE), program="ttctl")
    (line,) = [one for one in text.splitlines() if one.startswith("mind ")]
    assert "reachable from other machines" in line
    assert "every request needs the key" in line
    assert "not encrypted" in line
    assert "--tls generated" in line


def test_an_encrypted_one_says_where_its_certificate_is_and_how_it_is_trusted() -> None:
    found = replace(
        RESULT, bind=EVERYWHERE, tls="generated", certificate="/c.pem", url="https://127.0.0.1:8000"
    )
    text = up_text(found, program="ttctl")
    assert "not encrypted" not in text
    assert "trust      /c.pem" in text
    assert "curl --cacert /c.pem https://127.0.0.1:8000/v1/chat/completions" in text
    assert "http_client=DefaultHttpxClient(verify=trust))" in text


@pytest.mark.parametrize(
    ("word", "meant"), [("genrated", "generated"), ("self-signed", "generated"), ("off", "none")]
)
def test_a_word_that_is_no_certificate_is_told_the_one_that_is_meant(
    typed: Typed, word: str, meant: str
) -> None:
    code, _, err = typed(f"up llama --tls {word}")
    assert code == 2
    assert f"There is no certificate '{word}'" in err
    assert err.splitlines()[-1] == f"next:     ttctl up llama --tls {meant}"


def test_a_stack_for_this_machine_says_nothing_of_it() -> None:
    assert reach_line("127.0.0.1", "") == []
    assert "reachable" not in up_text(RESULT, program="ttctl")


@pytest.mark.parametrize(
    ("address", "meant"), [("localhost", "127.0.0.1"), ("::", EVERYWHERE), ("10.0.0.1", EVERYWHERE)]
)
def test_another_address_is_refused_with_the_two_that_there_are(
    typed: Typed, address: str, meant: str
) -> None:
    code, _, err = typed(f"up llama --host {address}")
    assert code == 2
    assert f"does not listen on '{address}'" in err
    assert err.splitlines()[-1] == f"next:     ttctl up llama --host {meant}"


@pytest.mark.parametrize(("key", "named"), [("''", ""), ("k.pem", f"{Path.cwd()}/k.pem")])
def test_an_empty_word_names_no_key(typed: Typed, key: str, named: str) -> None:
    code, _, err = typed(f"up llama --tls none --tls-key {key} --dry-run")
    assert ("without its certificate" in err) is bool(named)
    assert (code == 2) is bool(named)
    assert f"--tls-key {named}" in err or not named
