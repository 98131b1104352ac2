# SPDX-License-Identifier: Apache-2.0
"""Do the secrets of a build say what the site says, in each program's own syntax?"""

from __future__ import annotations

import configparser
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ttctl.errors import BadFileError
from ttctl.model.site import Site, Sourced
from ttctl.rules.site_files import site_files

GOLDEN = Path(__file__).parents[2] / "golden/site"

PRINTABLE = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=60)
"""What no setting is refused for, and pip takes for one value."""

FEW = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""For properties that start a program each time."""


def at(value: str, source: str = "test") -> Sourced:
    return Sourced(value=value, source=source)


FULL = Site(
    http_proxy=at("http://me:p%40ss@proxy.example.org:3128"),
    https_proxy=at("http://proxy.example.org:3128"),
    no_proxy=at("localhost,.example.org"),
    ca_bundle=at("/etc/ssl/corporate.pem"),
    pip_index_url=at("https://pip.example.org/simple"),
    pip_extra_index_urls=(at("https://a.example.org/simple"), at("https://b.example.org/simple")),
    pip_trusted_hosts=(at("pip.example.org"),),
    wheelhouses=(at("/srv/wheels"), at("https://wheels.example.org/")),
    git_mirror=(
        at("https://git.example.org/mirror"),
        at("https://forge.example.net/=https://me:p%40ss@git.example.org/forge/"),
    ),
    apt_sources=(
        at("deb https://mirror.example.org/debian bookworm main"),
        at("deb https://mirror.example.org/debian-security bookworm-security main"),
    ),
)

SITES = {
    "plain": Site(),
    "full": FULL,
    "wheelhouse-only": Site(wheelhouses=(at("/srv/wheels"),), pip_no_index=at("1")),
}


def secrets(site: Site) -> dict[str, str]:
    return dict(site_files(site, git_hosts=("https://public.example.com/",)).secrets)


@pytest.mark.parametrize("name", SITES)
def test_the_texts_are_those_of_the_golden_files(name: str) -> None:
    texts = secrets(SITES[name])
    folder = GOLDEN / name
    if os.environ.get("TTCTL_GOLDEN") == "write":
        folder.mkdir(parents=True, exist_ok=True)
        for secret, text in texts.items():
            (folder / secret).write_text(text, encoding="utf-8")
    assert texts == {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}


def test_the_bundle_and_the_folders_go_in_as_they_are() -> None:
    files = site_files(FULL)
    assert files.ca_bundle == "/etc/ssl/corporate.pem"
    assert files.wheelhouses == ("/srv/wheels",)


def test_a_place_without_anything_needs_no_environment_no_sources_and_no_bundle() -> None:
    files = site_files(Site())
    assert (files.ca_bundle, files.wheelhouses) == ("", ())
    assert dict(files.secrets)["site.env"] == dict(files.secrets)["sources.list"] == ""


def test_a_switch_that_is_off_is_not_written() -> None:
    assert "no-index" not in secrets(Site(pip_no_index=at("0")))["pip.conf"]


@FEW
@given(value=PRINTABLE | st.text(" !\"#$%&'()*;<>?[\\]^`{|}~", min_size=1))
def test_a_shell_reads_the_environment_back_as_it_was(value: str) -> None:
    text = secrets(Site(no_proxy=at(value), http_proxy=at(value)))["site.env"]
    script = text + 'printf "%s\\0" "$http_proxy" "$HTTP_PROXY" "$no_proxy" "$NO_PROXY"'
    run = subprocess.run(
        ["sh"],
        input=script,
        text=True,
        capture_output=True,
        check=True,
        env={"LC_ALL": "C.UTF-8"},
        encoding="utf-8",
    )
    assert run.stdout.split("\0") == [value, value, value, value, ""]


@given(index=PRINTABLE, extra=st.lists(PRINTABLE, max_size=3), host=PRINTABLE)
def test_pips_parser_reads_the_configuration_back_as_it_was(
    index: str, extra: list[str], host: str
) -> None:
    urls = [f"https://{one}" for one in extra]
    site = Site(
        pip_index_url=at(f"https://{index}"),
        pip_extra_index_urls=tuple(map(at, urls)),
        pip_trusted_hosts=(at(host),),
    )
    parser = configparser.RawConfigParser()
    parser.read_string(secrets(site)["pip.conf"])
    assert parser["global"]["index-url"] == f"https://{index}"
    assert parser["global"].get("extra-index-url", "").split() == urls
    assert parser["global"]["trusted-host"] == host


def apt_value(text: str, key: str) -> str:
    """Read a value as apt does: what stands between two quotes, as it is."""
    found = re.search(rf'^{re.escape(key)} "([^"]*)";$', text, re.MULTILINE)
    assert found
    return found[1]


@given(value=PRINTABLE)
def test_apts_rules_read_a_proxy_back_as_it_was(value: str) -> None:
    text = secrets(Site(http_proxy=at(value)))["apt.conf"]
    assert apt_value(text, "Acquire::http::Proxy") == value.replace('"', "%22")


@pytest.mark.skipif(shutil.which("apt-config") is None, reason="needs apt")
@FEW
@given(value=PRINTABLE)
def test_apt_itself_reads_a_proxy_back_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, value: str
) -> None:
    file = tmp_path_factory.mktemp("apt") / "apt.conf"
    file.write_text(secrets(Site(http_proxy=at(value)))["apt.conf"], encoding="utf-8")
    run = subprocess.run(
        ["apt-config", "dump", "--format", "%v%n", "Acquire::http::Proxy"],
        env={"APT_CONFIG": str(file), "PATH": os.environ["PATH"]},
        capture_output=True,
        check=True,
    )
    assert run.stdout.decode().splitlines()[0] == value.replace('"', "%22")


@pytest.mark.parametrize("bad", ["\n", "\r", "\t", "\0", "\x1b", "\u2028", "\udc80"])
@pytest.mark.parametrize("field", ["no_proxy", "pip_index_url", "apt_sources", "wheelhouses"])
def test_a_control_character_is_refused_with_the_setting_and_its_source_only(
    field: str, bad: str
) -> None:
    one = at(f"https://me:hidden@x.example.org{bad}deb evil", "HTTPS_PROXY")
    several = field in {"apt_sources", "wheelhouses"}
    values: dict[str, Any] = {field: (one,) if several else one}
    with pytest.raises(BadFileError, match=f"'{field}' holds a character") as caught:
        site_files(Site(**values))
    assert "HTTPS_PROXY" in caught.value.evidence
    assert "hidden" not in f"{caught.value!r}{vars(caught.value)}"


def test_an_index_with_a_space_is_refused_because_pip_would_part_it() -> None:
    with pytest.raises(BadFileError, match="'extra-index-url' holds a space"):
        site_files(Site(pip_extra_index_urls=(at("https://a b"),)))


def test_the_rules_need_no_library_that_touches_the_world() -> None:
    code = "import sys, ttctl.rules.site_files; sys.exit('urllib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
