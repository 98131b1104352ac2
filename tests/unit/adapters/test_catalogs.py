# SPDX-License-Identifier: Apache-2.0
"""Is the right catalog used, is it asked for when it is time, and is nothing damaged ever read?"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.standins.catalog_server import CatalogServer, catalog_server
from tests.unit.fakes import HUB_MODEL

from ttctl.adapters import places
from ttctl.adapters.catalog_store import UNUSED_S, CatalogStore
from ttctl.adapters.catalogs import KnownCatalogs
from ttctl.errors import BadFileError, OfflineError, TtctlError, UsageError
from ttctl.model.pins import Advice, Origin, Pins, Quarantined
from ttctl.model.site import Site, Sourced
from ttctl.rules.catalog_names import YOUNG_S

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from ttctl.model.spec import ModelSpec

PINS = Pins(
    tt_metal="c49bb76",
    image="registry.example.com/vllm:1",
    version="0.18.0",
    contract="vllm-current",
    recipe="vllm-fork",
    flag="--additional-config",
)
NEWEST = "/tenstorrent/tt-inference-server/HEAD/release_model_spec.json"
TAGGED = "/tenstorrent/tt-inference-server/refs/tags/v0.19.0/release_model_spec.json"
OLD = "/tenstorrent/tt-inference-server/refs/tags/v0.9.0/model_specs_output.json"


def export(release: str = "0.19.0", model: str = "acme/One") -> bytes:
    """Return a made-up export, for the made-up reader below."""
    return json.dumps({"release_version": release, "models": [model]}).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    release: str
    specs: tuple[ModelSpec, ...]
    quarantined: tuple[Quarantined, ...] = ()
    raw: Mapping[str, Mapping[str, object]] = field(default_factory=dict)


def read(data: bytes, name: str) -> Read:
    try:
        said = json.loads(data)
        models = [str(one) for one in said["models"]]
        specs = tuple(replace(HUB_MODEL, model=one, device="n150", pins=PINS) for one in models)
        return Read(release=str(said["release_version"]), specs=specs)
    except (ValueError, KeyError, TypeError, RecursionError) as exc:
        raise BadFileError(f"{name} is no export.", next_step="ttctl models ls") from exc


class BuiltIn:
    """A shipped catalog with one entry of upstream's and one of ours."""

    def specs(self) -> tuple[ModelSpec, ...]:
        return (HUB_MODEL, replace(HUB_MODEL, model="acme/Shipped", device="n150", pins=PINS))

    def sha256(self) -> str:
        return "b" * 64

    def origin(self) -> Origin:
        return Origin(release="0.20.0", source="built-in", date="2026-08-14", sha256="a" * 64)

    def quarantined(self) -> tuple[Quarantined, ...]:
        return ()

    def advice(self) -> Advice:
        return Advice()

    def raw(self, spec_id: str) -> Mapping[str, object]:
        raise UsageError(f"There is no entry {spec_id!r}.")


class Place:
    """A user's folders, a clock and a server."""

    def __init__(self, folder: Path, server: CatalogServer) -> None:
        self.folder, self.server = folder, server
        self.now = 1_000_000.0
        self.site = Site(catalog_mirror=Sourced(value=f"{server.url()}/", source="a test"))

    @property
    def catalogs(self) -> KnownCatalogs:
        """What one command has."""
        return KnownCatalogs(
            self.folder / "state",
            built_in=BuiltIn(),
            shipped=places.catalog(),
            cache=self.folder / "cache",
            site=lambda: self.site,
            read=read,
            now=lambda: self.now,
        )

    def refresh(self, name: str | None = None, **how: Any) -> Any:  # noqa: ANN401 - flags
        return self.catalogs.refresh(name, **{"force": False, "dry_run": False} | how)

    def models(self, name: str = "", *, fetch: bool = False) -> list[str]:
        return [one.model for one in self.catalogs.chosen(name, fetch=fetch).specs()]

    def stored(self) -> Path:
        (found,) = (self.folder / "state/exports").glob("*.json")
        return found


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with catalog_server() as server:
        server.files[NEWEST] = export("0.21.0", "acme/New")
        server.files[TAGGED] = export()
        server.files[OLD] = export("0.9.0", "acme/Old")
        yield Place(tmp_path, server)


