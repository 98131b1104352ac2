# SPDX-License-Identifier: Apache-2.0
"""Are several engines refused where they do not fit together, with the line that does?"""

from __future__ import annotations

import pytest

from ttctl.errors import NothingFitsError
from ttctl.model.spec import Request
from ttctl.rules.memory_sum import check_sum

ASKED = Request(model="llama", name="all", services=("chat", "api", "sd"))
ENGINES = (("vllm", 6144), ("api", 5120), ("sd", 12288))


@pytest.mark.parametrize(
    ("engines", "here"),
    [
        pytest.param(ENGINES, 23552, id="to the byte"),
        pytest.param(ENGINES, 0, id="memory not known"),
        pytest.param(ENGINES[:1], 1024, id="one alone may be tried"),
    ],
)
def test_what_fits_or_cannot_be_told_is_started(
    engines: tuple[tuple[str, int], ...], here: int
) -> None:
    words = ("chat", "api", "sd")[: len(engines)]
    check_sum(engines, here_mib=here, request=ASKED, words=words)


@pytest.mark.parametrize(
    ("here", "kept"),
    [
        pytest.param(20480, "chat,sd", id="the smallest that does"),
        pytest.param(16384, "chat,api", id="the largest"),
        pytest.param(8192, "chat", id="both"),
        pytest.param(1024, "chat", id="the own one is tried"),
    ],
)
def test_each_engine_is_named_and_a_line_that_fits_is_offered(here: int, kept: str) -> None:
    with pytest.raises(NothingFitsError) as caught:
        check_sum(ENGINES, here_mib=here, request=ASKED, words=("chat", "api", "sd"))
    error = caught.value
    assert error.message == "3 engines need more memory together than this machine has."
    assert error.why == f"Their limits are 23.0 GiB in all, and {here / 1024:.1f} GiB are here."
    assert error.evidence == "vllm 6.0 GiB, api 5.0 GiB, sd 12.0 GiB; nothing was changed."
    assert error.next_step == f"ttctl up llama --name all --with {kept}"


def test_without_a_page_what_is_left_is_said_to_be_none() -> None:
    with pytest.raises(NothingFitsError) as caught:
        check_sum(ENGINES[:2], here_mib=8192, request=ASKED, words=("api",))
    assert caught.value.next_step == "ttctl up llama --name all --with none"
