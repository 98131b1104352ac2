# SPDX-License-Identifier: Apache-2.0
"""Is a lock read back as it was written, and is every change of it seen?"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ttctl.adapters.lock_file import lock_text, read_lock
from ttctl.adapters.lock_glance import lock_summary
from ttctl.errors import BadFileError
from ttctl.model.image import BaseImage
from ttctl.model.lock import Lock, LockedFile, LockedImage, LockedWeights

if TYPE_CHECKING:
    from pathlib import Path

LOCK = Lock(
    stack="llama",
    requested="llama",
    model="acme/Small-1B",
    device="cpu",
    engine="vllm",
    reason='the "catalog" says so',
    max_model_len=4096,
    max_num_seqs=8,
    block_size=64,
    port=8000,
    base=BaseImage(
        origin="registry",
        reference="ttctl/rootfs:bookworm-1",
        source="registry.example.org/library/debian:bookworm-slim",
        digest=f"sha256:{'d' * 64}",
        reason="the registry answers",
    ),
    images=(
        LockedImage(name="base", reference="ttctl/base:1", fingerprint="1" * 64),
        LockedImage(name="vllm-cpu", reference="ttctl/vllm-cpu:2", fingerprint="2" * 64),
    ),
    weights=LockedWeights(
        kind="hub",
        repository="acme/Small-1B",
        revision="a" * 40,
        files=(
            LockedFile(path="config.json", size_bytes=12, sha256=""),
            LockedFile(path="a/model.safetensors", size_bytes=100, sha256="e" * 64),
        ),
    ),
    catalog_sha256="c" * 64,
    files_sha256="f" * 64,
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "ttctl.lock"
    file.write_text(lock_text(LOCK), encoding="utf-8")
    return file


def refusal(file: Path, text: str) -> BadFileError:
    file.write_text(text, encoding="utf-8")
    with pytest.raises(BadFileError) as caught:
        read_lock(file)
    return caught.value


def test_a_lock_is_read_back_as_it_was_written(file: Path) -> None:
    assert read_lock(file) == LOCK


def test_flags_that_the_user_named_are_read_back_and_none_leave_no_trace(file: Path) -> None:
    lock = read_lock(file)
    assert lock is not None
    assert "engine_args" not in file.read_text(encoding="utf-8")
    named = replace(lock, engine_args=(("dtype", "bfloat16"), ("enforce-eager", "")))
    file.write_text(lock_text(named), encoding="utf-8")
    assert read_lock(file) == named


def test_why_something_is_tried_is_read_back_and_what_is_validated_leaves_no_trace(
    file: Path,
) -> None:
    assert "experimental" not in file.read_text(encoding="utf-8")
    tried = replace(LOCK, experimental="nobody validated it")
    file.write_text(lock_text(tried), encoding="utf-8")
    assert read_lock(file) == tried
    summary = lock_summary(file)
    assert summary is not None
    assert summary.experimental == "nobody validated it"


def test_no_lock_is_no_error(tmp_path: Path) -> None:
    assert read_lock(tmp_path / "ttctl.lock") is None


def test_equal_locks_give_equal_bytes() -> None:
    assert lock_text(replace(LOCK)) == lock_text(LOCK)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    text=st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
    port=st.integers(1, 65535),
)
def test_any_text_in_a_lock_is_read_back(tmp_path: Path, text: str, port: int) -> None:
    lock = replace(LOCK, reason=text, requested=text, port=port)
    file = tmp_path / "ttctl.lock"
    file.write_text(lock_text(lock), encoding="utf-8", newline="")
    assert read_lock(file) == lock


def values_of(text: str) -> list[tuple[int, int, str]]:
    """Return (offset, line number, key) of each character of each value."""
    places: list[tuple[int, int, str]] = []
    offset = 0
    for number, line in enumerate(text.splitlines(keepends=True), start=1):
        if found := re.match(r"(\w+) = (.*)\n", line):
            begin = offset + found.start(2)
            places += [(begin + at, number, found[1]) for at in range(len(found[2]))]
        offset += len(line)
    return places


def test_every_change_of_one_character_of_a_value_is_refused_with_file_line_and_key(
    file: Path,
) -> None:
    text = lock_text(LOCK)
    places = values_of(text)
    assert len(places) > 800
    for at, number, key in places:
        other = {"0": "1", "a": "b", '"': "x"}.get(text[at], "0" if text[at] != "0" else "1")
        error = refusal(file, text[:at] + other + text[at + 1 :])
        where = f"{text[:at]}>{text[at]}->{other}<"[-40:]
        assert str(file) in error.evidence, where
        assert re.search(r"\bline \d+", error.evidence), where
        line = int(re.findall(r"\bline (\d+)", error.evidence)[0])
        # A value that is still allowed is told by the digest's line, whose key is the witness.
        assert line == number or "key digest" in error.evidence, (where, key, error.evidence)


@pytest.mark.parametrize("flip", [0x01, 0x20, 0x80, 0xFF], ids=hex)
def test_every_flip_of_a_byte_is_refused_in_blanks_and_comments_too(file: Path, flip: int) -> None:
    whole = file.read_bytes()
    for at in range(len(whole)):
        file.write_bytes(whole[:at] + bytes([whole[at] ^ flip]) + whole[at + 1 :])
        with pytest.raises(BadFileError):
            read_lock(file)
        with pytest.raises(BadFileError):
            lock_summary(file)


def test_an_end_of_a_line_that_became_another_is_refused(file: Path) -> None:
    for end in (b"\r", b"\r\n"):
        file.write_bytes(lock_text(LOCK).encode().replace(b"\n", end))
        with pytest.raises(BadFileError):
            read_lock(file)


def test_a_lock_from_before_the_seal_is_read_as_it_was(file: Path) -> None:
    head, _, body = lock_text(LOCK).split("\n", 2)
    file.write_text(f"{head}\n{body}", encoding="utf-8")
    assert read_lock(file) == LOCK
    assert lock_summary(file) is not None


@pytest.mark.parametrize(
    ("old", "new", "line", "key"),
    [
        pytest.param("port = 8000", "port = 0", "port = ", "port", id="out of range"),
        pytest.param("port = 8000", 'port = "8000"', "port = ", "port", id="a string"),
        pytest.param('kind = "hub"', 'kind = "hug"', "kind = ", "weights.kind", id="a choice"),
        pytest.param(
            f'revision = "{"a" * 40}"', 'revision = "main"', "revision =", "weights.revision",
            id="a branch",
        ),
        pytest.param(
            f'sha256 = "{"e" * 64}"', 'sha256 = "e"', 'sha256 = "e"', "weights.files.1.sha256",
            id="second of a list",
        ),
        pytest.param(
            'path = "a/model.safetensors"', 'path = "../x"', 'path = "../x"',
            "weights.files.1.path", id="a path that leads out",
        ),
        pytest.param(
            'reference = "ttctl/vllm-cpu:2"', 'reference = "a b"', 'reference = "a b"',
            "images.1.reference", id="second image",
        ),
        pytest.param(
            f'digest = "sha256:{"d" * 64}"', 'digest = "d"', 'digest = "d"', "base.digest",
            id="the base image's digest, not the file's",
        ),
        pytest.param("stack = ", "stak = ", "stak = ", "stak", id="an unknown key"),
    ],
)  # fmt: skip
def test_a_value_that_is_not_allowed_is_refused_with_its_own_line_and_key(
    file: Path, old: str, new: str, line: str, key: str
) -> None:
    text = lock_text(LOCK)
    assert text.count(old) == 1
    error = refusal(file, text.replace(old, new))
    lines = file.read_text(encoding="utf-8").splitlines()
    expected = next(number for number, one in enumerate(lines, start=1) if one.startswith(line))
    assert f"line {expected}, key {key}:" in error.evidence


def test_a_lock_of_a_newer_ttctl_says_to_upgrade(file: Path) -> None:
    text = lock_text(LOCK).replace("schema = 1", "schema = 2\nnew_key = [1, 2]")
    error = refusal(file, text)
    assert "has schema 2" in error.message
    assert "line 3, key schema" in error.evidence
    assert error.next_step == "pip install --upgrade ttctl"


@pytest.mark.parametrize("keep", [0, 1, 100, 300, 700, -100, -1])
def test_a_lock_that_was_cut_short_is_refused_with_a_way_out(file: Path, keep: int) -> None:
    text = lock_text(LOCK)
    error = refusal(file, text[:keep])
    assert error.exit_code == 9
    assert error.next_step.startswith("mv ")


@pytest.mark.parametrize("raw", [b"\xff\xfe", b"\0" * 100, b"a = 1\n" * 3], ids=repr)
def test_what_is_no_lock_at_all_is_refused(file: Path, raw: bytes) -> None:
    file.write_bytes(raw)
    with pytest.raises(BadFileError):
        read_lock(file)


@given(st.binary(max_size=80))
@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_bytes_are_a_lock_or_refused(tmp_path: Path, raw: bytes) -> None:
    file = tmp_path / "x.lock"
    file.write_bytes(raw)
    with pytest.raises(BadFileError):
        read_lock(file)


CHANGES: dict[str, Any] = {
    "port": 8001,
    "reason": "another",
    "weights": replace(LOCK.weights, revision="b" * 40),
    "base": replace(LOCK.base, digest=""),
    "images": LOCK.images[:1],
    "files_sha256": "",
}


@pytest.mark.parametrize("name", CHANGES)
def test_different_locks_have_different_digests(name: str) -> None:
    def digest(lock: Lock) -> str:
        return lock_text(lock).splitlines()[3]

    assert digest(LOCK).startswith("digest = ")
    assert digest(replace(LOCK, **{name: CHANGES[name]})) != digest(LOCK)


def test_a_checkout_in_place_of_a_commit_stands_in_the_lock(file: Path) -> None:
    mine = LockedImage(
        name="tt-metal",
        reference="ttctl/tt-metal:3",
        fingerprint="3" * 64,
        unvalidated="tt-metal=/src/tt metal",
    )
    commits = (("tt-metal", f"local-{'4' * 64}"), ("vllm", "5" * 40))
    lock = replace(LOCK, images=(*LOCK.images, mine), commits=commits)
    file.write_text(lock_text(lock))
    assert read_lock(file) == lock
    assert lock_summary(file) is not None
    # An image without one looks as it always did.
    assert lock_text(LOCK).count("unvalidated") == 0


def test_a_lock_of_an_entry_with_pins_is_read_back_also_where_a_limit_is_not_known(
    file: Path,
) -> None:
    lock = replace(
        LOCK,
        device="n150",
        max_model_len=0,
        max_num_seqs=0,
        block_size=0,
        implementation="tt_transformers",
        contract="vllm-legacy",
        image_uid=2001,
        images=(
            LockedImage(
                name="vllm", reference=f"h.example.org/v@sha256:{'3' * 64}", fingerprint="3" * 64
            ),
        ),
        commits=(("tt-metal", "4" * 40), ("vllm", "5" * 40)),
    )
    file.write_text(lock_text(lock), encoding="utf-8")
    assert read_lock(file) == lock


def test_what_older_locks_did_not_have_leaves_no_trace_so_that_theirs_still_fit(
    file: Path,
) -> None:
    text = file.read_text(encoding="utf-8")
    for key in (
        "engine_args",
        "experimental",
        "commits",
        "implementation",
        "contract",
        "image_uid",
    ):
        assert f"{key} = " not in text, key
    assert read_lock(file) == LOCK


def test_a_limit_below_nothing_is_refused(file: Path) -> None:
    error = refusal(file, lock_text(LOCK).replace("block_size = 64", "block_size = -1"))
    assert "key block_size" in error.evidence


def test_whom_a_pulled_image_starts_as_is_kept_and_older_locks_say_nothing_of_it(
    tmp_path: Path,
) -> None:
    assert lock_text(LOCK).count("user") == 0
    (first, *rest) = LOCK.images
    told = replace(LOCK, images=(replace(first, user="container_app_user"), *rest))
    path = tmp_path / "ttctl.lock"
    path.write_text(lock_text(told), encoding="utf-8")
    assert read_lock(path) == told
    path.write_text(lock_text(told).replace("container_app_user", "a b"), encoding="utf-8")
    with pytest.raises(BadFileError, match="does not hold what it must"):
        read_lock(path)
