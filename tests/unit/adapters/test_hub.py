# SPDX-License-Identifier: Apache-2.0
"""The hub's adapter against a small hub on loopback."""

from __future__ import annotations

import hashlib
import logging
import socket
from dataclasses import replace
from typing import TYPE_CHECKING

import httpx2
import pytest
from tests.standins.fake_hub import FakeHub, Fault

from ttctl.adapters.hub import HuggingFace
from ttctl.adapters.hub_transport import ByPlace, client
from ttctl.errors import BadFileError, OfflineError, PrivilegeError
from ttctl.model.lock import LockedFile, LockedWeights
from ttctl.model.site import Site, Sourced
from ttctl.model.spec import Weights

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LARGE = bytes(range(256)) * 400
TINY = Weights(kind="hub", repository="acme/tiny")


pytestmark = pytest.mark.usefixtures("no_token")


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with FakeHub() as one:
        one.add(
            "acme/tiny",
            {"config.json": b"{}", "model.safetensors": LARGE, "original/model.pth": b"x"},
            large={"model.safetensors"},
        )
        yield one


class Naps:
    """Waits that take no time."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self, seconds: float) -> None:
        self.seconds += seconds


def site_of(hub: FakeHub) -> Site:
    return Site(hub_endpoint=Sourced(value=hub.url, source="test"))


def adapter(hub: FakeHub, naps: Naps | None = None, *, answer_s: float = 5.0) -> HuggingFace:
    return HuggingFace(site_of(hub), pause=naps or Naps(), answer_s=answer_s)


def bring(
    hub: FakeHub, target: Path, *, path: str = "model.safetensors", naps: Naps | None = None
) -> tuple[str, int]:
    one = adapter(hub, naps)
    locked = one.snapshot(TINY)
    file = next(file for file in locked.files if file.path == path)
    counts: list[int] = []
    return one.bring(locked, file, target, counts.append), sum(counts)


def test_a_branch_becomes_a_commit_and_the_files_that_serving_needs(hub: FakeHub) -> None:
    locked = adapter(hub).snapshot(TINY)
    assert locked == LockedWeights(
        kind="hub",
        repository="acme/tiny",
        revision=hub.repositories["acme/tiny"].commit,
        files=(
            LockedFile(path="config.json", size_bytes=2, sha256=""),
            LockedFile(
                path="model.safetensors",
                size_bytes=len(LARGE),
                sha256=hashlib.sha256(LARGE).hexdigest(),
            ),
        ),
    )


def test_a_large_file_comes_whole_and_every_byte_is_counted(hub: FakeHub, tmp_path: Path) -> None:
    content_id, counted = bring(hub, tmp_path / "model")
    assert (tmp_path / "model").read_bytes() == LARGE
    assert counted == len(LARGE)
    assert content_id == hashlib.sha256(LARGE).hexdigest()


def test_a_small_file_comes_with_the_git_name_of_its_content(hub: FakeHub, tmp_path: Path) -> None:
    content_id, _ = bring(hub, tmp_path / "config", path="config.json")
    assert content_id == "9e26dfeeb6e641a33dae4961196235bdb965b21b"


def test_the_token_goes_to_the_hub_but_not_to_where_it_redirects_and_into_no_log(
    hub: FakeHub,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_canary")
    caplog.set_level(logging.DEBUG)
    bring(hub, tmp_path / "model")
    assert {one.token for one in hub.seen if not one.on_cdn} == {"Bearer hf_canary"}
    assert {one.token for one in hub.seen if one.on_cdn} == {""}
    assert "hf_canary" not in caplog.text


def test_a_cut_line_is_taken_up_where_it_broke(hub: FakeHub, tmp_path: Path) -> None:
    hub.faults.append(Fault("cut", "model.safetensors", at=60_000))
    bring(hub, tmp_path / "model")
    assert (tmp_path / "model").read_bytes() == LARGE
    assert hub.sent("model.safetensors") < len(LARGE) + 60_000
    assert [one.range for one in hub.seen if one.on_cdn][1].startswith("bytes=")


def test_a_server_without_ranges_makes_the_file_start_anew(hub: FakeHub, tmp_path: Path) -> None:
    (tmp_path / "model").write_bytes(LARGE[:100])
    hub.faults.append(Fault("no-range", "model.safetensors"))
    _, counted = bring(hub, tmp_path / "model")
    assert (tmp_path / "model").read_bytes() == LARGE
    assert counted == len(LARGE)


def test_a_line_that_always_breaks_is_given_up_after_three_tries(
    hub: FakeHub, tmp_path: Path
) -> None:
    hub.faults.append(Fault("cut", "model.safetensors", times=99))
    with pytest.raises(OfflineError, match="does not deliver") as caught:
        bring(hub, tmp_path / "model")
    assert hub.faults[0].times == 96
    assert "model.safetensors" in caught.value.evidence


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_passing_failure_is_waited_for_as_long_as_the_hub_says(
    hub: FakeHub, tmp_path: Path, status: int
) -> None:
    hub.faults.append(
        Fault("status", "/resolve/", status=status, headers={"Retry-After": "7"}, times=2)
    )
    naps = Naps()
    bring(hub, tmp_path / "model", naps=naps)
    assert naps.seconds == 14


def test_a_hub_that_asks_for_an_hour_is_not_waited_for(hub: FakeHub, tmp_path: Path) -> None:
    hub.faults.append(Fault("status", "/resolve/", status=429, headers={"Retry-After": "3600"}))
    naps = Naps()
    with pytest.raises(OfflineError) as caught:
        bring(hub, tmp_path / "model", naps=naps)
    assert caught.value.evidence.endswith("answered 429, and asks to come back after 3600 s.")
    assert naps.seconds == 0


def test_a_web_page_in_place_of_a_file_is_never_kept(hub: FakeHub, tmp_path: Path) -> None:
    hub.faults.append(Fault("html", "/large/", times=99))
    with pytest.raises(OfflineError) as caught:
        bring(hub, tmp_path / "model")
    assert "a web page came instead of the file" in caught.value.evidence
    assert not (tmp_path / "model").exists()


def test_a_file_of_another_length_is_not_what_the_lock_names(hub: FakeHub, tmp_path: Path) -> None:
    hub.faults.append(Fault("short", "model.safetensors", times=99))
    with pytest.raises(BadFileError) as caught:
        bring(hub, tmp_path / "model")
    assert "102399 bytes are offered, the lock says 102400" in caught.value.evidence


def test_a_mirror_that_serves_another_commit_is_found_out(hub: FakeHub, tmp_path: Path) -> None:
    one = adapter(hub)
    locked = one.snapshot(TINY)
    hub.repositories["acme/tiny"].claimed_commit = "b" * 40
    with pytest.raises(BadFileError) as caught:
        one.bring(locked, locked.files[0], tmp_path / "config", lambda _: None)
    assert "it is of the commit 'bbbb" in caught.value.evidence


@pytest.mark.parametrize(
    ("token", "status", "said"),
    [
        pytest.param("", 401, "no token in HF_TOKEN or ", id="without a token"),
        pytest.param("hf_canary", 403, "the token in HF_TOKEN was sent", id="terms not accepted"),
    ],
)
def test_a_gated_repository_is_refused_before_anything_is_fetched(
    hub: FakeHub, monkeypatch: pytest.MonkeyPatch, token: str, status: int, said: str
) -> None:
    monkeypatch.setenv("HF_TOKEN", token)
    hub.repositories["acme/tiny"].gated = True
    with pytest.raises(PrivilegeError, match="does not let this user read 'acme/tiny'") as caught:
        adapter(hub).snapshot(TINY)
    assert caught.value.evidence.startswith(f"It answered {status}; ")
    assert said in caught.value.evidence
    assert f"{hub.url}/acme/tiny" in caught.value.why
    assert "hf_canary" not in repr((vars(caught.value), str(caught.value)))


def test_a_gated_repository_opens_with_an_accepted_token(
    hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", hub.accepted)
    hub.repositories["acme/tiny"].gated = True
    bring(hub, tmp_path / "model")
    assert (tmp_path / "model").read_bytes() == LARGE


@pytest.mark.parametrize(
    ("weights", "code"),
    [
        pytest.param(Weights(kind="hub", repository="acme/none"), "RepoNotFound", id="repository"),
        pytest.param(
            Weights(kind="hub", repository="acme/tiny", revision="f" * 40),
            "RevisionNotFound",
            id="commit",
        ),
    ],
)
def test_what_the_hub_does_not_have_is_a_fault_of_the_catalog_or_the_lock(
    hub: FakeHub, weights: Weights, code: str
) -> None:
    with pytest.raises(BadFileError, match="does not have what the catalog or the lock") as caught:
        adapter(hub).snapshot(weights)
    assert code in caught.value.evidence


def test_a_repository_without_weights_that_can_be_served_is_refused(hub: FakeHub) -> None:
    hub.add("acme/tiny", {"model.gguf": b"x"}, large=set())
    with pytest.raises(BadFileError, match="Nothing in 'acme/tiny' can be served"):
        adapter(hub).snapshot(TINY)


def test_a_path_that_leads_out_of_the_folder_is_refused(hub: FakeHub) -> None:
    hub.add("acme/tiny", {"../model.safetensors": b"x"}, large=set())
    with pytest.raises(BadFileError):
        adapter(hub).snapshot(TINY)


def test_a_hub_that_is_slow_is_given_up_in_time(hub: FakeHub) -> None:
    hub.faults.append(Fault("slow", "/api/", seconds=2))
    with pytest.raises(OfflineError, match="does not deliver") as caught:
        adapter(hub, answer_s=0.1).snapshot(TINY)
    assert caught.value.evidence == "No answer within 0.1 s."


def test_a_login_page_in_place_of_the_hub_counts_as_no_hub(hub: FakeHub) -> None:
    hub.faults.append(Fault("html", "/api/"))
    with pytest.raises(OfflineError) as caught:
        adapter(hub).snapshot(TINY)
    assert "not a hub's" in caught.value.evidence


FOREIGN = [
    pytest.param({"Content-Type": "text/html"}, id="a filter's page"),
    pytest.param({}, id="no header at all"),
    pytest.param({"Content-Type": "text/html", "X-Request-Id": "1"}, id="a proxy that counts"),
]


@pytest.mark.parametrize("headers", FOREIGN)
@pytest.mark.parametrize("status", [401, 403, 404, 451, 502])
def test_a_failure_that_is_not_the_hubs_own_counts_as_no_hub(
    hub: FakeHub, tmp_path: Path, status: int, headers: dict[str, str]
) -> None:
    one = adapter(hub)
    locked = one.snapshot(TINY)
    fault = Fault("status", "/", status=status, headers=headers, times=99)
    hub.faults.append(fault)
    with pytest.raises(OfflineError, match="does not deliver") as caught:
        one.snapshot(TINY)
    assert f"answer{'ed' if status > 404 else ''} {status}" in caught.value.evidence
    with pytest.raises(OfflineError, match="does not deliver"):
        one.bring(locked, locked.files[0], tmp_path / "config", lambda _: None)


@pytest.mark.parametrize("header", ["X-Error-Code", "X-Error-Message", "X-Request-Id"])
def test_a_refusal_with_one_of_the_hubs_headers_is_the_hubs(hub: FakeHub, header: str) -> None:
    hub.faults.append(Fault("status", "/api/", status=403, headers={header: "x"}))
    with pytest.raises(PrivilegeError):
        adapter(hub).snapshot(TINY)


def test_a_closed_port_is_offline_and_a_password_in_the_address_is_not_shown() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    url = f"http://user:canary@127.0.0.1:{port}"
    site = Site(hub_endpoint=Sourced(value=url, source="test"))
    with pytest.raises(OfflineError) as caught:
        HuggingFace(site).snapshot(TINY)
    assert "ConnectError" in caught.value.evidence
    assert "canary" not in repr((vars(caught.value), str(caught.value)))


def test_the_librarys_own_offline_switch_is_obeyed(
    hub: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(OfflineError, match="may not be asked"):
        adapter(hub).snapshot(TINY)
    assert hub.seen == []


def test_the_sites_proxy_carries_every_request_but_those_to_this_machine(
    hub: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    away = Site(
        hub_endpoint=Sourced(value="http://hub.invalid", source="test"),
        http_proxy=Sourced(value=hub.url, source="test"),
    )
    with pytest.raises(BadFileError):
        HuggingFace(away).snapshot(Weights(kind="hub", repository="acme/other"))
    assert hub.seen[0].path.startswith("http://hub.invalid/api/models/acme/other")
    spared = Site(
        hub_endpoint=Sourced(value=hub.url, source="test"),
        http_proxy=Sourced(value="http://127.0.0.1:9", source="test"),
    )
    assert HuggingFace(spared).snapshot(TINY).revision


@pytest.mark.parametrize(
    "no_proxy",
    [
        "*",
        "a.example, .b.example,*.c.example",
        "10.0.0.0/8 ::1 [::1]:8080 10.1.2.3:80",
        "d.example:1",
    ],
)
def test_every_spelling_of_no_proxy_makes_a_client(no_proxy: str) -> None:
    proxy = Sourced(value="proxy.example:3128", source="test")
    site = Site(
        http_proxy=proxy, https_proxy=proxy, no_proxy=Sourced(value=no_proxy, source="test")
    )
    with client(site) as made:
        assert not made.trust_env


@pytest.mark.parametrize(
    ("address", "no_proxy", "through"),
    [
        ("http://hub.a.example/", "", True),
        ("http://hub.a.example/", "a.example", False),
        ("http://hub.a.example/", ".a.example", False),
        ("http://hub.a.example/", "b.example, *", False),
        ("http://10.1.2.3/", "10.0.0.0/8", False),
        ("http://10.1.2.3/", "11.0.0.0/8", True),
        ("http://localhost/", "", False),
        ("http://[::1]/", "", False),
    ],
)
def test_exceptions_from_the_proxy_are_those_of_the_place(
    address: str, no_proxy: str, *, through: bool
) -> None:
    asked: list[str] = []

    class Way(httpx2.BaseTransport):
        def __init__(self, name: str) -> None:
            self.name = name

        def handle_request(self, request: httpx2.Request) -> httpx2.Response:
            asked.append(self.name)
            return httpx2.Response(200, request=request)

    site = Site(
        http_proxy=Sourced(value="http://p.example:1", source="test"),
        no_proxy=Sourced(value=no_proxy, source="test"),
    )
    by_place = ByPlace(site, Way("direct"), {"http": Way("proxy")})
    with httpx2.Client(transport=by_place) as made:
        made.get(address)
    assert asked == ["proxy" if through else "direct"]


@pytest.mark.parametrize("address", ["", "hub.example", "http://h:x", "file:///etc", "http://[::"])
def test_an_address_that_is_no_hubs_is_refused_with_its_source(address: str) -> None:
    site = Site(hub_endpoint=Sourced(value=address, source="ttctl.toml"))
    with pytest.raises(BadFileError, match="address cannot be used") as caught:
        HuggingFace(site)
    assert "ttctl.toml" in caught.value.why


def test_a_proxy_that_means_nothing_is_refused_without_showing_it() -> None:
    site = Site(https_proxy=Sourced(value="ftp://user:canary@x", source="HTTPS_PROXY"))
    with pytest.raises(BadFileError, match="proxy cannot be used") as caught:
        client(site)
    assert "HTTPS_PROXY" in caught.value.why
    assert "canary" not in repr((vars(caught.value), str(caught.value)))


def test_a_ca_bundle_that_is_not_there_is_named_with_its_source(tmp_path: Path) -> None:
    missing = str(tmp_path / "ca.pem")
    site = Site(ca_bundle=Sourced(value=missing, source="SSL_CERT_FILE"))
    with pytest.raises(BadFileError, match=r"ca\.pem") as caught:
        HuggingFace(site).snapshot(TINY)
    assert "SSL_CERT_FILE" in caught.value.why


def test_a_refusal_says_which_account_was_used_and_whose_terms_are_to_be_accepted(
    hub: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_canary")
    hub.accounts["hf_canary"] = "jane"
    hub.repositories["acme/tiny"].gated = True
    with pytest.raises(PrivilegeError) as caught:
        adapter(hub).snapshot(TINY)
    assert "of the account 'jane'" in caught.value.evidence
    assert caught.value.next_step.endswith(f"{hub.url}/acme/tiny")
    assert "hf_canary" not in repr((vars(caught.value), str(caught.value)))


def test_a_token_of_a_named_file_goes_before_the_variable(
    hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    hub.repositories["acme/tiny"].gated = True
    file = tmp_path / "token"
    file.write_text(f"{hub.accepted}\n")
    named = Sourced(value=str(file), source="--token-file")
    one = HuggingFace(replace(site_of(hub), token_file=named), pause=Naps())
    locked = one.snapshot(TINY)
    one.bring(locked, locked.files[1], tmp_path / "model", lambda _: None)
    assert (tmp_path / "model").read_bytes() == LARGE
    assert {seen.token for seen in hub.seen if not seen.on_cdn} == {f"Bearer {hub.accepted}"}
    assert {seen.token for seen in hub.seen if seen.on_cdn} == {""}


@pytest.mark.parametrize("text", [None, "", "two words", "\x00"])
def test_a_token_file_without_a_token_is_refused_without_showing_it(
    hub: FakeHub, tmp_path: Path, text: str | None
) -> None:
    file = tmp_path / "token"
    if text is not None:
        file.write_text(text)
    named = Sourced(value=str(file), source="--token-file")
    with pytest.raises(BadFileError, match="token file") as caught:
        HuggingFace(replace(site_of(hub), token_file=named)).snapshot(TINY)
    assert "--token-file" in caught.value.why
    assert hub.seen == []