def test_the_built_in_catalog_is_used_until_another_one_was_fetched(place: Place) -> None:
    assert place.models() == ["acme/Small-1B", "acme/Shipped"]
    told = place.refresh()
    assert (told.outcome, told.catalog.release, told.entries) == ("fetched", "0.21.0", 2)
    assert place.models() == ["acme/New", "acme/Small-1B"]
    assert place.server.asked == [(NEWEST, "")]
    assert place.refresh("built-in").outcome == "built-in"
    assert place.models() == ["acme/Small-1B", "acme/Shipped"]


def test_a_release_comes_from_its_tag_and_an_old_one_has_the_old_files_name(place: Place) -> None:
    assert place.refresh("v0.19.0").address == place.server.url(TAGGED)
    assert place.refresh("0.9.0").address == place.server.url(OLD)
    assert place.models("0.19.0") == ["acme/One", "acme/Small-1B"]
    assert place.models() == ["acme/Old", "acme/Small-1B"]


def test_a_mirror_that_serves_another_release_under_the_name_is_found_out(place: Place) -> None:
    place.server.files[TAGGED] = export("0.18.0")
    with pytest.raises(BadFileError, match=r"not the catalog of release 0\.19\.0"):
        place.refresh("0.19.0")
    assert place.models() == ["acme/Small-1B", "acme/Shipped"]


def test_a_mirror_can_be_typed_in_place_of_the_sites(place: Place) -> None:
    place.site = Site()
    assert place.refresh(place.server.url("/")).catalog.release == "0.21.0"


def test_a_file_is_copied_and_stays_when_the_file_goes(place: Place, tmp_path: Path) -> None:
    file = tmp_path / "mine.json"
    file.write_bytes(export("0.1.0", "acme/Mine"))
    assert place.models(str(file)) == ["acme/Mine", "acme/Small-1B"]
    assert place.refresh(str(file)).address == str(file)
    file.unlink()
    assert place.models() == ["acme/Mine", "acme/Small-1B"]
    with pytest.raises(BadFileError, match="cannot be read"):
        place.models(str(file))


def test_a_young_copy_is_not_asked_for_again_unless_forced_and_then_by_its_etag(
    place: Place,
) -> None:
    place.refresh()
    place.now += YOUNG_S - 1
    assert place.refresh().outcome == "young"
    assert len(place.server.asked) == 1
    forced = place.refresh(force=True)
    assert (forced.outcome, forced.catalog.age_s) == ("unchanged", 0)
    assert place.server.asked[1][1] == forced.etag != ""
    place.now += YOUNG_S
    place.server.files[NEWEST] = export("0.22.0", "acme/Newer")
    assert place.refresh().catalog.release == "0.22.0"
    assert place.models() == ["acme/Newer", "acme/Small-1B"]


def test_a_dry_run_asks_nobody_and_changes_nothing(place: Place) -> None:
    told = place.refresh(dry_run=True)
    assert (told.outcome, told.address) == ("would-ask", place.server.url(NEWEST))
    assert told.catalog.source == "built-in"
    assert place.server.asked == []
    assert not (place.folder / "state").exists()
    place.refresh()
    assert place.refresh(dry_run=True).outcome == "young"
    assert place.refresh("built-in", dry_run=True).catalog.release == "0.21.0"
    assert place.models() == ["acme/New", "acme/Small-1B"]


@pytest.mark.parametrize("fault", ["500", "404", "html", "/round"])
def test_a_refresh_that_fails_keeps_the_last_good_one_and_says_its_age(
    place: Place, fault: str
) -> None:
    place.refresh()
    place.server.faults = {NEWEST: fault, "/round": "/round"}
    place.now += 3 * YOUNG_S
    told = place.refresh()
    assert (told.outcome, told.catalog.age_s) == ("kept", 3 * YOUNG_S)
    assert told.exit_code in {8, 9}
    assert told.failure in f"{told.catalog.note} {told.failure}"
    assert "The last good copy is used." in told.catalog.note
    assert place.models() == ["acme/New", "acme/Small-1B"]


