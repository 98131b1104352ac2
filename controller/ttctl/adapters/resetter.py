# SPDX-License-Identifier: Apache-2.0
"""Resets boards with tt-smi, the host's or an image's, within a limit. Not yet run on a card."""

from __future__ import annotations

import os
import re
from shlex import join, quote
from typing import TYPE_CHECKING

from ttctl.adapters.process import run
from ttctl.adapters.tree import rooted, text_of
from ttctl.errors import EngineError, PrivilegeError, ToolMissingError, TtctlError, WaitError
from ttctl.rules.reset import reset_words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from ttctl.adapters.process import Finished
    from ttctl.model.protocols import Reporter
    from ttctl.model.reset import ResetOrder

LIMIT_S = 180.0
"""For the reset. Source: tt-model-manager, src/tt_kernel/container.py"""
VERSION_S = 30.0
"""For what the program says of itself."""
REMOVE_S = 30.0
FOLDER = "/dev/hugepages-1G"
_VERSION = re.compile(r"\d+(\.\d+)+")
_MAKERS = re.compile(
    r"QEMU|KVM|Bochs|VMware|VirtualBox|innotek|Xen|Parallels|Amazon EC2|Google Compute|"
    r"OpenStack|Virtual Machine|bhyve",
    re.IGNORECASE,
)
"""What virtual machines have in their DMI tables. Source: systemd, src/basic/virt.c"""


class SmiResets:
    """tt-smi, in a process group of its own, or in a container of its own."""

    def __init__(self, environ: Mapping[str, str], *, root: Path) -> None:
        """Nothing is run yet.

        Args:
            environ: Names the programs' folders, in PATH, and perhaps the engine.
            root: Where /dev, /proc and /sys are.
        """
        self._environ = environ
        self._root = root

    def virtual(self) -> str:
        """Return what shows that this is a virtual machine, empty where nothing does."""
        for name in ("sys_vendor", "product_name", "bios_vendor"):
            text = text_of(self._root / "sys/class/dmi/id" / name)
            if _MAKERS.search(text):
                return f"its firmware names {text[:40]}"
        if kind := text_of(self._root / "sys/hypervisor/type"):
            return f"its hypervisor is {kind[:40]}"
        flags = re.search(r"^flags\s*:.*$", text_of(self._root / "proc/cpuinfo"), re.MULTILINE)
        if flags and "hypervisor" in flags[0].split():
            return "its processor has the flag hypervisor"
        return ""

    def reset(self, order: ResetOrder, reporter: Reporter) -> None:
        """Reset boards.

        Raises:
            EngineError: tt-smi failed.
            ToolMissingError: It, or docker, is not installed.
            WaitError: It did not end within its limit.
        """
        name = f"ttctl-reset-{os.getpid()}"
        asked = f"{name}-version"
        tool = _in_image(order, name) if order.image else ["tt-smi"]
        try:
            version = self._version(_in_image(order, asked) if order.image else tool)
            words = reset_words(order.nodes, galaxy=order.galaxy, version=version)
            done = self._done([*tool, *words], reporter)
        finally:
            # Where the limit ended docker, its container goes on.
            if order.image:
                self._remove((name, asked), reporter)
        if done.returncode != 0:
            raise EngineError(
                f"tt-smi could not reset the boards; it ended with {done.returncode}.",
                why=done.tail(1) or "It printed nothing.",
                evidence=f"{join([*tool, *words])}\n{done.tail(5)}".strip(),
                next_step="ttctl devices info",
            )

    def _done(self, command: Sequence[str], reporter: Reporter) -> Finished:
        try:
            return run(command, timeout_s=LIMIT_S, on_line=reporter.detail, environ=self._environ)
        except WaitError as exc:
            raise WaitError(
                f"tt-smi did not end the reset within {LIMIT_S:.0f} s.",
                why="A card that does not answer at all needs the machine to be switched off.",
                evidence=exc.evidence or join(command),
                next_step="ttctl devices info",
            ) from exc

    def remove_hugepages(self, files: Sequence[str]) -> None:
        """Remove files of the driver library.

        Raises:
            PrivilegeError: One belongs to another user.
        """
        for name in files:
            path = rooted(self._root, FOLDER) / name
            try:
                path.unlink(missing_ok=True)
            except OSError as exc:
                paths = " ".join(quote(f"{FOLDER}/{one}") for one in files)
                raise PrivilegeError(
                    f"The file {FOLDER}/{name} could not be removed.",
                    why=exc.strerror or "the file system refused",
                    evidence="It belongs to another user; who has it blocks others.",
                    next_step=f"sudo rm {paths}",
                ) from exc

    def _version(self, tool: Sequence[str]) -> str:
        try:
            done = run([*tool, "-v"], timeout_s=VERSION_S, environ=self._environ)
        except ToolMissingError as exc:
            if tool[0] != "tt-smi":
                raise
            raise ToolMissingError(
                "tt-smi is not installed.",
                why="It is what resets boards.",
                evidence="It is in no folder of PATH; an image that has it can do it too: "
                "ttctl devices reset --image IMAGE.",
                next_step="pipx install tt-smi",
            ) from exc
        except WaitError as exc:
            raise WaitError(
                f"tt-smi did not tell its version within {VERSION_S:.0f} s.",
                why="It looks at the cards before it answers: one of them hangs. Nothing was "
                "reset; a card that does not answer at all needs the machine to be switched off.",
                evidence=exc.evidence or join([*tool, "-v"]),
                next_step="ttctl devices info",
            ) from exc
        if done.returncode != 0 and len(tool) > 1:
            raise ToolMissingError(
                f"tt-smi could not be run in the image {tool[-1]!r}.",
                why=done.tail(1) or f"docker ended with {done.returncode}.",
                evidence=join([*tool, "-v"]),
                next_step=f"docker image inspect {quote(tool[-1])}",
            )
        found = _VERSION.search(done.tail(1))
        return found[0] if found else ""

    def _remove(self, names: Sequence[str], reporter: Reporter) -> None:
        """End the containers of a reset that was cut short; mostly they are gone already."""
        command = ["docker", "rm", "--force", *names]
        said: Sequence[str] = ()
        try:
            said = run(command, timeout_s=REMOVE_S, environ=self._environ).lines
        except TtctlError as exc:
            said = (f"{exc.message} {exc.why}",)
        if left := [one for one in said if one.strip() and not _is_gone(one, names)]:
            reporter.note(f"tt-smi may still run: {left[-1].strip()}; to end it: {join(command)}")


def _is_gone(line: str, names: Sequence[str]) -> bool:
    """Return whether docker's line says that a container was removed, or that there is none."""
    return line.strip() in names or "No such container" in line


def _in_image(order: ResetOrder, name: str) -> list[str]:
    devices = [f"--device={order.root}{node}:{node}" for node in order.nodes]
    return [
        *("docker", "run", "--rm", "--pull=never", "--network=none", f"--name={name}"),
        *devices,
        "--entrypoint=tt-smi",
        order.image,
    ]
