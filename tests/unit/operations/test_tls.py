# SPDX-License-Identifier: Apache-2.0
"""Is a gateway encrypted where that was asked for, and only it made anew for another one?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.unit.certified import OWN, FakeCertificates
from tests.unit.fakes import NEWER, FakeWorld, Scene

from ttctl.errors import BadFileError, EngineError, TtctlError, UsageError
from ttctl.model.spec import Request
from ttctl.operations import restart, rollback, stacks, upgrade
from ttctl.operations.doors import door_of
from ttctl.operations.plan import plan, render
from ttctl.operations.start_again import start_again
from ttctl.operations.tls import client_file, known_by_its_own
from ttctl.operations.up import up

if TYPE_CHECKING:
    from ttctl.model.container import ContainerState
    from ttctl.model.plan import Step
    from ttctl.model.tls import Held
    from ttctl.operations.up_result import UpResult

EVERYWHERE = "0.0.0.0"  # noqa: S104 - what these tests are about
FILE = "/srv/cert.pem"
KEY = "/srv/key.pem"
PUBLIC = "/state/stacks/llama/secrets/certificate.pem"


class Place:
    """A scene whose certificates a test can change."""

    def __init__(self) -> None:
        self.scene = Scene()
        self.certificates = FakeCertificates(files={FILE: OWN})
        found = self.scene.world
        assert isinstance(found, FakeWorld)
        self.world = replace(found, certificates=self.certificates)

    def up(self, tls: str | None = None, **asked: Any) -> UpResult:  # noqa: ANN401 - fields
        return up(self.world, Request(model="llama", tls=tls, **asked))

    def steps(self, tls: str | None = None, **asked: str) -> dict[str, Step]:
        request = Request(model="llama", tls=tls, **asked)  # type: ignore[arg-type]
        return {one.subject: one for one in plan(self.world, request)[1].steps}

    def config(self) -> str:
        files = self.scene.store.rendered["/state/stacks/llama/rendered"]
        return files["gateway/haproxy.cfg"][0]


@pytest.fixture
def place() -> Place:
    return Place()


def test_without_a_word_nothing_is_encrypted_and_the_lock_says_nothing_of_it(place: Place) -> None:
    found = place.up()
    assert (found.url, found.tls, found.certificate) == ("http://127.0.0.1:8000", "", "")
    assert "ssl" not in place.config()
    assert place.scene.store.locks["llama"].tls == ""
    assert place.certificates.calls == []


def test_a_certificate_is_made_once_and_a_second_up_changes_nothing(place: Place) -> None:
    found = place.up("generated")
    assert (found.url, found.tls, found.certificate) == (
        "https://127.0.0.1:8000", "generated", PUBLIC,
    )  # fmt: skip
    assert "bind :8443 ssl crt /run/secrets/gateway/tls.pem ssl-min-ver TLSv1.2" in place.config()
    again = place.up()
    assert (again.tls, again.changed) == ("generated", False)
    assert place.certificates.calls == ["make localhost box 127.0.0.1 ::1"]


def test_only_the_gateway_is_made_anew_for_tls_there_and_back(place: Place) -> None:
    place.up()
    for tls in ("generated", "none", FILE, "generated"):
        steps = place.steps(tls)
        assert (steps["gateway"].verb, steps["vllm"].verb) == ("start", "skip")
        assert place.up(tls).changed
        assert not place.up(tls).changed


def test_one_that_has_ended_is_made_anew_by_up_and_the_gateway_with_it(place: Place) -> None:
    place.up("generated")
    place.certificates.alter("llama", "generated", until=1_799_999_999)
    steps = place.steps()
    assert steps["gateway certificate"].reason.startswith("it ended on ")
    assert (steps["gateway"].verb, steps["vllm"].verb) == ("start", "skip")
    assert place.up().changed
    assert not place.up().changed


def test_a_stack_for_other_machines_gets_one_that_names_its_addresses(place: Place) -> None:
    place.up("generated")
    assert place.up(host=EVERYWHERE).changed
    assert place.certificates.calls[-1] == "make localhost box 127.0.0.1 ::1 10.0.0.7"
    assert not place.up().changed


def test_a_gateway_that_a_kill_left_with_the_former_certificate_is_made_anew(place: Place) -> None:
    place.up("generated")
    place.certificates.alter("llama", "generated", sha256="9" * 64)
    assert place.steps()["gateway"].verb == "start"


def test_the_users_own_is_copied_once_and_again_where_it_is_another(place: Place) -> None:
    found = place.up(FILE, tls_key="/srv/key.pem")
    assert (found.url, found.tls) == ("https://llm.example.org:8000", "own")
    assert not place.up(FILE, tls_key="/srv/key.pem").changed
    assert not place.up().changed
    place.certificates.files[FILE] = replace(OWN, sha256="2" * 64)
    steps = place.steps(FILE)
    assert steps["gateway certificate"].reason == (
        "it is another than before: /srv/cert.pem is copied, for llm.example.org, until 2033-05-18;"
        " its key belongs to it"
    )
    assert (steps["gateway"].verb, steps["vllm"].verb) == ("start", "skip")
    assert place.up(FILE).changed
    assert place.certificates.calls == [f"take {FILE} /srv/key.pem", f"take {FILE}"]


def test_a_copy_that_has_ended_is_refused_and_nothing_is_changed(place: Place) -> None:
    place.up(FILE)
    place.certificates.alter("llama", "own", until=1)
    before = list(place.scene.calls)
    with pytest.raises(BadFileError, match="cannot be used any more") as caught:
        place.up()
    assert caught.value.next_step.startswith("ttctl up llama --tls CERTIFICATE")
    assert place.scene.calls == before


def test_a_file_that_cannot_be_used_is_refused_before_anything_is_done(place: Place) -> None:
    with pytest.raises(BadFileError, match="'/nowhere'"):
        place.up("/nowhere")
    assert place.scene.calls == []


@pytest.mark.parametrize("tls", [None, "generated", "none"])
def test_a_key_without_its_certificate_is_refused(place: Place, tls: str | None) -> None:
    with pytest.raises(UsageError, match="without its certificate"):
        place.up(tls, tls_key="/srv/key.pem")


def test_clients_of_ours_know_a_gateway_by_its_certificate(place: Place) -> None:
    place.up("generated")
    door = door_of(place.world, "llama")
    assert door.at.pin is not None
    assert (door.at.pin.file, door.at.pin.name) == (PUBLIC, "127.0.0.1")
    assert door.url == "https://127.0.0.1:8000/v1"
    found = stacks.status(place.world, "llama")
    assert (found.url, found.tls, found.state) == ("https://127.0.0.1:8000", "generated", "ready")


def test_other_programs_need_no_file_where_the_machine_trusts_the_users_own(place: Place) -> None:
    place.up(FILE)
    lock = place.scene.store.locks["llama"]
    assert client_file(place.world, "llama", lock) == PUBLIC
    place.certificates.trusted = True
    assert client_file(place.world, "llama", lock) == ""


def rendered(place: Place, tls: str | None = None) -> None:
    render(place.world, Request(model="llama", tls=tls), output=Path("/out"))


def test_what_is_only_rendered_leaves_the_certificate_of_a_running_stack_alone(
    place: Place,
) -> None:
    place.up(FILE)
    rendered(place, "generated")
    assert place.certificates.calls == [f"take {FILE}"]
    assert place.certificates.found("llama") == OWN
    (note,) = place.scene.reporter.notes
    assert "llama keeps its certificate" in note
    assert note.endswith("`ttctl up llama --tls generated` changes it.")


def test_a_certificate_near_its_end_is_not_renewed_by_what_is_only_rendered(place: Place) -> None:
    place.up("generated")
    place.certificates.alter("llama", "generated", until=1_800_000_001)
    rendered(place)
    assert place.certificates.calls == ["make localhost box 127.0.0.1 ::1"]


def test_what_is_only_rendered_has_a_certificate_where_none_was_kept(place: Place) -> None:
    rendered(place, "generated")
    assert place.certificates.calls == ["make localhost box 127.0.0.1 ::1"]


def test_a_rollback_brings_each_kind_back_and_no_file_is_named_again(place: Place) -> None:
    place.up(FILE)
    place.up("generated")
    made = place.certificates.found("llama")
    back(place)
    assert place.certificates.found("llama") == OWN
    back(place)
    assert place.certificates.found("llama") == made
    assert place.certificates.calls == [
        f"take {FILE}", "make localhost box 127.0.0.1 ::1", "use own", "use generated",
    ]  # fmt: skip


def test_a_kind_that_is_kept_is_said_to_be_put_in_its_place(place: Place) -> None:
    place.up("generated")
    place.up(FILE)
    assert place.steps("generated")["gateway certificate"].reason == (
        "another one is in its place: the one that is kept is used, for localhost, box, 127.0.0.1, "
        "::1, until 2028-01-15"
    )


def test_a_rollback_to_a_copy_that_has_ended_is_refused_by_looking(place: Place) -> None:
    place.up(FILE)
    place.up("generated")
    place.certificates.copies["llama", "own"] = replace(OWN, until=1)
    before = list(place.scene.calls)
    with pytest.raises(BadFileError, match="cannot be used any more"):
        rollback.look(place.world, "llama", None)
    assert place.scene.calls == before


def changed(place: Place, verb: str) -> None:
    """Let a verb change a stack that is up."""
    match verb:
        case "upgrade":
            place.scene.weights.revision = NEWER
            upgrade.upgrade(place.world, upgraded(place))
        case "rollback":
            back(place)
        case "restart":
            restart.restart(place.world, "llama")
        case "start":
            start_again(place.world, "llama")
        case _:
            place.up("generated", max_model_len=1000)


@pytest.mark.parametrize("verb", ["upgrade", "rollback", "restart", "start", "up"])
def test_what_renews_it_and_fails_before_the_gateway_is_another_leaves_it(
    place: Place, verb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise TtctlError("The disk is full.")

    place.up("generated")
    place.up(max_model_len=1024)
    place.certificates.alter("llama", "generated", until=1_800_000_001)
    shown, (gateway,) = place.certificates.found("llama"), gateways(place)
    monkeypatch.setattr(place.scene.store, "write_folder", full)
    with pytest.raises(TtctlError, match="full"):
        changed(place, verb)
    assert len(place.certificates.calls) > 1
    assert gateways(place) == [gateway]
    assert place.certificates.found("llama") == shown
    assert place.certificates.kept("llama", "generated") == shown


def test_another_one_of_the_users_own_is_taken_back_where_up_fails(place: Place) -> None:
    place.up(FILE)
    place.certificates.files[FILE] = replace(OWN, sha256="2" * 64)
    place.scene.launcher.fails = EngineError("The engine does not answer.")
    with pytest.raises(EngineError):
        place.up(FILE)
    assert place.certificates.found("llama") == OWN


def interrupted(place: Place) -> None:
    with known_by_its_own(place.world, "llama"):
        place.certificates.make("llama", ("localhost",))
        raise KeyboardInterrupt


def fails_late(place: Place) -> None:
    with known_by_its_own(place.world, "llama"):
        place.up("generated")
        raise TtctlError("Too late.")


def test_an_interrupt_before_the_gateway_is_another_leaves_the_certificate(place: Place) -> None:
    place.up(FILE)
    with pytest.raises(KeyboardInterrupt):
        interrupted(place)
    assert place.certificates.found("llama") == OWN


def test_a_gateway_that_is_another_by_then_keeps_the_new_certificate(place: Place) -> None:
    place.up(FILE)
    with pytest.raises(TtctlError, match="late"):
        fails_late(place)
    found = place.certificates.found("llama")
    assert found is not None
    assert found == place.certificates.kept("llama", "generated")


def test_where_nobody_can_be_asked_which_gateway_is_there_it_is_the_one_that_was(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ends() -> None:
        with known_by_its_own(place.world, "llama"):
            place.certificates.make("llama", ("localhost",))
            monkeypatch.setattr(place.scene.engine, "containers", away)
            raise EngineError("What failed first.")

    place.up(FILE)
    with pytest.raises(EngineError, match="first"):
        ends()
    assert place.certificates.found("llama") == OWN


def away(_: str | None) -> tuple[ContainerState, ...]:
    raise EngineError("It is away.")


def test_a_certificate_that_cannot_be_put_back_hides_nothing_of_what_failed(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: Held) -> None:
        raise TtctlError("The disk is full.")

    place.up(FILE)
    monkeypatch.setattr(place.certificates, "put_back", full)
    with pytest.raises(TtctlError, match="first"), known_by_its_own(place.world, "llama"):
        raise TtctlError("What failed first.")
    assert place.scene.reporter.notes[-1] == (
        "llama is not known by its certificate: The disk is full."
    )


def test_a_rollback_that_renews_the_certificate_makes_the_gateway_anew(place: Place) -> None:
    place.up("generated")
    place.up(max_model_len=1024)
    place.certificates.alter("llama", "generated", until=1_800_000_001)
    (gateway,) = gateways(place)
    place.scene.taken()
    back(place)
    assert place.certificates.calls == ["make localhost box 127.0.0.1 ::1"] * 2
    assert place.scene.taken() == ["write and prune", "remove gateway", "up"]
    assert gateways(place) != [gateway]
    assert any("gateway" in one for one in place.scene.reporter.steps if "Remove" in one)


def test_a_rollback_that_keeps_the_certificate_leaves_the_gateway_alone(place: Place) -> None:
    place.up("generated")
    place.up(max_model_len=1024)
    found = gateways(place)
    back(place)
    assert gateways(place) == found


def gateways(place: Place) -> list[str]:
    seen = place.scene.engine.containers("llama")
    return [one.container_id for one in seen if one.service == "gateway"]


def back(place: Place) -> None:
    found = rollback.look(place.world, "llama", None)
    rollback.rollback(place.world, found)


def test_a_key_that_was_once_named_is_in_the_way_of_no_upgrade(place: Place) -> None:
    place.up(FILE, tls_key=KEY)
    place.up("generated")
    assert upgraded(place).request.tls_key is None


def test_an_upgrade_needs_no_file_that_was_copied(place: Place) -> None:
    place.up(FILE, tls_key=KEY)
    del place.certificates.files[FILE]
    found = upgraded(place)
    assert (found.request.tls, found.desired.lock.tls) == (None, "own")
    assert found.difference.is_empty


def test_an_upgrade_of_what_was_recorded_with_its_file_needs_it_no_more(place: Place) -> None:
    place.up(FILE)
    states = place.scene.generations.states["llama"]
    (one, files) = states[1]
    states[1] = (replace(one, request=replace(one.request, tls=FILE, tls_key=KEY)), files)
    del place.certificates.files[FILE]
    assert upgraded(place).difference.is_empty


@pytest.mark.parametrize("tls", ["generated", "none"])
@pytest.mark.parametrize("filled", [("tls_key",), ("tls", "tls_key")])
def test_a_key_of_a_setting_is_in_the_way_of_no_word(
    place: Place, tls: str, filled: tuple[str, ...]
) -> None:
    assert place.up(tls, tls_key=KEY, from_settings=filled).tls == tls.replace("none", "")


def test_a_key_of_a_setting_is_not_for_another_file_that_is_typed(place: Place) -> None:
    place.up(FILE, tls_key=KEY, from_settings=("tls_key",))
    assert place.certificates.calls == [f"take {FILE}"]


def test_both_of_settings_go_together(place: Place) -> None:
    place.up(FILE, tls_key=KEY, from_settings=("tls", "tls_key"))
    assert place.certificates.calls == [f"take {FILE} {KEY}"]


def test_an_empty_word_is_no_key(place: Place) -> None:
    assert place.up("generated", tls_key="").tls == "generated"


def test_one_that_ttctl_made_can_be_named_as_ones_own_for_good(place: Place) -> None:
    place.up("generated")
    made = place.certificates.found("llama")
    assert made is not None
    place.certificates.files[FILE] = made
    assert place.up(FILE).tls == "own"
    assert not place.up(FILE).changed
    assert not place.up().changed
    assert place.certificates.calls[1:] == [f"take {FILE}"]


def upgraded(place: Place) -> upgrade.Upgrade:
    return upgrade.look(place.world, "llama", {})
