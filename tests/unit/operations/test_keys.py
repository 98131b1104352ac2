# SPDX-License-Identifier: Apache-2.0
"""Do the keys' map and the running gateway agree, whatever ends a command in between?"""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from tests.unit.fakes import Scene

from ttctl.errors import EngineError, LockedError, PrivilegeError, TtctlError, UsageError
from ttctl.model.spec import Request
from ttctl.operations import keys
from ttctl.operations.up import up

if TYPE_CHECKING:
    from collections.abc import Callable

    from ttctl.model.keys import KeyChange, KeyRow

DAY = 86400


@pytest.fixture
def scene() -> Scene:
    scene = Scene()
    up(scene.world, Request(model="llama"))
    keys.listed(scene.world, "llama")
    scene.taken()
    return scene


def new(scene: Scene, name: str = "ci", **how: Any) -> KeyChange:  # noqa: ANN401
    how = {"dry_run": False, "lock_timeout_s": 0} | how
    return keys.new(scene.world, name, None, **how)


def revoke(scene: Scene, name: str = "ci", **how: Any) -> KeyChange:  # noqa: ANN401
    how = {"dry_run": False, "lock_timeout_s": 0} | how
    return keys.revoke(scene.world, name, None, **how)


def rotate(scene: Scene, name: str | None = "ci", **how: Any) -> KeyChange:  # noqa: ANN401
    how = {"keep_s": DAY, "dry_run": False, "lock_timeout_s": 0} | how
    return keys.rotate(scene.world, name, None, **how)


def rows(scene: Scene) -> tuple[KeyRow, ...]:
    """Return the keys, after a check that the gateway has just these."""
    assert scene.key_ring.told["llama"] == scene.key_ring.rows["llama"]
    return scene.key_ring.rows["llama"]


def valid(scene: Scene, key: str) -> bool:
    sha256 = scene.key_ring.hash_of(key)
    now = scene.clock.epoch()
    found = [one for one in rows(scene) if one.sha256 == sha256]
    return any(not one.until or one.until > now for one in found)


def test_a_new_key_is_said_once_and_its_hash_is_kept_and_told(scene: Scene) -> None:
    made = new(scene)
    assert (made.name, made.change, made.gateway, made.key_file) == ("ci", "made", "told", None)
    assert valid(scene, made.key)
    assert [one.name for one in rows(scene)] == ["default", "ci"]
    assert made.key not in repr(keys.listed(scene.world, "llama"))


def test_what_is_listed_says_since_when_and_until_when(scene: Scene) -> None:
    new(scene)
    rotate(scene)
    scene.clock.sleep(60)
    shown = [(one.name, one.made, one.until, one.state) for one in keys.listed(scene.world, None)]
    assert shown == [
        ("default", "", "", "valid"),
        ("ci", "2027-01-15T08:00:00Z", "2027-01-16T08:00:00Z", "ending"),
        ("ci", "2027-01-15T08:00:00Z", "", "valid"),
    ]
    scene.clock.sleep(DAY)
    assert [one.state for one in keys.listed(scene.world, None)] == ["valid", "ended", "valid"]


def test_a_name_that_has_a_key_is_refused_with_what_exchanges_it(scene: Scene) -> None:
    new(scene)
    with pytest.raises(UsageError, match="a key 'ci' already") as caught:
        new(scene)
    assert caught.value.next_step == "ttctl config key rotate ci --stack llama"


def test_a_revoked_key_is_gone_with_those_before_it(scene: Scene) -> None:
    first = new(scene).key
    second = rotate(scene).key
    assert (valid(scene, first), valid(scene, second)) == (True, True)
    assert revoke(scene).gateway == "told"
    assert (valid(scene, first), valid(scene, second)) == (False, False)
    assert [one.name for one in rows(scene)] == ["default"]


