# SPDX-License-Identifier: Apache-2.0
"""Bring rendered folders up and down with compose v2."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

from ttctl.adapters.compose_failure import failure, in_doubt, known
from ttctl.adapters.passed_on import passed_on, write
from ttctl.adapters.process import found_program, run
from ttctl.adapters.run_made import RunMade
from ttctl.adapters.start_log import StartLog
from ttctl.errors import EngineError
from ttctl.model.override import OVERRIDE_NAME
from ttctl.rules.fatal import ended_since

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from ttctl.adapters.docker_engine import DockerEngine
    from ttctl.adapters.process import Finished
    from ttctl.errors import WaitError
    from ttctl.model.plan import How
    from ttctl.model.protocols import Reporter

PASSED_ON = ("PATH", "HOME", "USER", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR", "LANG")
"""The caller's variables that compose may see; TTCTL_* and COMPOSE_* would override the folder."""
DOWN_TIMEOUT_S = 600
REFUSED = 126


class ComposeLauncher:
    """`docker compose` on rendered folders."""

    def __init__(self, engine: DockerEngine, environ: Mapping[str, str]) -> None:
        """`engine` is looked at while compose waits."""
        self._engine = engine
        self._environ = {
            name: value
            for name, value in environ.items()
            if name in PASSED_ON or name.startswith("DOCKER_")
        }
        self._run_made = RunMade(self._environ)

    def up(self, stack: str, folder: Path, *, how: How, wait_s: int, reporter: Reporter) -> None:
        """Bring the stack to what the folder says and wait until it is healthy.

        Without `how.wait` only until its containers are started.

        Raises:
            EngineError: A container ended, or printed a line that means that it will.
            WaitError: It was not healthy within `wait_s` seconds.
        """
        log = StartLog(self._engine, stack, reporter)
        threading.Thread(target=log.watch, daemon=True).start()
        arguments = ["up", "--detach", "--remove-orphans"]
        arguments += ["--wait", "--wait-timeout", str(wait_s)] if how.wait else []
        arguments += ["--force-recreate"] if how.recreate else []
        try:
            done = run(
                self._command(folder, arguments),
                timeout_s=wait_s + 60,
                on_line=reporter.detail,
                environ=self._environ,
                cancel=log.cancel,
            )
        finally:
            log.ended.set()
        if log.fatal or done.returncode != 0:
            raise self._failure(stack, log.fatal, done)

    def create(self, stack: str, folder: Path, *, recreate: bool, reporter: Reporter) -> None:
        """Make the stack's containers as the folder says, and start none."""
        arguments = ["up", "--no-start", "--remove-orphans"]
        arguments += ["--force-recreate"] if recreate else []
        self._checked(stack, self._command(folder, arguments), reporter)

    def remove(
        self, stack: str, folder: Path, services: Sequence[str], *, reporter: Reporter
    ) -> None:
        """Stop and remove some services' containers."""
        arguments = ["rm", "--stop", "--force", *services]
        self._checked(stack, self._command(folder, arguments), reporter)

    def down(
        self, stack: str, *, volumes: Path | None, timeout_s: int | None, reporter: Reporter
    ) -> None:
        """Stop and remove the stack's containers and networks, with or without its folder.

        Volumes are those that the files in the folder `volumes` declare. Without files compose
        takes every volume that has the project's name, also of another project that is called so.
        """
        seen = self._engine.containers(stack)
        plain = [one for one in seen if not one.composed]
        if plain or not seen:
            self._run_made.end(stack, plain, volumes=volumes is not None, timeout_s=timeout_s)
        words = ["down", "--remove-orphans"]
        words += [] if timeout_s is None else ["--timeout", str(timeout_s)]
        if volumes is not None and (volumes / "compose.yaml").is_file():
            self._checked(stack, self._command(volumes, [*words, "--volumes"]), reporter)
            return
        command = ["docker", "compose", "--project-name", f"ttctl-{stack}", "--progress", "plain"]
        self._checked(stack, [*command, *words], reporter)

    def stop(
        self, stack: str, *, timeout_s: int | None, limit_s: float
    ) -> tuple[int, tuple[str, ...]]:
        """Stop the stack's containers; return the exit code and what docker printed.

        Raises:
            WaitError: It took longer than `limit_s`.
        """
        seen = self._engine.containers(stack)
        plain = [one for one in seen if not one.composed]
        code, lines = self._run_made.stop(plain, timeout_s=timeout_s, limit_s=limit_s)
        if code or len(plain) == len(seen):
            return code, lines
        words = ["stop"] if timeout_s is None else ["stop", "--timeout", str(timeout_s)]
        return self.ask(stack, words, timeout_s=limit_s)

    def attach(self, stack: str, arguments: Sequence[str]) -> None:
        """Replace this process by a compose command on the stack, with the user's own terminal."""
        command = ["docker", "compose", *_ansi(), "--project-name", f"ttctl-{stack}", *arguments]
        environ = self._environ | _terminal(os.environ)
        os.execve(found_program("docker"), command, environ)  # noqa: S606

    def pipe(self, stack: str, arguments: Sequence[str]) -> tuple[int, str]:
        """Run a compose command on the stack with the user's own streams, and no terminal.

        Docker says on stdout why a command cannot be run; that is kept out of the answer.
        """
        command = ["docker", "compose", "--ansi", "never", "--project-name", f"ttctl-{stack}"]
        sys.stdout.flush()
        with (
            subprocess.Popen(  # noqa: S603 - a list, never a shell
                [found_program(command[0]), *command[1:], *arguments],
                stdout=subprocess.PIPE,
                env=self._environ,
            ) as child
        ):
            assert child.stdout is not None  # noqa: S101 - a pipe was asked for
            try:
                kept = passed_on(child.stdout.fileno())
                code = child.wait()
            finally:
                if child.poll() is None:
                    child.terminate()
        if kept and code != REFUSED:
            write(kept)
            kept = b""
        return code, kept.decode(errors="replace")

    def ask(
        self, stack: str, arguments: Sequence[str], *, timeout_s: float
    ) -> tuple[int, tuple[str, ...]]:
        """Run a compose command on the stack; return its exit code and what it printed.

        Raises:
            WaitError: It took longer than `timeout_s`.
        """
        command = ["docker", "compose", "--ansi", "never", "--project-name", f"ttctl-{stack}"]
        lines: list[str] = []
        done = run(
            [*command, *arguments],
            timeout_s=timeout_s,
            on_line=lines.append,
            environ=self._environ,
        )
        return done.returncode, tuple(lines)

    def _checked(self, stack: str, command: Sequence[str], reporter: Reporter) -> None:
        done = run(
            command, timeout_s=DOWN_TIMEOUT_S, on_line=reporter.detail, environ=self._environ
        )
        if done.returncode != 0:
            raise EngineError(
                f"The stack {stack!r} could not be changed.",
                why=known(done) or f"docker compose ended with {done.returncode}.",
                evidence=done.tail(5),
                next_step="ttctl ps",
            )

    def _command(self, folder: Path, arguments: Sequence[str]) -> list[str]:
        compose = ["docker", "compose", "--progress", "plain", "--project-directory", str(folder)]
        # What is named is all that compose reads: the user's own file has to be named, too.
        own = folder / OVERRIDE_NAME
        beside = ["--file", str(own)] if own.is_file() else []
        return [*compose, "--file", str(folder / "compose.yaml"), *beside, *arguments]

    def _failure(self, stack: str, fatal: list[str], done: Finished) -> EngineError | WaitError:
        states = self._engine.containers(stack)
        bad = in_doubt(states, done.lines)
        lines: list[str] = []
        for state in bad[:1]:
            lines = list(
                self._engine.log_lines(state.container_id, tail=12, since=ended_since(state))
            )
        return failure(stack, bad, lines=lines, fatal=fatal, done=done)


def _ansi() -> list[str]:
    plain = not sys.stdout.isatty() or "NO_COLOR" in os.environ
    return ["--ansi", "never"] if plain else []


def _terminal(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: environ[name] for name in ("TERM", "COLUMNS", "LINES") if name in environ}
