# SPDX-License-Identifier: Apache-2.0
"""Is a rate what was counted between two looks, and never below 0?"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ttctl.rules.live_rates import rate

COUNTS = st.floats(min_value=0, max_value=1e15)


@pytest.mark.parametrize(
    ("before", "after", "seconds", "expected"),
    [
        pytest.param(10, 30, 2.0, 10.0, id="it grew"),
        pytest.param(10, 10, 2.0, 0.0, id="nothing happened"),
        pytest.param(500, 6, 2.0, 3.0, id="it was started anew and has counted since"),
        pytest.param(500, 0, 2.0, 0.0, id="it was started anew"),
        pytest.param(None, 10, 2.0, None, id="the first look"),
        pytest.param(10, None, 2.0, None, id="it does not count any more"),
        pytest.param(10, 20, None, None, id="no time is known"),
        pytest.param(10, 20, 0.0, None, id="the same moment"),
        pytest.param(10, 20, -1.0, None, id="a clock that went back"),
        pytest.param(10, 20, float("nan"), None, id="a time that is none"),
    ],
)
def test_a_rate_is_the_growth_in_a_second(
    before: float | None, after: float | None, seconds: float | None, expected: float | None
) -> None:
    assert rate(before, after, seconds=seconds) == expected


@given(COUNTS, COUNTS, st.floats(min_value=0.05, max_value=1e6))
def test_no_two_looks_give_a_rate_below_0(before: float, after: float, seconds: float) -> None:
    found = rate(before, after, seconds=seconds)
    assert found is not None
    assert found >= 0
