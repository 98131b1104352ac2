# SPDX-License-Identifier: Apache-2.0
"""Are pip's files read as pip reads them?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ttctl.adapters.pip_config import index_folders, items, link_folders, read_pip
from ttctl.errors import BadFileError
from ttctl.model.site import Sourced

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def host(tmp_path: Path) -> Path:
    for folder in ("root", "home", "venv"):
        (tmp_path / folder).mkdir()
    return tmp_path


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def read(host: Path, environ: dict[str, str] | None = None) -> dict[str, Sourced]:
    return read_pip(environ or {}, root=host / "root", home=host / "home", prefix=host / "venv")


def index(name: str, section: str = "global") -> str:
    return f"[{section}]\nindex-url = https://{name}.example.org/simple\n"


XDG = "root/etc/xdg/pip/pip.conf"
ETC = "root/etc/pip.conf"
LEGACY = "home/.pip/pip.conf"
USER = "home/.config/pip/pip.conf"
VENV = "venv/pip.conf"


@pytest.mark.parametrize(
    ("files", "winner"),
    [
        pytest.param([XDG], XDG, id="the shared folder alone"),
        pytest.param([XDG, ETC], ETC, id="etc beats the shared folder"),
        pytest.param([ETC, LEGACY], LEGACY, id="the user beats etc"),
        pytest.param([LEGACY, USER], USER, id="the new user file beats the old one"),
        pytest.param([USER, VENV], VENV, id="the environment's own file beats the user"),
    ],
)
def test_of_two_files_the_one_that_pip_reads_later_wins(
    host: Path, files: list[str], winner: str
) -> None:
    for number, name in enumerate(files):
        write(host / name, index(f"i{number}"))
    found = read(host)["index-url"]
    assert found.source == str(host / winner)
    assert found.value == f"https://i{files.index(winner)}.example.org/simple"


def test_the_named_file_beats_all_others_and_takes_the_users_place(host: Path) -> None:
    write(host / USER, index("user") + "extra-index-url = https://extra.example.org\n")
    write(host / VENV, index("venv"))
    named = write(host / "named.conf", index("named"))
    found = read(host, {"PIP_CONFIG_FILE": str(named)})
    value = "https://named.example.org/simple"
    assert found == {"index-url": Sourced(value=value, source=str(named))}


def test_the_null_device_as_the_named_file_means_no_file_at_all(host: Path) -> None:
    write(host / ETC, index("etc"))
    assert "index-url" not in read(host, {"PIP_CONFIG_FILE": "/dev/null"})


def test_the_shared_and_the_users_folder_follow_their_variables(host: Path) -> None:
    shared = write(host / "xdg/pip/pip.conf", "[global]\ncert = /all.pem\n")
    own = write(host / "own/pip/pip.conf", "[global]\nproxy = http://p.example.org:1\n")
    found = read(host, {"XDG_CONFIG_DIRS": str(host / "xdg"), "XDG_CONFIG_HOME": str(host / "own")})
    assert found == {
        "cert": Sourced(value="/all.pem", source=str(shared)),
        "proxy": Sourced(value="http://p.example.org:1", source=str(own)),
    }


def test_the_section_of_install_beats_a_later_files_global_one(host: Path) -> None:
    write(host / ETC, index("install", "install"))
    write(host / USER, index("user"))
    write(host / VENV, index("freeze", "freeze"))
    assert read(host)["index-url"].value == "https://install.example.org/simple"


def test_a_variable_beats_every_file_unless_it_is_empty(host: Path) -> None:
    write(host / ETC, index("etc") + "trusted-host = etc.example.org\n")
    found = read(host, {"PIP_INDEX_URL": "https://v.example.org", "PIP_TRUSTED_HOST": ""})
    assert found["index-url"] == Sourced(value="https://v.example.org", source="PIP_INDEX_URL")
    assert found["trusted-host"].value == "etc.example.org"


def test_several_indexes_stand_on_one_line_or_on_lines_of_their_own(host: Path) -> None:
    urls = "https://a.example.org\n  https://b.example.org https://c.example.org"
    write(host / ETC, f"[global]\nextra_index_url =\n  {urls}\n")
    found = [one.value for one in items(read(host), "extra-index-url")]
    assert found == [f"https://{name}.example.org" for name in "abc"]


@pytest.mark.parametrize(
    ("content", "evidence"),
    [
        pytest.param(b"index-url = https://u:hidden@x\n", "line 1", id="no section"),
        pytest.param(b"[global]\n:hidden\n", "line 2", id="no name"),
        pytest.param(b"[global]\na = 1\na = hidden\n", "line 3", id="twice the same"),
        pytest.param(b"[global]\na = hidden\xff\n", "not UTF-8", id="not text"),
    ],
)
def test_a_file_that_pip_could_not_read_is_refused_without_its_content(
    host: Path, content: bytes, evidence: str
) -> None:
    write(host / ETC, "").write_bytes(content)
    with pytest.raises(BadFileError, match=r"pip\.conf' cannot be read") as caught:
        read(host)
    assert evidence in caught.value.evidence
    everything = f"{caught.value!r}{vars(caught.value)}"
    assert "hidden" not in everything
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_links_are_folders_that_exist_or_addresses(host: Path) -> None:
    wheels, own = host / "w heels", host / "home/own"
    wheels.mkdir()
    own.mkdir()
    given = (
        str(wheels),
        wheels.as_uri(),
        "~/own",
        "/does/not/exist",
        "file:///nor/this",
        "https://w.example.org/",
        "git+ssh://g.example.org/x",
    )
    links = [Sourced(value=value, source="here") for value in given]
    found = [one.value for one in link_folders(links, host / "home")]
    assert found == [str(wheels), str(own), "https://w.example.org/"]


def project(folder: Path, name: str, *links: str) -> None:
    anchors = "".join(f'<a href="{link}#sha256=0">x</a>' for link in links)
    write(folder / name / "index.html", f"<html><body>{anchors}</body></html>")


@pytest.mark.parametrize(
    ("links", "expected"),
    [
        pytest.param(["../../files/{}-1.whl"], "files", id="one shared folder"),
        pytest.param(["{}-1.whl", "{}-2.whl"], "simple", id="beside the page"),
        pytest.param(["../../files/{}/{}-1.whl"], "simple", id="a folder for each project"),
        pytest.param(["https://f.example.org/{}-1.whl"], "simple", id="addresses"),
        pytest.param([], "simple", id="no links"),
    ],
)
def test_an_index_in_a_folder_counts_as_the_folder_that_its_pages_lead_to(
    host: Path, links: list[str], expected: str
) -> None:
    for name in ("numpy", "torch", "vllm"):
        (host / "files" / name).mkdir(parents=True)
        project(host / "simple", name, *(link.replace("{}", name) for link in links))
    one = Sourced(value=(host / "simple").as_uri(), source="here")
    assert index_folders([one], host) == (Sourced(value=str(host / expected), source="here"),)


def test_an_index_that_is_reached_over_the_network_is_no_folder(host: Path) -> None:
    one = Sourced(value="https://i.example.org/simple", source="here")
    assert index_folders([one], host) == ()
