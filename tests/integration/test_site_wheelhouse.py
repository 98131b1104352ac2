# SPDX-License-Identifier: Apache-2.0
"""A folder of wheels, or a page of them, is all that a build needs of packages."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import pytest
from tests.standins.authority import Authority
from tests.standins.index import index_of, pinned, write_wheel
from tests.standins.place import INSTALL, alone, bridge_address, built, listed, run, settle

from ttctl.errors import BuildError

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.docker


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    return write_wheel(tmp_path / "wheels", "wanted", f"MADE = {secrets.token_hex(8)!r}\n")


def test_a_folder_alone_serves_a_build_that_may_ask_no_index(
    wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = {"TTCTL_WHEELHOUSES": str(wheel.parent), "TTCTL_PIP_NO_INDEX": "1"}
    here = settle(monkeypatch, tmp_path, place)
    with built(here, INSTALL, parent="torch", requirements=pinned(wheel)) as image:
        assert "wanted.py" in listed(image, "/made")
    # The twin: the same place without the folder, and a wheel that no build has seen.
    other = write_wheel(tmp_path / "elsewhere", "wanted", f"MADE = {secrets.token_hex(8)!r}\n")
    there = settle(monkeypatch, tmp_path, {"TTCTL_PIP_NO_INDEX": "1"})
    with pytest.raises(BuildError) as refused:  # noqa: SIM117
        with built(there, INSTALL, parent="torch", requirements=pinned(other)):
            pass
    assert "wanted==1.0" in refused.value.evidence
    # A wheel of the right name with another content is refused by its hash.
    hides = {"TTCTL_WHEELHOUSES": str(wheel.parent), "TTCTL_PIP_NO_INDEX": "1"}
    there = settle(monkeypatch, tmp_path, hides)
    with pytest.raises(BuildError):  # noqa: SIM117
        with built(there, INSTALL, parent="torch", requirements=pinned(other)):
            pass
    logs = "".join(log.read_text() for log in (tmp_path / "state").rglob("*.log"))
    assert "Expected sha256" in logs


def test_a_page_of_links_serves_a_build_that_may_ask_no_index(
    wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, authority = bridge_address(), Authority(tmp_path)
    with index_of(wheel.parent, address=address, tls=authority.server(address)) as (port, asked):
        place = {
            "TTCTL_CA_BUNDLE": str(authority.bundle),
            "PIP_FIND_LINKS": f"https://{address}:{port}/links",
            "PIP_NO_INDEX": "1",
        }
        here = settle(monkeypatch, tmp_path, place)
        with built(here, INSTALL, parent="torch", requirements=pinned(wheel)) as image:
            assert "wanted.py" in listed(image, "/made")
    assert asked == ["GET /links", "GET /files/wanted-1.0-py3-none-any.whl"]


def test_the_settings_show_where_the_wheels_are_and_who_said_so(
    wheel: Path, tmp_path: Path
) -> None:
    conf = tmp_path / "pip.conf"
    conf.write_text(f"[global]\nfind-links = {wheel.parent}\nno-index = true\n", encoding="utf-8")
    place = {**alone(tmp_path), "PIP_CONFIG_FILE": str(conf)}
    shown = [line.split() for line in run("config", "site", environ=place).stdout.splitlines()]
    assert ["pip_no_index", "1", str(conf)] in shown
    assert ["wheelhouses", str(wheel.parent), str(conf)] in shown
    off = {**place, "TTCTL_WHEELHOUSES": "", "TTCTL_PIP_NO_INDEX": "0"}
    switched = run("config", "site", environ=off).stdout
    assert "wheelhouses" not in switched
    assert str(conf) not in switched
