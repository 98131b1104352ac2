# SPDX-License-Identifier: Apache-2.0
"""uv, which reads no settings of pip's, installs from the place's index and leaves no password."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import pytest
from tests.standins.authority import Authority
from tests.standins.index import index_of, pinned, write_wheel
from tests.standins.metal_tools import metal_tools
from tests.standins.place import bridge_address, built, listed, settle
from tests.standins.traces import Traces, command_lines, traces_of

from ttctl.errors import BuildError

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.docker

WORD = f"canary{secrets.token_hex(10)}"
INSTALL = """\
FROM TOOLS AS build
COPY requirements.txt /requirements.txt
RUN {{ site_mounts }} --mount=type=cache,target=/root/.cache/uv \\
    with-site uv pip install --python python3 --no-deps --require-hashes --target /made \
--requirement /requirements.txt

FROM {{ parent }}
COPY --from=build /made /made
"""


def test_uv_asks_the_places_index_by_its_login_and_its_ca(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = write_wheel(tmp_path / "wheels", "wanted", f"MADE = {secrets.token_hex(8)!r}\n")
    address, authority = bridge_address(), Authority(tmp_path)
    tls = authority.server(address)
    with (
        metal_tools() as tools,
        index_of(wheel.parent, address=address, tls=tls, login=f"me:{WORD}") as (port, asked),
    ):
        place = {"TTCTL_CA_BUNDLE": str(authority.bundle)}
        url = f"https://me:{WORD}@{address}:{port}/simple"
        recipe = INSTALL.replace("TOOLS", tools)
        here = settle(monkeypatch, tmp_path, {**place, "PIP_INDEX_URL": url})
        with (
            command_lines() as commands,
            built(here, recipe, parent="base", requirements=pinned(wheel)) as image,
        ):
            assert "wanted.py" in listed(image, "/made")
            traces = traces_of(image, WORD)
        assert "GET /files/wanted-1.0-py3-none-any.whl" in asked
        assert traces.found == set()
        assert not [one for one in commands if Traces(WORD).holds(one.encode("latin-1"))]
        # The twin: without the bundle the index is not trusted.
        plain = settle(monkeypatch, tmp_path, {"PIP_INDEX_URL": url})
        fresh = recipe.replace("uv pip install", "uv pip install --refresh")
        with pytest.raises(BuildError):  # noqa: SIM117
            with built(plain, fresh, parent="base", requirements=pinned(wheel)):
                pass
    logs = "".join(log.read_text() for log in (tmp_path / "state").rglob("*.log"))
    assert WORD not in logs
