# SPDX-License-Identifier: Apache-2.0
"""Does what stands behind `--` reach the engine, and only where it does no harm?"""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttctl.errors import UsageError
from ttctl.model.spec import Request
from ttctl.rules.engine_flags import ALLOWED, REFUSED, merged, parse, with_engine_words

MODEL = Request(model="llama")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        pytest.param(["--max-num-seqs", "8"], (("max-num-seqs", "8"),), id="two words"),
        pytest.param(["--max-num-seqs=8"], (("max-num-seqs", "8"),), id="one word"),
        pytest.param(["--max_num_seqs", "8"], (("max-num-seqs", "8"),), id="underscores"),
        pytest.param(["--enforce-eager"], (("enforce-eager", ""),), id="bare"),
        pytest.param(
            ["--seed", "1", "--dtype", "bfloat16", "--seed=2"],
            (("dtype", "bfloat16"), ("seed", "2")),
            id="the later one wins",
        ),
        pytest.param(
            ["--limit-mm-per-prompt", '{"image": 2}'],
            (("limit-mm-per-prompt", '{"image": 2}'),),
            id="an object",
        ),
        pytest.param([], (), id="nothing"),
    ],
)
def test_flags_are_read_in_every_spelling_of_the_engine(
    words: list[str], expected: tuple[tuple[str, str], ...]
) -> None:
    assert parse(words) == expected


@pytest.mark.parametrize(
    ("flag", "why"),
    [
        pytest.param("--host", "the one door", id="address"),
        pytest.param("--api-key", "the one door", id="key"),
        pytest.param("--ssl-keyfile", "the one door", id="TLS"),
        pytest.param("--served-model-name", "stand in the catalog", id="name"),
        pytest.param("--hf-token", "stand in the catalog", id="token"),
        pytest.param("--trust-remote-code", "loads code", id="remote code"),
        pytest.param("--tool-parser-plugin", "loads code", id="plugin"),
        pytest.param("--worker-extension-cls", "loads code", id="class"),
        pytest.param("--allowed-local-media-path", "reads files", id="files"),
        pytest.param("--config", "reads files", id="settings file"),
        pytest.param("--tensor-parallel-size", "validated", id="layout"),
        pytest.param("--enable-log-requests", "what people ask", id="prompts"),
        pytest.param("--otlp-traces-endpoint", "another host", id="telemetry"),
        pytest.param("--no-such-flag", "not among the flags", id="unknown"),
        pytest.param("--TRUST_REMOTE_CODE", "loads code", id="other spelling"),
    ],
)
def test_what_is_not_on_the_list_is_refused_with_the_reason(flag: str, why: str) -> None:
    for words in ([flag, "x"], [f"{flag}=x"], [flag]):
        with pytest.raises(UsageError, match=re.escape(flag)) as caught:
            parse(words)
        assert why in caught.value.why


def test_a_flag_that_is_nearly_right_is_told_which_one_is_near() -> None:
    with pytest.raises(UsageError) as caught:
        parse(["--max-num-seq", "8"])
    assert caught.value.evidence.startswith("Nearest: --max-num-seqs. Allowed: async-scheduling, ")
    assert caught.value.meant == "--max-num-seqs"


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(["--max-num-seqs", "many"], id="no number"),
        pytest.param(["--max-num-seqs"], id="no value"),
        pytest.param(["--max-num-seqs", "-1"], id="below zero"),
        pytest.param(["--enforce-eager=1"], id="a value behind a bare flag"),
        pytest.param(["--enforce-eager", "yes"], id="a word behind a bare flag"),
        pytest.param(["--dtype", "../secret"], id="a path"),
        pytest.param(["--quantization", "a b"], id="two words in one"),
        pytest.param(["--limit-mm-per-prompt", "[1]"], id="no object"),
        pytest.param(["--limit-mm-per-prompt", '{"a":\n1}'], id="a line end"),
        pytest.param(["--kv-cache-memory-bytes", "much"], id="no size"),
        pytest.param(["8"], id="no flag"),
        pytest.param(["-tp", "2"], id="a short flag"),
    ],
)
def test_a_value_that_is_not_of_its_kind_is_refused(words: list[str]) -> None:
    with pytest.raises(UsageError):
        parse(words)


@given(st.lists(st.text(max_size=30) | st.sampled_from([f"--{name}" for name in ALLOWED])))
def test_any_words_are_flags_of_the_list_or_refused(words: list[str]) -> None:
    try:
        found = parse(words)
    except UsageError:
        return
    assert {name for name, _ in found} <= ALLOWED.keys()
    assert all(value.isprintable() for _, value in found)


def test_no_flag_is_both_allowed_and_refused() -> None:
    for name in ALLOWED:
        assert not [why for pattern, why in REFUSED if re.fullmatch(pattern, name)], name


def test_a_limit_behind_the_dashes_is_the_option_of_that_name() -> None:
    request = with_engine_words(MODEL, ["--max-num-seqs", "8", "--seed", "1"])
    assert request.max_num_seqs == 8
    assert request.engine_args == (("seed", "1"),)


def test_a_limit_that_is_given_twice_and_differs_is_refused() -> None:
    with pytest.raises(UsageError, match="given twice") as caught:
        with_engine_words(Request(model="llama", max_num_seqs=4), ["--max-num-seqs", "8"])
    assert caught.value.evidence == "Before `--`: 4; behind it: 8."
    same = with_engine_words(Request(model="llama", max_num_seqs=8), ["--max-num-seqs", "8"])
    assert same.max_num_seqs == 8


def test_nothing_behind_the_dashes_changes_nothing() -> None:
    assert with_engine_words(MODEL, []) is MODEL
    assert with_engine_words(MODEL, ["--max-num-seqs", "8"]).engine_args is None


def test_the_users_flag_takes_the_catalogs_place_and_its_opposite_away() -> None:
    ours = (("enforce-eager", ""), ("kv-cache-memory-bytes", "1G"))
    theirs = (("kv-cache-memory-bytes", "2G"), ("no-enforce-eager", ""))
    assert merged(ours, theirs) == theirs
    assert merged(ours, (("seed", "1"),)) == (*ours, ("seed", "1"))
    assert merged(ours, ()) == ours


def test_a_flag_is_the_same_with_dashes_and_underscores_and_keeps_the_catalogs_spelling() -> None:
    ours = (("max_model_len", "65536"), ("max-log-len", "32"), ("enable_prefix_caching", ""))
    theirs = (("max-model-len", "1024"), ("no-enable-prefix-caching", ""))
    assert merged(ours, theirs) == (
        ("max-log-len", "32"),
        ("max_model_len", "1024"),
        ("no-enable-prefix-caching", ""),
    )
