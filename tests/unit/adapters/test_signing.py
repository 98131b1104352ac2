# SPDX-License-Identifier: Apache-2.0
"""Does only the signed file pass, by the real ssh-keygen?"""

from __future__ import annotations

import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.unit.accepted import RAN, ran
from tests.unit.fakes import CARD_MODEL

from ttctl.adapters import signing
from ttctl.adapters.hardware import KeptResults, read_result, told, write_result
from ttctl.errors import BadFileError, ToolMissingError
from ttctl.model.acceptance import Signed
from ttctl.model.pins import Pins
from ttctl.rules.acceptance_text import file_text, signed_text

if TYPE_CHECKING:
    from pathlib import Path

    from ttctl.model.acceptance import Ran
    from ttctl.model.spec import ModelSpec


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return signing.own_key(tmp_path_factory.mktemp("state") / "acceptance")


def kept(folder: Path, key: Path, run: Ran = RAN) -> Path:
    return write_result(folder, run, signing.sign(signed_text(run), key=key))


def test_a_result_that_was_signed_is_good_and_names_the_key_as_openssh_does(
    tmp_path: Path, key: Path
) -> None:
    found = told(read_result(kept(tmp_path, key)))
    said = subprocess.run(
        ["ssh-keygen", "-lf", str(key)], capture_output=True, text=True, check=True
    ).stdout
    assert found.signature == "good"
    assert found.signer == said.split()[1]
    assert (found.device, found.date, found.verdict) == ("n150", "2026-01-31", "passed")


def test_the_own_key_is_for_the_user_alone_made_once_and_names_nobody(tmp_path: Path) -> None:
    folder = tmp_path / "acceptance"
    made = signing.own_key(folder)
    assert signing.own_key(folder) == made
    assert made.stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    assert len((folder / "key.pub").read_text().split()) == 2
    assert len(signing.sign("x", key=made).public_key.split()) == 2


def test_a_flipped_byte_is_refused_with_the_path(tmp_path: Path, key: Path) -> None:
    path = kept(tmp_path, key)
    whole = path.read_bytes()
    at = 0
    # Each line's first letter and digit: 40 ms for a signature that reads well.
    for line in whole.splitlines(keepends=True):
        for inside in {len(line) - len(line.lstrip()) + 1, len(line) - 4, len(line) // 2}:
            spot = min(max(at + inside, at), len(whole) - 1)
            path.write_bytes(whole[:spot] + bytes([whole[spot] ^ 1]) + whole[spot + 1 :])
            with pytest.raises(BadFileError) as caught:
                told(read_result(path))
            assert str(path) in caught.value.message
        at += len(line)


@pytest.mark.parametrize("what", ["text", "key", "signature", "both"])
def test_what_another_key_signed_or_said_is_refused(tmp_path: Path, key: Path, what: str) -> None:
    other = signing.own_key(tmp_path / "other")
    good, theirs = (signing.sign(signed_text(RAN), key=one) for one in (key, other))
    mixed = {
        "text": signing.sign(signed_text(ran(date="2026-02-01")), key=key),
        "key": Signed(public_key=theirs.public_key, signature=good.signature),
        "signature": Signed(public_key=good.public_key, signature=theirs.signature),
        "both": Signed(public_key="ssh-ed25519 AAAA\nttctl * x", signature=good.signature),
    }[what]
    with pytest.raises(BadFileError, match="is not what was signed"):
        signing.check(signed_text(RAN), mixed, path=tmp_path / "x.json")


def test_a_signature_for_another_use_does_not_fit(tmp_path: Path, key: Path) -> None:
    text = tmp_path / "text"
    text.write_text(signed_text(RAN))
    subprocess.run(
        ["ssh-keygen", "-Y", "sign", "-q", "-n", "git", "-f", str(key), str(text)],
        check=True,
        capture_output=True,
    )
    armoured = (tmp_path / "text.sig").read_text()
    other = "".join(armoured.splitlines()[1:-1])
    signed = Signed(public_key=signing.sign("x", key=key).public_key, signature=other)
    with pytest.raises(BadFileError, match="is not what was signed"):
        signing.check(signed_text(RAN), signed, path=tmp_path / "x.json")


@pytest.mark.parametrize("kind", [["ecdsa", "256"], ["rsa", "2048"]])
def test_other_kinds_of_key_sign_too(tmp_path: Path, kind: list[str]) -> None:
    path = tmp_path / "id"
    subprocess.run(
        ["ssh-keygen", "-q", "-t", kind[0], "-b", kind[1], "-N", "", "-f", str(path)], check=True
    )
    assert told(read_result(kept(tmp_path / "out", path))).signature == "good"


def test_a_key_with_a_password_does_not_hang_and_says_what_helps(tmp_path: Path) -> None:
    path = tmp_path / "id"
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "secret", "-f", str(path)], check=True
    )
    with pytest.raises(BadFileError, match="does not sign") as caught:
        signing.sign("x", key=path)
    assert caught.value.next_step.startswith("ssh-add ")


