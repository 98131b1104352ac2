# SPDX-License-Identifier: Apache-2.0
"""End what `run.sh` and the lines of `plan --commands` have started: compose knows none of it."""

from __future__ import annotations

from shlex import join
from typing import TYPE_CHECKING

from ttctl.adapters.docker_look import PROJECT_LABEL
from ttctl.adapters.process import run
from ttctl.errors import EngineError
from ttctl.model.container import STACK_LABEL
from ttctl.rules.stack import GATEWAY_SERVICE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ttctl.model.container import ContainerState

LIMIT_S = 600
NETWORK = f'{{{{.Name}}}}\t{{{{.Label "{PROJECT_LABEL}"}}}}'


class RunMade:
    """Containers and networks that plain `docker` made."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        """`environ` is what docker's command line sees."""
        self._environ = environ

    def stop(
        self, containers: Iterable[ContainerState], *, timeout_s: int | None, limit_s: float
    ) -> tuple[int, tuple[str, ...]]:
        """Stop them, the door first, each in its own time or in `timeout_s`.

        Returns:
            The exit code of the first that could not be stopped, 0 for none, and what was printed.

        Raises:
            WaitError: One took longer than `limit_s`.
        """
        own = () if timeout_s is None else ("-t", str(timeout_s))
        ordered = sorted(containers, key=lambda one: (one.service != GATEWAY_SERVICE, one.name))
        lines: list[str] = []
        for one in ordered:
            done = self._run(("docker", "stop", *own, one.name), limit_s=limit_s)
            lines += done[1]
            if done[0]:
                return done[0], tuple(lines)
        return 0, tuple(lines)

    def end(
        self,
        stack: str,
        containers: Iterable[ContainerState],
        *,
        volumes: bool,
        timeout_s: int | None,
    ) -> None:
        """Stop and remove them, then the networks that were made for them.

        Raises:
            EngineError: One could not be stopped or removed.
        """
        made = tuple(containers)
        code, lines = self.stop(made, timeout_s=timeout_s, limit_s=LIMIT_S)
        if code:
            raise _refused(stack, "docker ps --all", code, lines)
        more = ("--volumes",) if volumes else ()
        for one in made:
            self._checked(stack, ("docker", "rm", *more, one.name))
        for name in self._networks(stack):
            self._checked(stack, ("docker", "network", "rm", name))

    def _networks(self, stack: str) -> tuple[str, ...]:
        label = f"label={STACK_LABEL}={stack}"
        listing = ("docker", "network", "ls", "--filter", label, "--format", NETWORK)
        rows = (line.partition("\t") for line in self._checked(stack, listing))
        return tuple(
            name
            for name, tab, project in rows
            if tab and not project and name.startswith(f"ttctl-{stack}-")
        )

    def _checked(self, stack: str, command: Sequence[str]) -> tuple[str, ...]:
        code, lines = self._run(command, limit_s=LIMIT_S)
        if code:
            raise _refused(stack, join(command), code, lines)
        return lines

    def _run(self, command: Sequence[str], *, limit_s: float) -> tuple[int, tuple[str, ...]]:
        lines: list[str] = []
        done = run(command, timeout_s=limit_s, on_line=lines.append, environ=self._environ)
        return done.returncode, tuple(lines)


def _refused(stack: str, command: str, code: int, lines: Sequence[str]) -> EngineError:
    said = [line for line in lines if line.strip()][-5:]
    return EngineError(
        f"The stack {stack!r} could not be taken down.",
        why=said[-1] if said else f"docker ended with {code}.",
        evidence="\n".join(said),
        next_step=command,
    )
