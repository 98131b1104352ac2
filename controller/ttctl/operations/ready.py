# SPDX-License-Identifier: Apache-2.0
"""Wait until a stack truly answers: a model of text by a completion, others by their health."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ttctl.errors import EngineError, TooLongError, WaitError
from ttctl.operations.aside import Aside
from ttctl.operations.diagnose import causes
from ttctl.operations.fatal_watch import FatalWatch
from ttctl.operations.start_watch import joined
from ttctl.operations.tls import at_of
from ttctl.rules.fatal import ended_since
from ttctl.rules.stack import GATEWAY_SERVICE, service_name
from ttctl.rules.warm_up import long_prompt

if TYPE_CHECKING:
    from collections.abc import Collection

    from ttctl.model.lock import Lock
    from ttctl.model.protocols import World
    from ttctl.operations.fatal_watch import Hear

READY_S = 60
"""Limit for a stack whose containers are healthy; the gateway looks at its engine every second."""
POLL_S = 0.2
HELLO = "Hello"
ENDED = frozenset({"exited", "dead"})
"""States of a container that runs no more."""
WAITS = {"vllm": "Wait for a real completion"}
"""By engine; the others are ready when their health says so."""


def await_ready(world: World, lock: Lock, *, quick: bool, wait_s: int, warm_tokens: int) -> None:
    """Return when our gateway's own port has given a real completion.

    Args:
        world: Everything outside.
        lock: Of the stack.
        quick: Whether nothing was started: then no step is announced.
        wait_s: Limit where an engine that was started before still loads, or captures traces.
        warm_tokens: Length of the prompt that makes a started engine capture its traces; 0 for
            none.

    Raises:
        EngineError: A container is gone, or the port is not this stack's.
        WaitError: It did not answer within a minute, or `wait_s`.
    """
    containers = world.engine.containers(lock.stack)
    loads = any(container.health == "starting" for container in containers)
    slow = loads or (warm_tokens and not quick)
    limit_s = max(READY_S, wait_s) if slow else READY_S
    if quick and not loads:
        wait_for(world, lock, limit_s=limit_s)
        return
    with (
        world.reporter.step(WAITS.get(lock.engine, "Wait for the engine's health")),
        joined(world, lock, limit_s=limit_s) as watch,
    ):
        wait_for(world, lock, limit_s=limit_s, hear=watch.hear)
    if warm_tokens and not quick:
        _warm_up(world, lock, tokens=warm_tokens, limit_s=limit_s)


def _warm_up(world: World, lock: Lock, *, tokens: int, limit_s: int) -> None:
    """Send a long prompt: who asks next does not wait for its traces."""
    with world.reporter.step(f"Warm up with about {tokens} tokens: the engine captures traces"):
        try:
            wait_for(world, lock, limit_s=limit_s, prompt=long_prompt(tokens))
        except TooLongError as exc:
            world.reporter.note(f"not warmed up for long prompts: {exc.why}")


def wait_for(
    world: World, lock: Lock, *, limit_s: int, prompt: str = HELLO, hear: Hear | None = None
) -> None:
    """Return when the stack has given a real completion, or an engine without text is healthy.

    Args:
        world: Everything outside.
        lock: Of the stack.
        limit_s: Seconds that it has.
        prompt: What is asked.
        hear: Is told meanwhile what its engine prints.

    Raises:
        TooLongError: `prompt` does not fit.
        EngineError: A container of it is not there, does not run any more, or printed a line that
            means that it will not come up.
        WaitError: It did not answer within `limit_s` seconds.
    """
    clock, watch = world.clock, FatalWatch(world, lock, hear)
    deadline = clock.now() + limit_s
    while (failed := _asked(world, lock, prompt, watch, deadline=deadline)) is not None:
        _check_running(world, lock)
        watch.look()
        if clock.now() >= deadline:
            raise WaitError(
                f"The stack {lock.stack!r} did not answer within {limit_s} s.",
                why=f"{failed.message} {failed.why}".strip(),
                evidence=failed.evidence,
                next_step=f"ttctl logs {lock.stack} --tail 100",
            ) from failed
        clock.sleep(POLL_S)


def _asked(
    world: World, lock: Lock, prompt: str, watch: FatalWatch, *, deadline: float
) -> EngineError | None:
    """Ask once, and look meanwhile at what has to answer; return why it does not, None if it does.

    An engine may take a question and never answer it: neither the limit nor a fatal line waits
    for that.
    """
    began = world.clock.now()
    ask = _Ask(world=world, lock=lock, prompt=prompt, limit_s=deadline - began)
    aside = Aside(ask.prove)
    own = {GATEWAY_SERVICE, service_name(lock.engine)}
    while True:
        try:
            if aside.is_done(within_s=POLL_S):
                return None
        except TooLongError:
            raise
        except EngineError as exc:
            return exc
        _check_running(world, lock, own)
        watch.look(own)
        if world.clock.now() >= deadline:
            return EngineError(
                f"{ask.asks} was asked {world.clock.now() - began:.0f} s ago.",
                why="It has no answer: the engine hangs, or needs longer than that.",
            )


@dataclass(slots=True, kw_only=True)
class _Ask:
    """One question to a stack."""

    world: World
    lock: Lock
    prompt: str
    limit_s: float
    asks: str = "GET /health"
    """What it asks at this moment."""

    def prove(self) -> None:
        """Return when the stack has answered.

        Raises:
            EngineError: It does not, or what answers is not this stack's.
        """
        world, lock = self.world, self.lock
        _check_port(world, lock)
        at = at_of(world, lock.stack, lock)
        if not world.gateway.healthy(at):
            raise EngineError("The engine is not ready yet.", why="/health does not answer 200.")
        if lock.engine not in WAITS:
            # The gateway lets /health through when the engine has said that its model is there.
            return
        key = world.keys.key(lock.stack)
        self.asks = "GET /v1/models"
        models = world.gateway.models(at, key)
        # The media server knows its model by the last part of the name.
        if not {lock.model, lock.model.rpartition("/")[2]}.intersection(models):
            raise EngineError(
                f"The engine does not serve {lock.model!r}.",
                evidence=f"It lists: {', '.join(models)}",
            )
        self.asks = "POST /v1/completions"
        # It says that it is ready before the first prompt has been computed: that captures traces.
        world.gateway.complete(
            at, key, model=lock.model, prompt=self.prompt, limit_s=max(1.0, self.limit_s)
        )


def _check_port(world: World, lock: Lock) -> None:
    for container in world.engine.containers(lock.stack):
        if any(port == lock.port for _, port, _ in container.ports):
            return
    raise EngineError(
        f"Port {lock.port} is not published by this stack.",
        why="Whatever answers there is not ours.",
        next_step=f"ttctl up {lock.requested}",
    )


def _check_running(world: World, lock: Lock, own: Collection[str] = ()) -> None:
    """Raise where one of the stack's services, or of `own` among them, does not run any more."""
    containers = world.engine.containers(lock.stack)
    bad = [one for one in containers if one.state != "running" and (not own or one.service in own)]
    if not bad:
        return
    found = {one.service: one for one in causes(world, lock.stack, containers)}
    one = next((one for one in bad if one.service in found), bad[0])
    cause = found.get(one.service)
    lines = world.engine.log_lines(one.container_id, tail=12, since=ended_since(one))
    told = (cause.evidence,) if cause and cause.evidence not in lines else ()
    ended = "ended" if one.state in ENDED else f"was {one.state}"
    error = EngineError(
        f"The service {one.service!r} {ended} while ttctl waited for it.",
        why=f"{cause.cause}." if cause else "",
        evidence="\n".join((*told, *lines)),
        next_step=cause.next_step if cause else f"ttctl logs {lock.stack} --tail 100",
    )
    error.exit_code = cause.exit_code if cause else error.exit_code
    raise error