def test_a_refresh_that_fails_with_nothing_here_is_refused(place: Place) -> None:
    place.server.faults[NEWEST] = "500"
    with pytest.raises(OfflineError):
        place.refresh()
    assert place.models() == ["acme/Small-1B", "acme/Shipped"]


def test_what_comes_damaged_is_set_aside_and_the_last_good_one_is_used(place: Place) -> None:
    place.refresh()
    place.now += YOUNG_S
    place.server.files[NEWEST] = b'{"release_version": "0.22.0", "models": ['
    told = place.refresh()
    assert (told.outcome, told.exit_code) == ("kept", BadFileError.exit_code)
    (aside,) = (place.folder / "state/aside").iterdir()
    assert str(aside) in told.failure
    assert aside.read_bytes() == place.server.files[NEWEST]
    assert place.models() == ["acme/New", "acme/Small-1B"]


def test_a_stored_copy_that_was_changed_is_set_aside_and_said_and_never_used(
    place: Place,
) -> None:
    place.refresh()
    place.stored().write_bytes(export("0.21.0", "evil/Model"))
    catalog = place.catalogs.chosen()
    assert [one.model for one in catalog.specs()] == ["acme/Small-1B", "acme/Shipped"]
    assert "its SHA-256 is" not in catalog.origin().note
    assert "is damaged" in catalog.origin().note
    assert "The built-in catalog is used." in catalog.origin().note
    assert not list((place.folder / "state/exports").iterdir())
    assert len(list((place.folder / "state/aside").iterdir())) == 2
    assert place.catalogs.chosen().origin().note == ""


def test_a_damaged_copy_is_fetched_anew_and_not_taken_for_the_last_good_one(place: Place) -> None:
    place.refresh()
    place.stored().write_bytes(b"x")
    assert place.refresh().outcome == "fetched"
    assert [etag for _, etag in place.server.asked] == ["", ""]
    place.stored().write_bytes(b"x")
    place.server.faults[NEWEST] = "500"
    with pytest.raises(OfflineError):
        place.refresh()


def test_only_what_may_fetch_asks_for_an_address_and_listing_names_the_command(
    place: Place,
) -> None:
    place.server.files["/mine"] = export("0.5.0", "acme/Five")
    url = place.server.url("/mine")
    with pytest.raises(UsageError) as refused:
        place.models(url)
    assert refused.value.next_step == f"ttctl models refresh {url}"
    assert place.server.asked == []
    assert place.models(url, fetch=True) == ["acme/Five", "acme/Small-1B"]
    place.now += YOUNG_S
    assert place.models(url) == ["acme/Five", "acme/Small-1B"]
    assert len(place.server.asked) == 1
    place.models(url, fetch=True)
    assert len(place.server.asked) == 2
    assert place.models() == ["acme/Small-1B", "acme/Shipped"], "naming one does not choose it"


def test_an_old_copy_serves_a_plan_where_its_address_does_not_answer(place: Place) -> None:
    place.server.files["/mine"] = export("0.5.0", "acme/Five")
    url = place.server.url("/mine")
    place.models(url, fetch=True)
    place.now += 2 * YOUNG_S
    place.server.faults["/mine"] = "500"
    origin = place.catalogs.chosen(url, fetch=True).origin()
    assert origin.age_s == 2 * YOUNG_S
    assert "It answered 500" in origin.note


def test_a_release_that_is_here_is_not_asked_for_since_releases_do_not_change(
    place: Place,
) -> None:
    assert place.catalogs.chosen("0.20.0", fetch=True).origin().source == "built-in"
    assert place.server.asked == []
    assert place.models("0.19.0", fetch=True) == ["acme/One", "acme/Small-1B"]
    place.now += 9 * YOUNG_S
    assert place.models("0.19.0", fetch=True) == ["acme/One", "acme/Small-1B"]
    assert len(place.server.asked) == 1


