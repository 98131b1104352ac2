# SPDX-License-Identifier: Apache-2.0
"""Is a place's way out judged by what it is needed for, and no password shown?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.unit.fakes import at

from ttctl.model.health import Destination, PlaceVitals
from ttctl.model.site import Site
from ttctl.rules.site_health import (
    addresses_check,
    ca_check,
    offline_check,
    reach_check,
    settings_check,
)

if TYPE_CHECKING:
    from ttctl.model.health import Use

PLACE = PlaceVitals(now=2, installed=1, synchronised=True)
BUNDLE = Site(ca_bundle=at("/etc/ca.pem", "SSL_CERT_FILE"))
INDEX = Destination(
    name="package index",
    url="https://ann:secret@index.example.org/simple",
    source="PIP_INDEX_URL",
    use="build",
    setting="pip_index_url",
)


def test_settings_that_can_be_read_are_counted() -> None:
    assert settings_check(Site()).summary == "nothing is peculiar here"
    assert settings_check(BUNDLE).summary.startswith("1 found")


def test_a_bundle_that_can_be_used_passes() -> None:
    assert ca_check(Site(), PLACE).summary == "the system's"
    check = ca_check(BUNDLE, replace(PLACE, certificates=140, expired=4))
    assert (check.verdict, check.summary) == ("ok", "140 certificates, 4 past their end")


@pytest.mark.parametrize(
    ("place", "said"),
    [
        pytest.param(replace(PLACE, ca_error="no file"), "no file", id="not there"),
        pytest.param(replace(PLACE, certificates=2, expired=2), "2 of 2", id="all expired"),
    ],
)
def test_a_bundle_that_is_of_no_use_fails(place: PlaceVitals, said: str) -> None:
    check = ca_check(BUNDLE, place)
    assert check.verdict == "failed"
    assert said in check.evidence
    assert "/etc/ca.pem (from SSL_CERT_FILE)" in check.evidence
    assert check.fix in {"unset SSL_CERT_FILE", "ttctl config set site.ca_bundle FILE"}


def test_a_setting_that_names_no_address_fails() -> None:
    check = addresses_check(replace(PLACE, refusal="'x' is no mirror."))
    assert (check.verdict, check.evidence) == ("failed", "'x' is no mirror.")


def test_offline_nothing_is_asked_and_it_is_said_by_whom() -> None:
    check = offline_check(Site(offline=at("1", "--offline")), (INDEX, INDEX))
    assert check.verdict == "skipped"
    assert check.summary == "offline by --offline: 2 addresses were not asked"


def test_an_address_that_answers_is_told_by_its_host_alone() -> None:
    check = reach_check(INDEX, reason="", building=True)
    assert check.verdict == "ok"
    assert "secret" not in check.summary
    assert check.summary.endswith("index.example.org answers")


@pytest.mark.parametrize(
    ("use", "building", "verdict"),
    [
        ("proxy", False, "failed"),
        ("build", True, "failed"),
        ("build", False, "warning"),
        ("weights", True, "warning"),
        ("base", True, "warning"),
        ("sources", True, "warning"),
    ],
)
def test_a_silent_address_fails_where_nothing_stands_in(
    use: Use, verdict: str, *, building: bool
) -> None:
    silent = Destination(
        name="x", url="https://ann:secret@x.example.org", source="y", use=use, setting="registry"
    )
    check = reach_check(silent, reason="no answer within 5 s", building=building)
    assert (check.verdict, check.summary) == (verdict, "no answer within 5 s")
    assert "secret" not in check.evidence
    assert check.fix == "ttctl config set site.registry HOST"


def test_where_a_wheelhouse_is_set_another_index_is_named() -> None:
    index = replace(INDEX, name="index torch-cpu", setting="wheelhouses", use="sources")
    fixes = [
        reach_check(index, reason="no answer", building=True, has_wheels=has).fix
        for has in (False, True)
    ]
    assert fixes == [
        "ttctl config set site.wheelhouses FOLDER",
        "ttctl config set site.pip_extra_index_urls https://INDEX/simple",
    ]


def test_a_wheelhouse_is_there_or_fails() -> None:
    house = replace(INDEX, name="wheelhouse", url="", path="/opt/wheels", setting="wheelhouses")
    assert reach_check(house, reason="", building=True).summary == "/opt/wheels"
    gone = reach_check(house, reason="the folder is not there", building=False)
    assert (gone.verdict, gone.summary) == ("failed", "the folder is not there")