@pytest.mark.parametrize("verb", [revoke, rotate])
def test_a_name_without_a_key_is_refused_with_the_nearest(
    scene: Scene, verb: Callable[..., KeyChange]
) -> None:
    new(scene, "laptop")
    with pytest.raises(UsageError, match="no key 'labtop'") as caught:
        verb(scene, "labtop")
    assert caught.value.meant == "laptop"
    assert caught.value.evidence == "Keys: default, laptop."


def test_the_own_key_is_not_revoked(scene: Scene) -> None:
    with pytest.raises(UsageError, match="is the stack's own") as caught:
        revoke(scene, "default")
    assert caught.value.next_step == "ttctl config key rotate --keep 0 --stack llama"


@pytest.mark.parametrize("keep_s", [0, 5, DAY])
def test_the_own_key_is_exchanged_in_its_file_and_not_shown(scene: Scene, keep_s: int) -> None:
    old = scene.store.made_keys["llama"]
    changed = rotate(scene, None, keep_s=keep_s)
    young = scene.store.made_keys["llama"]
    assert changed.key == ""
    assert changed.key_file == scene.store.key_file("llama")
    assert young != old
    assert valid(scene, young)
    assert valid(scene, old) == (keep_s > 0)
    scene.clock.sleep(keep_s)
    assert not valid(scene, old)
    assert valid(scene, young)


@pytest.mark.parametrize(
    ("change", "kill_at"),
    [
        pytest.param(partial(change, **how), kill_at, id=f"{name}, {kill_at}")
        for name, change, how in (
            ("new", new, {"name": "further"}),
            ("revoke", revoke, {}),
            ("rotate", rotate, {}),
            ("rotate own", rotate, {"name": None}),
            ("rotate own at once", rotate, {"name": None, "keep_s": 0}),
        )
        for kill_at in ("tell 1", "write keys 1", "tell 2", "set own 1", "write keys 2", "tell 3")
    ],
)
def test_after_a_kill_at_any_step_ttctls_own_key_works_and_the_next_command_puts_all_right(
    scene: Scene, change: Callable[[Scene], KeyChange], kill_at: str
) -> None:
    new(scene)
    scene.taken()
    scene.calls.clear()
    scene.key_ring.kill_at = kill_at
    with suppress(KeyboardInterrupt):
        change(scene)
    scene.key_ring.kill_at, scene.key_ring.dead = "", False
    keys.listed(scene.world, "llama")
    assert valid(scene, scene.store.made_keys["llama"])
    own = [one for one in rows(scene) if one.name == "default" and not one.until]
    assert len(own) == 1
    new(scene, "later")
    assert rows(scene)[-1].name == "later"


def test_a_gateway_that_does_not_run_reads_them_at_its_start(scene: Scene) -> None:
    scene.engine.set_state("gateway", state="exited")
    scene.taken()
    assert new(scene).gateway == "not running"
    assert scene.taken() == ["write keys"]


@pytest.mark.parametrize(
    ("code", "words"),
    [(127, "cannot exchange keys while it runs"), (1, "did not take its keys")],
)
def test_a_gateway_that_cannot_be_told_leaves_all_as_it_was(
    scene: Scene, code: int, words: str
) -> None:
    before = rows(scene)
    scene.key_ring.answer = (code, "keys: said why")
    with pytest.raises(EngineError, match=words) as caught:
        new(scene)
    assert "said why" in caught.value.why + caught.value.evidence
    assert rows(scene) == before


def test_a_gateway_that_takes_no_more_after_the_first_look_gets_the_file_put_back(
    scene: Scene,
) -> None:
    before = rows(scene)
    scene.key_ring.fails_at = "tell 2"
    with pytest.raises(EngineError, match="said no"):
        new(scene)
    assert rows(scene) == before


@pytest.mark.parametrize("keep_s", [0, DAY])
def test_an_own_key_that_cannot_be_written_goes_on_without_an_end(
    scene: Scene, keep_s: int
) -> None:
    before = rows(scene)
    scene.key_ring.fails_at = "set own 1"
    with pytest.raises(EngineError, match="said no"):
        rotate(scene, None, keep_s=keep_s)
    assert rows(scene) == before
    scene.clock.sleep(keep_s + 60)
    assert valid(scene, scene.store.made_keys["llama"])


