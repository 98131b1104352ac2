# SPDX-License-Identifier: Apache-2.0
"""Is it said what comes before the first start of a folder that was rendered?"""

from __future__ import annotations

from pathlib import Path

import pytest

from ttctl.cli.render import before_a_start
from ttctl.operations.plan import Rendered


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (("compose.yaml",), ""),
        (("compose.yaml", "prepare.sh"), "before its first start: sh '/my folder/prepare.sh'"),
        (
            ("HOSTS.md", "compose.yaml", "hosts.sh", "prepare.sh"),
            "before its first start: read '/my folder/HOSTS.md'",
        ),
    ],
)
def test_what_comes_before_the_first_start_is_said(files: tuple[str, ...], said: str) -> None:
    assert before_a_start(Rendered(folder=Path("/my folder"), files=files)) == said
