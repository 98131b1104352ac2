# SPDX-License-Identifier: Apache-2.0
"""A machine that boots: this one's files, of which it writes a copy, with systemd as first process.

It has processes, mounts and control groups of its own, and the network of whoever boots it. What
the machine below would start at its boot is taken out: only what a test enables is started.
"""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from tests.faults.own_engine import until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

ROOT = Path(__file__).parents[2]
SYSTEMD = "/lib/systemd/systemd"
GROUPS = Path("/sys/fs/cgroup")
NODES = ("null", "zero", "full", "random", "urandom", "tty")
LIMIT_S = 60
UNSHARE = "--mount --pid --fork --uts --ipc --cgroup --kill-child"
BOOT = r"""
set -eu
mount --make-rprivate /
mount -t overlay overlay -o "lowerdir=/,upperdir=$DISK/upper,workdir=$DISK/work" "$DISK/root"
cd "$DISK/root"
mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,ro,bind proc/sys
mount -t sysfs -o ro sysfs sys
if [ "$UNIFIED" = yes ]; then
    mount -t cgroup2 cgroup2 sys/fs/cgroup
else
    mount -t tmpfs tmpfs sys/fs/cgroup
    mkdir sys/fs/cgroup/systemd
    mount -t cgroup -o none,name=systemd cgroup sys/fs/cgroup/systemd
fi
mount -t tmpfs tmpfs dev
for name in $NODES; do
    touch "dev/$name"
    mount --bind "/dev/$name" "dev/$name"
done
mount -t tmpfs tmpfs run
for path in "$@"; do
    mkdir -p ".$path"
    mount --bind "$path" ".$path"
done
exec chroot . /usr/bin/env -i container=test PATH="$SEARCH" \
    "$SYSTEMD" --system --unit=multi-user.target --log-target=console --show-status=false
"""


class Machine:
    """One machine, on or off."""

    def __init__(self, disk: Path, shared: Sequence[Path]) -> None:
        """Take a disk that is there, and the folders that are the same on both machines."""
        self._disk = disk
        self._shared = shared
        self._group = f"ttctl-test-{secrets.token_hex(4)}"
        self._below: subprocess.Popen[bytes] | None = None
        for name in ("upper", "work", "root"):
            (disk / name).mkdir()
        enabled = disk / "upper/etc/systemd/system"
        enabled.mkdir(parents=True)
        # What the machine below has enabled is not seen through it.
        os.setxattr(enabled, "trusted.overlay.opaque", b"y")
        for unit in Path("/usr/lib/systemd/system").glob("*.wants/*"):
            masked = enabled / unit.name
            if not unit.name.startswith("systemd-journald") and not masked.is_symlink():
                masked.symlink_to("/dev/null")

    def boot(self) -> None:
        """Switch it on; return when what is wanted at a boot was begun."""
        script = (
            f'echo $$ > "$GROUP"/cgroup.procs; exec unshare {UNSHARE} bash -c "$BOOT" boot "$@"'
        )
        group = self._folder_of_group()
        group.mkdir(exist_ok=True)
        environ = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "SEARCH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "BOOT": BOOT,
            "DISK": str(self._disk),
            "GROUP": str(group),
            "NODES": " ".join(NODES),
            "SYSTEMD": SYSTEMD,
            "UNIFIED": "yes" if (GROUPS / "cgroup.controllers").exists() else "no",
        }
        with (self._disk / "console.log").open("ab") as log:
            self._below = subprocess.Popen(
                ["bash", "-c", script, "boot", *map(str, self._shared)],
                env=environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip
        until(self._answers, self.console, within_s=LIMIT_S)

    def switch_off(self) -> None:
        """Cut the power: every process of it ends at once."""
        if self._below is None:
            return
        first = self._first()
        if first:
            os.kill(first, signal.SIGKILL)
        self._below.kill()
        self._below.wait(LIMIT_S)
        self._below = None
        until(lambda: not first or not Path(f"/proc/{first}").exists(), within_s=LIMIT_S)

    def run(self, *words: str, environ: Mapping[str, str] | None = None) -> str:
        """Run a command on it; return what it printed."""
        done = self._entered(words, environ or {})
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}\n{self.console()}"
        return done.stdout.strip()

    def property_of(self, unit: str, name: str) -> str:
        """Return a property of a unit, as `systemctl show` has it."""
        return self.run("systemctl", "show", "--property", name, "--value", unit)

    def console(self) -> str:
        """What it printed at its boots, and what units said since the last one."""
        said = self._entered(("journalctl", "--no-pager", "--lines=60"), {}).stdout
        return (self._disk / "console.log").read_text(errors="replace")[-3000:] + said

    def remove(self) -> None:
        """Switch it off and take its control groups away."""
        self.switch_off()
        group = self._folder_of_group()
        for folder in sorted((one for one in group.rglob("*") if one.is_dir()), reverse=True):
            with suppress(OSError):
                folder.rmdir()
        with suppress(OSError):
            group.rmdir()

    def _answers(self) -> bool:
        return self._entered(("systemctl", "is-system-running"), {}).stdout.strip() in {
            "running", "degraded", "starting",
        }  # fmt: skip

    def _entered(
        self, words: Sequence[str], environ: Mapping[str, str]
    ) -> subprocess.CompletedProcess[str]:
        first = self._first()
        if not first:
            return subprocess.CompletedProcess(words, 1, "", "it is off")
        enter = [
            "nsenter",
            "--target",
            str(first),
            "--mount",
            "--pid",
            "--cgroup",
            "--root",
            "--wd",
        ]
        return subprocess.run(
            [*enter, *words],
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", **environ},
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT_S, check=False,
        )  # fmt: skip

    def _first(self) -> int:
        """Return its first process, as this machine numbers it; 0 where it is off."""
        if self._below is None:
            return 0
        with suppress(OSError, ValueError):
            children = Path(f"/proc/{self._below.pid}/task/{self._below.pid}/children").read_text()
            return int(children.split()[0]) if children.split() else 0
        return 0

    def _folder_of_group(self) -> Path:
        unified = (GROUPS / "cgroup.controllers").exists()
        return (GROUPS if unified else GROUPS / "systemd") / self._group


@contextmanager
def machine(folder: Path, *shared: Path) -> Iterator[Machine]:
    """Yield a machine that is off; folders of `shared` are the same ones on it."""
    disk = folder / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(disk)], check=True)
    python = (Path(sys.prefix), Path(sys.base_prefix))
    made = None
    try:
        made = Machine(disk, _outermost((ROOT, *python, *shared)))
        yield made
    finally:
        if made is not None:
            made.remove()
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def _outermost(paths: Sequence[Path]) -> tuple[Path, ...]:
    """Return those that lie in no other one, and on no path that every machine has of its own."""
    own = {Path("/usr"), Path("/")}
    asked = {path.resolve() for path in paths} - own
    return tuple(
        sorted(path for path in asked if not any(other in path.parents for other in asked))
    )