def test_an_exchange_that_is_ended_after_the_own_key_was_written_keeps_the_new_one(
    scene: Scene,
) -> None:
    set_own = scene.key_ring.set_own

    def ended(stack: str, key: str) -> None:
        set_own(stack, key)
        raise KeyboardInterrupt

    scene.key_ring.set_own = ended  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        rotate(scene, None)
    scene.clock.sleep(DAY)
    assert valid(scene, scene.store.made_keys["llama"])


def test_where_the_keys_cannot_be_put_back_either_the_next_step_is_what_does(scene: Scene) -> None:
    scene.key_ring.fails_at = "set own 1"
    whole = scene.key_ring.write

    def full(stack: str, keys: tuple[KeyRow, ...]) -> None:
        if "set own" in scene.calls:
            raise TtctlError("'keys.map' could not be written.")
        whole(stack, keys)

    scene.key_ring.write = full  # type: ignore[method-assign]
    with pytest.raises(EngineError, match="said no") as caught:
        rotate(scene, None)
    assert "'keys.map' could not be written" in caught.value.evidence
    assert caught.value.next_step == "ttctl config key ls llama   # puts the keys right"
    scene.key_ring.write = whole  # type: ignore[method-assign]
    scene.clock.sleep(2 * DAY)
    keys.listed(scene.world, "llama")
    assert valid(scene, scene.store.made_keys["llama"])


def test_a_map_that_cannot_be_put_back_does_not_hide_why_the_gateway_was_not_told(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, real = rows(scene), scene.key_ring.write

    def full(stack: str, given: tuple[KeyRow, ...]) -> None:
        if given == before:
            raise TtctlError("It could not be written.")
        real(stack, given)

    monkeypatch.setattr(scene.key_ring, "write", full)
    scene.key_ring.fails_at = "tell 2"
    with pytest.raises(EngineError, match="said no"):
        new(scene)
    assert "which no gateway was told: It could not be written." in scene.reporter.notes[-1]


@pytest.mark.parametrize("change", [new, partial(revoke), partial(rotate)])
def test_a_dry_run_changes_and_tells_nothing(
    scene: Scene, change: Callable[..., KeyChange]
) -> None:
    name = "further" if change is new else "ci"
    new(scene)
    before = rows(scene)
    scene.taken()
    found = change(scene, name, dry_run=True)
    assert (found.key, found.gateway, found.dry_run) == ("", "not asked", True)
    assert (rows(scene), scene.taken()) == (before, [])


@pytest.mark.parametrize(
    "verb", [new, revoke, rotate, lambda scene: keys.listed(scene.world, None)]
)
def test_nothing_is_done_where_others_get_at_the_keys(
    scene: Scene, verb: Callable[[Scene], object]
) -> None:
    scene.key_ring.refusal = PrivilegeError("others")
    with pytest.raises(PrivilegeError, match="others"):
        verb(scene)
    assert scene.taken() == []


def test_while_another_command_has_the_stack_keys_are_listed_and_not_changed(scene: Scene) -> None:
    scene.store.busy = True
    assert [one.name for one in keys.listed(scene.world, "llama")] == ["default"]
    for change in (new, revoke, rotate):
        with pytest.raises(LockedError):
            change(scene)
    assert scene.taken() == []


def test_the_key_of_another_users_stack_is_left_alone(scene: Scene) -> None:
    scene.engine.set_state("gateway", owner="somebody")
    with pytest.raises(TtctlError, match="belongs to another user"):
        new(scene)
    assert scene.taken() == []


def test_keys_of_a_stack_that_is_not_there_are_refused(scene: Scene) -> None:
    with pytest.raises(UsageError, match="no stack"):
        keys.listed(scene.world, "nothing")
