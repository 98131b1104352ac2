# SPDX-License-Identifier: Apache-2.0
"""The checks of CIS Docker Benchmark sections 4 and 5 that are about one container or its image.

Numbers and meanings as docker-bench-security has them (tests/4_container_images.sh and
tests/5_container_runtime.sh at v1.6.0); what is about the host, the engine or a person's habits
(4.2 to 4.5, 4.7, 4.11, 4.12, 5.22, 5.23, 5.27) is no matter of one container.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.e2e.driver import docker
from tests.e2e.held_in import inside

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.driver import Json

SENSITIVE = ("/", "/boot", "/dev", "/etc", "/lib", "/proc", "/sys", "/usr")
MOST_RESTARTS = 5
SECRET_WORDS = ("key", "token", "secret", "password")
FIRST_FREE_PORT = 1024

Check = tuple[str, "Callable[[Json, Json], bool]"]


def _host(container: Json) -> Json:
    found: Json = container["HostConfig"]
    return found


def _bindings(container: Json) -> list[Json]:
    return [one for each in (_host(container)["PortBindings"] or {}).values() for one in each]


def _history_has_no_add(image: Json) -> bool:
    history = docker("history", "--no-trunc", "--format", "{{.CreatedBy}}", image["Id"])
    return not any(
        line.startswith(("ADD ", "/bin/sh -c #(nop) ADD")) for line in history.split("\n")
    )


def _has_no_set_id_program(container: Json) -> bool:
    # It may not look everywhere, and says so; where it may not, it could not run anything either.
    looked = inside(container, "find", "/", "-xdev", "-type", "f", "-perm", "/6000")
    return not looked.stdout.strip()


def _supports(name: str) -> bool:
    return any(
        f"name={name}" in one
        for one in json.loads(docker("info", "-f", "{{json .SecurityOptions}}"))
    )


CHECKS: dict[str, Check] = {
    "4.1": ("a user of its own", lambda c, _: c["Config"]["User"].split(":")[0] not in {"", "0"}),
    "4.6": ("a health check", lambda c, _: bool(c["Config"].get("Healthcheck"))),
    "4.8": ("no set-id program", lambda c, _: _has_no_set_id_program(c)),
    "4.9": ("no ADD in its image", lambda _, i: _history_has_no_add(i)),
    "4.10": (
        "no secret in its image",
        lambda _, i: (
            not any(
                word in one.partition("=")[0].lower()
                for one in i["Config"]["Env"] or ()
                for word in SECRET_WORDS
            )
        ),
    ),
    "5.1": (
        "an AppArmor profile",
        lambda c, _: not _supports("apparmor") or bool(c.get("AppArmorProfile")),
    ),
    "5.2": (
        "SELinux options",
        lambda c, _: not _supports("selinux") or "label" in str(_host(c)["SecurityOpt"]),
    ),
    "5.3": (
        "no capability",
        lambda c, _: _host(c)["CapDrop"] == ["ALL"] and not _host(c)["CapAdd"],
    ),
    "5.4": ("not privileged", lambda c, _: not _host(c)["Privileged"]),
    "5.5": (
        "no sensitive folder of the host",
        lambda c, _: not any(one.get("Source") in SENSITIVE for one in c["Mounts"]),
    ),
    "5.6": ("no sshd", lambda c, _: "sshd" not in docker("top", c["Id"])),
    "5.7": (
        "no privileged port",
        lambda c, _: all(int(one["HostPort"]) >= FIRST_FREE_PORT for one in _bindings(c)),
    ),
    "5.9": ("no network of the host", lambda c, _: _host(c)["NetworkMode"] != "host"),
    "5.10": ("a limit of memory", lambda c, _: _host(c)["Memory"] > 0),
    "5.11": (
        "a share of the processor",
        # A quota of -1 is none.
        lambda c, _: any(
            (_host(c).get(name) or 0) > 0 for name in ("CpuShares", "NanoCpus", "CpuQuota")
        ),
    ),
    "5.12": ("a read-only root", lambda c, _: _host(c)["ReadonlyRootfs"]),
    "5.13": (
        "one address of the host",
        lambda c, _: all(one["HostIp"] not in {"", "0.0.0.0"} for one in _bindings(c)),  # noqa: S104
    ),
    "5.14": (
        "at most five restarts",
        lambda c, _: (
            _host(c)["RestartPolicy"]["Name"] in {"", "no"}
            or 0 < _host(c)["RestartPolicy"]["MaximumRetryCount"] <= MOST_RESTARTS
        ),
    ),
    "5.15": ("processes of its own", lambda c, _: _host(c)["PidMode"] == ""),
    "5.16": ("shared memory of its own", lambda c, _: _host(c)["IpcMode"] in {"private", "none"}),
    "5.17": ("no device", lambda c, _: not _host(c)["Devices"]),
    "5.18": ("no limit overridden", lambda c, _: not _host(c)["Ulimits"]),
    "5.19": (
        "no shared mount",
        lambda c, _: not any(one.get("Propagation") == "shared" for one in c["Mounts"]),
    ),
    "5.20": ("a host name of its own", lambda c, _: _host(c)["UTSMode"] != "host"),
    "5.21": ("the seccomp profile", lambda c, _: "unconfined" not in str(_host(c)["SecurityOpt"])),
    "5.24": ("the usual control group", lambda c, _: not _host(c)["CgroupParent"]),
    "5.25": ("no new privileges", lambda c, _: "no-new-privileges" in str(_host(c)["SecurityOpt"])),
    "5.26": ("health at run time", lambda c, _: bool(c["State"].get("Health"))),
    "5.28": ("a limit of processes", lambda c, _: (_host(c)["PidsLimit"] or 0) > 0),
    "5.29": (
        "not on docker0",
        lambda c, _: "bridge" not in c["NetworkSettings"]["Networks"],
    ),
    "5.30": ("users of its own, or the engine's", lambda c, _: _host(c)["UsernsMode"] != "host"),
    "5.31": (
        "no socket of the engine",
        lambda c, _: not any("docker.sock" in one.get("Source", "") for one in c["Mounts"]),
    ),
}
"""By number: what is wanted, and whether a container with its image has it."""


def failing(container: Json) -> dict[str, str]:
    """Return what a container does not have, by number."""
    image = json.loads(docker("image", "inspect", container["Image"]))[0]
    return {number: what for number, (what, has) in CHECKS.items() if not has(container, image)}


OF_THE_IMAGE = frozenset({"4.8", "4.9", "4.10"})
"""Checks of what an image holds: where a stand-in takes its place, they say nothing of it."""

EXCEPTIONS = {
    "4.8": "Debian's own programs are in every image; no container may gain a right by them (5.25)",
    "5.11": "an engine may use every core that nobody else wants",
    "5.14": "the gateway and the page hold no device: one that comes back harms nothing",
}
"""What containers do not have on purpose: at most these three."""
COMES_BACK = frozenset({"gateway", "chat"})


def excepted(service: str) -> set[str]:
    """Return the numbers that a service does not have."""
    return {number for number in EXCEPTIONS if number != "5.14" or service in COMES_BACK}
