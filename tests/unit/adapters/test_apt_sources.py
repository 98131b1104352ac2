# SPDX-License-Identifier: Apache-2.0
"""Is a Debian host's mirror found, and nothing else?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ttctl.adapters.apt_sources import host_apt_sources

if TYPE_CHECKING:
    from pathlib import Path

MIRROR = "https://mirror.example.org/debian"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.pgp"


def host(
    root: Path, files: dict[str, str], *, distribution: str = "debian", codename: str = "trixie"
) -> Path:
    (root / "etc/apt/sources.list.d").mkdir(parents=True)
    release = f'NAME="A name"\nID={distribution}\nVERSION_CODENAME={codename}\n'
    (root / "etc/os-release").write_text(release, encoding="utf-8")
    for name, text in files.items():
        (root / "etc/apt" / name).write_text(text, encoding="utf-8")
    return root


def lines(root: Path) -> list[str]:
    return [one.value for one in host_apt_sources(root)]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param(f"deb {MIRROR} trixie main", ["bookworm"], id="another release"),
        pytest.param(f"deb {MIRROR} bookworm main contrib", ["bookworm"], id="the same release"),
        pytest.param(f"deb {MIRROR} stable main", ["bookworm"], id="by its role"),
        pytest.param(f"deb {MIRROR}/ trixie-updates main", ["bookworm-updates"], id="updates"),
        pytest.param(
            f"deb {MIRROR}-security trixie-security main", ["bookworm-security"], id="security"
        ),
        pytest.param(f"deb {MIRROR}-security buster/updates main", [], id="a release unknown here"),
        pytest.param(
            f"deb {MIRROR}-security oldstable/updates main",
            ["bookworm-security"],
            id="old spelling",
        ),
        pytest.param(
            f"deb [arch=amd64 signed-by={KEYRING}] {MIRROR} trixie main", ["bookworm"], id="options"
        ),
        pytest.param(f"deb [ arch=amd64 ] {MIRROR} trixie main # ours", ["bookworm"], id="comment"),
        pytest.param(
            f"deb [signed-by={KEYRING}] https://m.example.org/remote trixie main",
            ["bookworm"],
            id="a mirror of another name by its keyring",
        ),
        pytest.param(f"deb {MIRROR} trixie-backports main", [], id="backports"),
        pytest.param(f"deb {MIRROR} experimental main", [], id="experimental"),
        pytest.param(f"deb {MIRROR} trixie contrib", [], id="without main"),
        pytest.param(f"deb {MIRROR} ./", [], id="flat"),
        pytest.param(f"deb-src {MIRROR} trixie main", [], id="sources"),
        pytest.param(f"# deb {MIRROR} trixie main", [], id="disabled"),
        pytest.param("deb cdrom:[Debian 13]/debian trixie main", [], id="a disc"),
        pytest.param("deb file:/srv/debian trixie main", [], id="a folder"),
        pytest.param(
            "deb https://tool.example.org/linux/debian trixie stable",
            [],
            id="third party by component",
        ),
        pytest.param("deb https://tool.example.org/apt trixie main", [], id="third party by path"),
        pytest.param(
            "deb [signed-by=/etc/tool.gpg] https://tool.example.org/debian trixie main",
            [],
            id="third party by keyring",
        ),
    ],
)
def test_a_line_counts_if_it_is_the_distributions_own(
    tmp_path: Path, line: str, expected: list[str]
) -> None:
    root = host(tmp_path, {"sources.list": f"{line}\n"})
    assert [found.split()[2] for found in lines(root)] == expected


DEB822 = f"""\
# ours
Types: deb deb-src
URIs: {MIRROR}
Suites: trixie
 trixie-updates
Components: main
  contrib
Signed-By: {KEYRING}

Types: deb
URIs: {MIRROR}-security
Suites: trixie-security
Components: main
"""


def test_stanzas_give_one_line_for_each_suite_and_name_no_keyring(tmp_path: Path) -> None:
    root = host(tmp_path, {"sources.list.d/debian.sources": DEB822})
    assert lines(root) == [
        f"deb {MIRROR} bookworm main",
        f"deb {MIRROR} bookworm-updates main",
        f"deb {MIRROR}-security bookworm-security main",
    ]
    assert {one.source for one in host_apt_sources(root)} == {
        str(root / "etc/apt/sources.list.d/debian.sources")
    }


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(("Components: main", "Enabled: no\nComponents: main"), id="disabled"),
        pytest.param(("Types: deb", "Types: deb-src"), id="sources only"),
        pytest.param((KEYRING, "\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n xxx"), id="own key"),
    ],
)
def test_a_stanza_that_is_not_the_distributions_own_is_left_out(
    tmp_path: Path, change: tuple[str, str]
) -> None:
    first = DEB822.partition("\n\n")[0].replace("deb-src", "").replace(*change)
    assert lines(host(tmp_path, {"sources.list.d/debian.sources": first})) == []


def test_files_that_apt_skips_are_skipped_and_repeated_lines_appear_once(tmp_path: Path) -> None:
    line = f"deb {MIRROR} trixie main\n"
    root = host(
        tmp_path,
        {
            "sources.list": line,
            "sources.list.d/a.list": line,
            "sources.list.d/b.list.disabled": "deb https://off.example.org/debian trixie main\n",
        },
    )
    assert lines(root) == [f"deb {MIRROR} bookworm main"]


@pytest.mark.parametrize("distribution", ["ubuntu", "raspbian", "fedora"])
def test_another_distribution_has_no_mirror_to_learn(tmp_path: Path, distribution: str) -> None:
    root = host(
        tmp_path, {"sources.list": f"deb {MIRROR} trixie main\n"}, distribution=distribution
    )
    assert lines(root) == []


def test_a_machine_without_any_of_the_files_has_no_sources(tmp_path: Path) -> None:
    assert lines(tmp_path) == []
