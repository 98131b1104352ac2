# SPDX-License-Identifier: Apache-2.0
"""Is the sentence of a script of ours told, and not what the builder makes of it?"""

from __future__ import annotations

import pytest

from ttctl.adapters.build_log import said


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        pytest.param((), "", id="nothing"),
        pytest.param(("#7 1.2 fatal: no", "ERROR: failed to solve"), "", id="no script of ours"),
        pytest.param(
            ("#7 1.2 ttctl: error: it has no setup.py", " > [3/4] RUN x:", "#7 done"),
            "it has no setup.py",
            id="ours",
        ),
        pytest.param(
            ("#7 1.2 ttctl: error: first", "1.2 ttctl: error: first", "ttctl: error: later"),
            "first",
            id="told again by the builder",
        ),
        pytest.param(
            ("ttctl: error: https://me:word@host/x cannot be fetched",),
            "https://***@host/x cannot be fetched",
            id="an address with a password",
        ),
    ],
)
def test_the_sentence_that_ended_a_build(lines: tuple[str, ...], sentence: str) -> None:
    assert said(lines) == sentence
