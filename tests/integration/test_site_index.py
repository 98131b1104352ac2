# SPDX-License-Identifier: Apache-2.0
"""An index that asks for a name and a password serves a build, and nobody learns the password."""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING

import pytest
from tests.standins.authority import Authority
from tests.standins.index import index_of, pinned, write_wheel
from tests.standins.place import INSTALL, alone, bridge_address, built, listed, run, settle
from tests.standins.traces import Traces, command_lines, traces_of

from ttctl.adapters.reach import reaches, why_not
from ttctl.errors import BuildError
from ttctl.model.site import Site, Sourced

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.docker

WORD = f"canary{secrets.token_hex(10)}"
LOGIN = f"me:{WORD}"


def at(value: str) -> Sourced:
    return Sourced(value=value, source="test")


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    return write_wheel(tmp_path / "wheels", "wanted", f"MADE = {secrets.token_hex(8)!r}\n")


@pytest.fixture
def index(wheel: Path, tmp_path: Path) -> Iterator[tuple[str, dict[str, str], list[str]]]:
    """Yield the index's address without a login, a place that trusts it, and what it was asked."""
    address, authority = bridge_address(), Authority(tmp_path)
    tls = authority.server(address)
    with index_of(wheel.parent, address=address, tls=tls, login=LOGIN) as (port, asked):
        place = {"TTCTL_CA_BUNDLE": str(authority.bundle)}
        yield f"https://{address}:{port}/simple", place, asked


def with_login(url: str, login: str = LOGIN) -> str:
    return url.replace("://", f"://{login}@")


def test_a_build_installs_from_it_and_the_password_is_left_nowhere(
    index: tuple[str, dict[str, str], list[str]],
    wheel: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url, place, asked = index
    here = settle(monkeypatch, tmp_path, {**place, "PIP_INDEX_URL": with_login(url)})
    secret = dict(here.builder.place_files(()).secrets)["pip.conf"]
    assert WORD in secret
    with (
        command_lines() as commands,
        built(here, INSTALL, parent="torch", requirements=pinned(wheel)) as image,
    ):
        assert "wanted.py" in listed(image, "/made")
        traces = traces_of(image, WORD)
    assert "GET /files/wanted-1.0-py3-none-any.whl" in asked
    assert traces.found == set()
    assert traces.files > 10
    assert any("buildx build" in command for command in commands)
    assert not [one for one in commands if Traces(WORD).holds(one.encode("latin-1"))]
    logs = "".join(log.read_text() for log in (tmp_path / "state").rglob("*.log"))
    assert "wanted" in logs
    assert WORD not in logs


@pytest.mark.parametrize("login", ["", "me:wrong"], ids=["no login", "a wrong password"])
def test_a_build_that_the_index_refuses_says_so_and_does_not_wait_for_a_password(
    index: tuple[str, dict[str, str], list[str]],
    wheel: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    login: str,
) -> None:
    url, place, asked = index
    named = {**place, "PIP_INDEX_URL": with_login(url, login) if login else url}
    there = settle(monkeypatch, tmp_path, named)
    with pytest.raises(BuildError) as refused:  # noqa: SIM117
        with built(there, INSTALL, parent="torch", requirements=pinned(wheel)):
            pass
    assert "refuses the name or the password" in refused.value.why, refused.value.evidence
    assert ("401" if login else "User for") in refused.value.evidence
    assert "me:wrong" not in json.dumps({k: str(v) for k, v in vars(refused.value).items()})
    assert asked == []


def test_before_a_build_it_is_said_that_the_password_is_wrong_or_missing(
    index: tuple[str, dict[str, str], list[str]],
) -> None:
    url, place, _ = index
    site = Site(ca_bundle=at(place["TTCTL_CA_BUNDLE"]))
    assert why_not(with_login(url), site) == ""
    # There is a way to it in any case, but nothing that could be installed.
    for login, said in (("me:wrong", "is refused"), ("", "it wants a name and a password")):
        named = with_login(url, login) if login else url
        assert reaches(named, site)
        reason = why_not(named, site)
        assert "401" in reason
        assert said in reason
        assert "wrong" not in reason


def test_the_settings_show_the_index_and_its_source_but_no_password(
    index: tuple[str, dict[str, str], list[str]], tmp_path: Path
) -> None:
    url, _, _ = index
    conf = tmp_path / "pip.conf"
    conf.write_text(f"[global]\nindex-url = {with_login(url)}\n", encoding="utf-8")
    place = {**alone(tmp_path), "PIP_CONFIG_FILE": str(conf)}
    shown = run("config", "site", environ=place)
    told = run("--json", "config", "site", environ=place)
    for text in (shown.stdout, told.stdout, shown.stderr, told.stderr):
        assert WORD not in text
    assert f"https://***@{url.partition('://')[2]}" in shown.stdout
    assert str(conf) in shown.stdout
    overridden = {**place, "TTCTL_PIP_INDEX_URL": "https://other.example.org/simple"}
    lines = run("config", "site", environ=overridden).stdout.splitlines()
    (line,) = [line for line in lines if line.startswith("pip_index_url")]
    assert line.split()[1:] == ["https://other.example.org/simple", "TTCTL_PIP_INDEX_URL"]
