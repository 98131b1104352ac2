# SPDX-License-Identifier: Apache-2.0
"""Are equal runs equal bytes, is anything else refused, and does a file name nobody?"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from tests.unit.accepted import RAN, ran

from ttctl.model.acceptance import Check, Ran, Signed
from ttctl.rules.acceptance_private import leaks, plain_kernel
from ttctl.rules.acceptance_text import file_name, file_text, read_file, signed_text

SIGNED = Signed(public_key="ssh-ed25519 AAAA", signature="BBBB")


def test_a_file_reads_back_as_the_same_run_and_the_same_bytes() -> None:
    text = file_text(RAN, SIGNED)
    found, signed = read_file(text)
    assert signed == SIGNED
    assert file_text(found, signed) == text
    assert signed_text(found) == signed_text(RAN)
    assert read_file(file_text(found, signed))[0] == found


def test_every_changed_byte_of_a_file_is_refused_or_is_another_run() -> None:
    text = file_text(RAN, SIGNED)
    for at in range(len(text)):
        flipped = text[:at] + chr(ord(text[at]) ^ 1) + text[at + 1 :]
        try:
            found, signed = read_file(flipped)
        except ValueError:
            continue
        assert (signed_text(found), signed) != (signed_text(RAN), SIGNED), at


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        pytest.param(["schema"], "ttctl.acceptance/2", "schema", id="another schema"),
        pytest.param(["signature"], 1, "signature", id="no signature"),
        pytest.param(["run", "verdict"], "great", "verdict", id="an unknown verdict"),
        pytest.param(["run", "date"], "today", "date", id="no day"),
        pytest.param(["run", "host"], "x", "host", id="a field more"),
        pytest.param(["run", "image_digest"], "sha256:1", "image_digest", id="no digest"),
        pytest.param(["run", "started_s"], True, "started_s", id="a truth for a number"),
        pytest.param(["run", "checks"], {}, "checks", id="no list"),
        pytest.param(["run", "checks", 0, "outcome"], "maybe", "outcome", id="unknown outcome"),
        pytest.param(["run", "tiers", 0, "requests"], -1, "requests", id="a count below zero"),
        pytest.param(["run", "tiers", 0, "figures", 0, "target"], "1", "target", id="text"),
        pytest.param(["run", "bench", "boards"], [["n150", "one"]], "boards", id="no count"),
        pytest.param(["run", "build", "modified"], 0, "modified", id="a number for a truth"),
        pytest.param(["run", "model"], "\u2028", "model", id="no plain text"),
    ],
)
def test_a_wrong_field_is_refused_by_its_name(path: list[Any], value: Any, said: str) -> None:  # noqa: ANN401
    whole = json.loads(file_text(RAN, SIGNED))
    inner = whole
    for one in path[:-1]:
        inner = inner[one]
    inner[path[-1]] = value
    with pytest.raises(ValueError, match=said):
        read_file(json.dumps(whole, sort_keys=True, indent=1) + "\n")


@pytest.mark.parametrize("text", ["", "[]", "{}", "[" * 100_000, "NaN", '{"schema": 1}'])
def test_what_is_no_result_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_file(text)


def test_a_file_is_named_by_day_device_and_entry_in_letters_that_every_system_takes() -> None:
    assert file_name(RAN) == "2026-01-31-n150-id_test_small-1b_n150.json"
    assert "/" not in file_name(ran(entry="../../etc/passwd"))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        pytest.param({"model": "/srv/models/x"}, "model: a path", id="path"),
        pytest.param({"vllm": "at 10.1.2.3"}, "vllm: an address", id="address"),
        pytest.param({"contract": "0000:01:00.0"}, "contract: a PCI address", id="pci"),
        pytest.param({"engine": "02:42:ac:11:00:02"}, "engine: a network card", id="mac"),
        pytest.param({"implementation": "me@acme.example"}, "implementation: a person", id="mail"),
        pytest.param({"model": "hf_abcdefghijkl"}, "model: a password or a token", id="token"),
        pytest.param({"model": "Bearer abcdefghijkl"}, "model: a password", id="bearer"),
        pytest.param({"image": "forge-7:5000/a"}, "image: a word of this machine", id="host"),
        pytest.param({"vllm": "0100014211703000"}, "vllm: a word of this machine", id="serial"),
    ],
)
def test_what_names_a_machine_or_a_person_is_found_with_its_field(
    changes: dict[str, Any], said: str
) -> None:
    found = leaks(ran(**changes), ["forge-7", "0100014211703000", "root", "n15"])
    assert any(one.startswith(said) for one in found), found


def test_a_leak_in_a_checks_name_is_found_too() -> None:
    check = Check(name="saw /home/me", part="smoke", outcome="passed")
    assert leaks(replace(RAN, checks=(check,)), []) == ("checks[0].name: a path",)


def test_a_plain_run_says_nothing_of_anybody() -> None:
    assert leaks(RAN, ["forge-7", "root", "tenstorrent", ""]) == ()


@pytest.mark.parametrize(
    ("release", "plain"),
    [
        ("6.8.0-45-generic", "6.8.0-45"),
        ("5.15.167.4-acme-box7", "5.15.167.4"),
        ("6.1.0-9-amd64", "6.1.0-9"),
        ("custom", ""),
    ],
)
def test_of_a_kernel_only_the_numbers_are_told(release: str, plain: str) -> None:
    assert plain_kernel(release) == plain


def test_the_run_has_no_field_for_what_names_a_machine() -> None:
    names = " ".join((*Ran.__annotations__, *type(RAN.bench).__annotations__))
    for word in ("serial", "host", "user", "address", "key", "prompt", "path", "name"):
        assert word not in names.split("_")
        assert word not in names.split()
