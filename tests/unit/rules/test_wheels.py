# SPDX-License-Identifier: Apache-2.0
"""Are the wheels of a requirements file found by their files' names?"""

from __future__ import annotations

import pytest

from ttctl.rules.wheels import wheel_key, wheel_names

REQUIREMENTS = """\
# a comment
--index-url https://index.example.org/simple
torch==2.9.0+cpu \\
    --hash=sha256:aaaa
pyyaml==6.0.2 --hash=sha256:bbbb
typing-extensions==4.15.0 --hash=sha256:cccc
zope.interface==7.2 ; python_version < "4" --hash=sha256:dddd
uvicorn[standard]==0.38.0 --hash=sha256:eeee
"""


@pytest.mark.parametrize(
    ("wheel", "wanted"),
    [
        pytest.param("torch-2.9.0+cpu-cp311-cp311-linux_x86_64.whl", True, id="local version"),
        pytest.param("torch-2.9.0%2Bcpu-cp311-cp311-linux_x86_64.whl", True, id="as a link has it"),
        pytest.param("torch-2.9.1+cpu-cp311-cp311-linux_x86_64.whl", False, id="other version"),
        pytest.param("PyYAML-6.0.2-cp311-cp311-linux_x86_64.whl", True, id="older wheels' case"),
        pytest.param("pyyaml-6.0.2-cp311-cp311-linux_x86_64.whl", True, id="newer wheels' case"),
        pytest.param("typing_extensions-4.15.0-py3-none-any.whl", True, id="a dash"),
        pytest.param("zope.interface-7.2-cp311-cp311-linux_x86_64.whl", True, id="a dot kept"),
        pytest.param("zope_interface-7.2-cp311-cp311-linux_x86_64.whl", True, id="a dot replaced"),
        pytest.param("uvicorn-0.38.0-py3-none-any.whl", True, id="with an extra"),
        pytest.param("torchvision-2.9.0+cpu-cp311-cp311-linux_x86_64.whl", False, id="other name"),
        pytest.param("torch.whl", False, id="no version"),
        pytest.param("README.txt", False, id="no wheel"),
    ],
)
def test_a_wheel_is_wanted_by_name_and_version(wheel: str, wanted: bool) -> None:  # noqa: FBT001
    assert (wheel_key(wheel) in wheel_names(REQUIREMENTS)) == wanted


def test_comments_options_and_hashes_ask_for_no_wheel() -> None:
    assert wheel_names("# a==1\n--hash=sha256:aa==1\n   \n") == frozenset()