def test_a_login_and_a_token_are_sent_and_kept_nowhere(place: Place) -> None:
    place.server.files["/mine?token=canary"] = export()
    place.refresh(f"http://me:canary@127.0.0.1:{place.server.port}/mine?token=canary")
    kept = [path for path in place.folder.rglob("*") if path.is_file()]
    assert kept
    assert not [path for path in kept if b"canary" in path.read_bytes()]


def test_old_exports_and_what_a_kill_left_are_swept_and_the_used_one_stays(place: Place) -> None:
    place.refresh()
    exports = place.folder / "state/exports"
    stray = exports / ".ttctl-left"
    stray.write_text("half")
    (exports / f"{'0' * 64}.json").write_text("unused")
    for path in exports.iterdir():
        os.utime(path, (1, 1))
    assert UNUSED_S
    place.refresh(force=True)
    assert [path.name for path in exports.iterdir()] == [place.stored().name]


def test_a_kill_between_the_export_and_its_record_leaves_the_old_pair(place: Place) -> None:
    place.refresh()
    newer = export("0.22.0", "acme/Newer")
    name = f"{hashlib.sha256(newer).hexdigest()}.json"
    (place.folder / "state/exports" / name).write_bytes(newer)
    assert place.models() == ["acme/New", "acme/Small-1B"]
    assert place.catalogs.chosen().origin().note == ""


def test_a_kill_while_it_comes_leaves_what_was_there(place: Place, tmp_path: Path) -> None:
    place.refresh()
    before = {path: path.read_bytes() for path in place.folder.rglob("*") if path.is_file()}
    place.server.faults[NEWEST] = "drip"
    environ = {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    mirror = {"TTCTL_CATALOG_MIRROR": place.server.url("/")}
    words = [sys.executable, "-m", "ttctl.cli.main", "models", "refresh"]
    child = subprocess.Popen(words, env=environ | mirror)
    deadline = time.monotonic() + 20
    while len(place.server.asked) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    child.kill()
    child.wait(timeout=10)
    assert len(place.server.asked) == 2
    assert not list(tmp_path.glob(".local/**/*.json"))
    assert {path: path.read_bytes() for path in before} == before


@given(data=st.binary(max_size=400), where=st.sampled_from(["exports", "records", "current"]))
def test_whatever_bytes_are_stored_a_catalog_or_a_refusal_comes_of_them(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, where: str
) -> None:
    folder = tmp_path_factory.mktemp("any")
    place = Place(folder, CatalogServer())
    (folder / "mine.json").write_bytes(export())
    place.refresh(str(folder / "mine.json"))
    target = folder / "state" / where
    path = target if where == "current" else next(iter(target.iterdir()))
    path.write_bytes(data)
    assert place.models()
    (folder / "mine.json").write_bytes(data)
    with suppress(TtctlError):
        assert place.models(str(folder / "mine.json"))


FIELDS = ["source", "release", "sha256", "size_bytes", "etag", "fetched_s", "confirmed_s"]
JSON = st.recursive(
    st.none() | st.integers() | st.text(),
    lambda one: st.lists(one) | st.dictionaries(st.sampled_from(FIELDS), one),
)


@given(data=JSON | st.fixed_dictionaries(dict.fromkeys(FIELDS, st.integers() | st.text())))
def test_whatever_json_a_record_is_it_is_a_record_or_none(
    tmp_path_factory: pytest.TempPathFactory, data: object
) -> None:
    folder = tmp_path_factory.mktemp("record")
    (folder / "records").mkdir()
    (folder / "records/x.json").write_text(json.dumps(data))
    assert CatalogStore(folder).records() == ()
    assert not (folder / "records/x.json").exists()


def test_a_file_whose_head_names_no_release_has_the_one_that_is_read_of_it(
    place: Place, tmp_path: Path
) -> None:
    file = tmp_path / "mine.json"
    file.write_bytes(json.dumps({"release_version": 0.2, "models": ["acme/Mine"]}).encode())
    for _ in range(2):  # read, and then compiled
        assert place.catalogs.named(str(file)).origin().release == "0.2"