def test_where_openssh_is_not_installed_a_result_is_told_as_not_checked(
    tmp_path: Path, key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = kept(tmp_path, key)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert told(read_result(path)).signature == "not checked"
    with pytest.raises(ToolMissingError) as caught:
        signing.sign("x", key=key)
    assert "openssh-client" in caught.value.next_step


def test_a_result_is_never_replaced(tmp_path: Path, key: Path) -> None:
    path = kept(tmp_path, key)
    before = path.read_bytes()
    assert kept(tmp_path, key, ran(verdict="failed")).name == f"{path.stem}-2.json"
    assert path.read_bytes() == before
    assert len(KeptResults(tmp_path).all()) == 2


def test_an_entrys_own_results_are_told_the_newest_first(tmp_path: Path, key: Path) -> None:
    kept(tmp_path, key)
    kept(tmp_path, key, ran(date="2026-02-01", verdict="failed"))
    kept(tmp_path, key, ran(entry="another"))
    results = KeptResults(tmp_path)
    own = results.ran(_entry(RAN.entry))
    assert [(one.date, one.verdict) for one in own] == [
        ("2026-02-01", "failed"), ("2026-01-31", "passed")
    ]  # fmt: skip
    assert len(results.all()) == 3
    assert results.ran(_entry("none")) == ()
    assert KeptResults(tmp_path / "missing").all() == ()


def test_a_damaged_file_is_refused_for_its_own_entry_and_for_no_other(
    tmp_path: Path, key: Path
) -> None:
    kept(tmp_path, key)
    damaged = kept(tmp_path, key, ran(entry="another"))
    damaged.write_text(damaged.read_text()[:-20])
    results = KeptResults(tmp_path)
    assert [one.verdict for one in results.ran(_entry(RAN.entry))] == ["passed"]
    assert results.ran(_entry("none")) == ()
    with pytest.raises(BadFileError) as caught:
        results.ran(_entry("another"))
    assert damaged.name in caught.value.message


def test_a_result_of_other_pins_says_so(tmp_path: Path, key: Path) -> None:
    kept(tmp_path, key)
    pins = Pins(
        tt_metal=RAN.tt_metal, vllm=RAN.vllm, image=RAN.image, version="0", contract="vllm-current",
        recipe="vllm-fork", flag="",
    )  # fmt: skip
    spec = replace(_entry(RAN.entry), pins=pins)
    assert KeptResults(tmp_path).ran(spec)[0].same_pins
    moved = replace(spec, pins=replace(pins, tt_metal="9" * 7))
    assert not KeptResults(tmp_path).ran(moved)[0].same_pins


def test_what_is_no_result_is_refused_with_its_path(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(b"\xff{}")
    with pytest.raises(BadFileError, match=r"x\.json' is no result"):
        KeptResults(tmp_path).all()


def test_the_file_holds_run_key_and_signature_and_nothing_else(tmp_path: Path, key: Path) -> None:
    signed = signing.sign(signed_text(RAN), key=key)
    path = write_result(tmp_path, RAN, signed)
    assert path.read_text() == file_text(RAN, signed)
    assert path.stat().st_mode & 0o777 == 0o644


def _entry(name: str) -> ModelSpec:
    return replace(CARD_MODEL, id=name)
