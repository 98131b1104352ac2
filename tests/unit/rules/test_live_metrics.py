# SPDX-License-Identifier: Apache-2.0
"""Are the families that count read from whatever Prometheus' format allows, and nothing else?"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.living import GATEWAY_UP, VLLM

from ttctl.rules.live_metrics import (
    OF_ENGINE,
    OF_GATEWAY,
    Backend,
    Figures,
    Sample,
    backends,
    figures,
    samples,
)

NAME = "vllm:num_requests_running"
ONE = frozenset({NAME})


def test_vllms_figures_are_summed_over_their_labels() -> None:
    text = VLLM.format(tokens="1.234e+03", requests=7)
    assert figures(samples(text, OF_ENGINE)) == Figures(
        requests=8, tokens=1234, running=2, waiting=1
    )


def test_our_own_engines_count_what_they_answered_and_no_look_at_them() -> None:
    text = (
        'ttctl_sd_requests_total{path="/metrics",status="200"} 90\n'
        'ttctl_sd_requests_total{path="/v1/images/generations",status="200"} 3\n'
        "ttctl_sd_waiting 1\nttctl_sd_running 1\n"
    )
    assert figures(samples(text, OF_ENGINE)) == Figures(requests=3, running=1, waiting=1)
    text = 'ttctl_direct_tokens_total{kind="prompt"} 90\nttctl_direct_tokens_total{kind="answer"} 5'
    assert figures(samples(text, OF_ENGINE)) == Figures(tokens=5)


def test_an_engine_of_its_own_families_says_nothing_here() -> None:
    assert figures(samples("http_requests_total 5\n", OF_ENGINE)) == Figures()


def test_the_gateway_of_one_engine_has_it_without_a_prefix() -> None:
    found = backends(samples(GATEWAY_UP.format(requests=12), OF_GATEWAY))
    assert found == (Backend(service="vllm", base="", up=True, requests=12, waiting=0),)


def test_the_gateway_of_several_engines_has_each_behind_its_name() -> None:
    text = (
        'haproxy_server_status{proxy="api",server="api",state="UP"} 0\n'
        'haproxy_server_status{proxy="api",server="api",state="DOWN"} 1\n'
        'haproxy_server_status{proxy="vllm",server="vllm",state="UP"} 1\n'
        'haproxy_backend_current_queue{proxy="vllm"} 4\n'
        'haproxy_backend_http_requests_total{proxy="vllm"} 7\n'
    )
    assert backends(samples(text, OF_GATEWAY)) == (
        Backend(service="api", base="/api", up=False, requests=0, waiting=0),
        Backend(service="vllm", base="/vllm", up=True, requests=7, waiting=4),
    )


@pytest.mark.parametrize(
    ("line", "value"),
    [
        pytest.param(f"{NAME} 3", 3, id="no labels"),
        pytest.param(f'{NAME}{{a="}}",b="x"}} 3 1700000000000', 3, id="a brace, and a time"),
        pytest.param(f'{NAME} {{ a = "x" , }} 3', 3, id="blanks and a last comma"),
        pytest.param(f"{NAME}\t0.5e1", 5, id="an exponent"),
        pytest.param(f"{NAME}{{}} 3\r", 3, id="an end of Windows"),
    ],
)
def test_what_the_format_allows_is_read(line: str, value: float) -> None:
    (found,) = samples(f"# HELP {NAME} Words.\n\n{line}\n", ONE)
    assert found.value == value


@pytest.mark.parametrize("value", ["NaN", "+Inf", "-Inf", "-1"])
def test_a_value_that_counts_nothing_is_left_out(value: str) -> None:
    assert samples(f"{NAME} {value}\n{NAME} 2", ONE) == (Sample(name=NAME, labels={}, value=2),)


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(NAME, id="no value"),
        pytest.param(f"{NAME} x", id="no number"),
        pytest.param(f"{NAME} 1_0", id="a number of Python's"),
        pytest.param(f"{NAME} \u0661", id="a digit of another script"),
        pytest.param(f"{NAME}{{a=x}} 1", id="a label without quotes"),
        pytest.param(f'{NAME}{{a="x}} 1', id="quotes that stay open"),
        pytest.param(f"{NAME} 1 2 3", id="too much"),
    ],
)
def test_a_line_of_a_family_that_is_no_sample_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r"num_requests|a="):
        samples(line, ONE)
    assert samples(line.replace(NAME, "another"), ONE) == ()


@given(
    st.dictionaries(st.from_regex(r"[a-z_][a-z0-9_]{0,8}", fullmatch=True), st.text(max_size=20)),
    st.floats(min_value=0, max_value=1e18),
)
def test_what_is_written_as_the_format_says_is_read_back(
    labels: dict[str, str], value: float
) -> None:
    escaped = {
        name: text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
        for name, text in labels.items()
    }
    inside = ",".join(f'{name}="{text}"' for name, text in escaped.items())
    (found,) = samples(f"{NAME}{{{inside}}} {value!r}", ONE)
    assert (found.labels, found.value) == (labels, value)


@given(st.text(), st.text(alphabet=f'{NAME}{{}}",=\\ 0123456789.eNaInf+-\n\t'))
def test_any_text_is_read_or_refused_and_nothing_below_0_comes_of_it(any_: str, near: str) -> None:
    for text in (any_, near, f"{NAME}{near}", f"{NAME}{{{near}}} 1"):
        try:
            found = samples(text, ONE)
        except ValueError:
            continue
        assert all(one.name == NAME and one.value >= 0 for one in found)
