# SPDX-License-Identifier: Apache-2.0
"""Is the short look at a lock as true as the long one, and as strict about what it shows?"""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import pytest
import tomlkit
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.adapters.test_lock_file import LOCK, values_of

from ttctl.adapters.lock_file import lock_text, read_lock
from ttctl.adapters.lock_glance import lock_summary
from ttctl.errors import BadFileError
from ttctl.model.lock_summary import LockSummary
from ttctl.rules import fingerprint

if TYPE_CHECKING:
    from pathlib import Path

SUMMARY = LockSummary(model=LOCK.model, device=LOCK.device, port=LOCK.port, reason=LOCK.reason)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "ttctl.lock"
    file.write_text(lock_text(LOCK), encoding="utf-8")
    return file


def outcome(read: object, file: Path) -> str:
    """Return what a reader says of a file: the values that are shown, or the four parts."""
    try:
        found = read(file)  # type: ignore[operator]
    except BadFileError as exc:
        return f"{exc.message}|{exc.why}|{exc.evidence}|{exc.next_step}"
    return f"{found.model} {found.device} {found.port} {found.reason}"


def test_a_lock_is_shown_as_it_was_written(file: Path) -> None:
    assert lock_summary(file) == SUMMARY


def test_no_lock_is_no_error(tmp_path: Path) -> None:
    assert lock_summary(tmp_path / "ttctl.lock") is None


def test_a_change_of_any_value_is_told_in_the_words_of_the_long_look(file: Path) -> None:
    text = lock_text(LOCK)
    for at, _, _ in values_of(text)[::7]:
        other = {"0": "1", "a": "b", '"': "x"}.get(text[at], "0" if text[at] != "0" else "1")
        file.write_text(text[:at] + other + text[at + 1 :], encoding="utf-8")
        assert outcome(lock_summary, file) == outcome(read_lock, file)
        with pytest.raises(BadFileError):
            lock_summary(file)


@given(st.binary(max_size=80))
@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_bytes_are_refused_as_the_long_look_refuses_them(tmp_path: Path, raw: bytes) -> None:
    file = tmp_path / "x.lock"
    file.write_bytes(raw)
    assert outcome(lock_summary, file) == outcome(read_lock, file)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"port": 0}, id="a port that is none"),
        pytest.param({"port": 70000}, id="a port beyond the last"),
        pytest.param({"port": "8000"}, id="a port in words"),
        pytest.param({"model": 5}, id="a model that is a number"),
    ],
)
def test_a_digest_that_fits_makes_no_bad_value_good(file: Path, change: dict[str, object]) -> None:
    values = tomllib.loads(lock_text(LOCK)) | change
    del values["schema"], values["digest"]
    head = {"schema": 1, "digest": f"sha256:{fingerprint.of_json(values)}"}
    file.write_text(tomlkit.dumps({**head, **values}), encoding="utf-8")
    with pytest.raises(BadFileError, match="does not hold what it must"):
        lock_summary(file)


def test_a_date_in_a_lock_is_refused_and_no_defect(file: Path) -> None:
    file.write_text("made = 2026-01-31\n" + lock_text(LOCK), encoding="utf-8")
    with pytest.raises(BadFileError):
        lock_summary(file)
