# SPDX-License-Identifier: Apache-2.0
"""What does the docker program say of itself, its plugins and its engine? One call of it."""

from __future__ import annotations

import grp
import json
import os
import pwd
import re
import time
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ttctl.adapters import places
from ttctl.adapters.docker_errors import chosen_by
from ttctl.adapters.process import run
from ttctl.errors import ToolMissingError, WaitError
from ttctl.model.health import EngineVitals

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT = "unix:///var/run/docker.sock"
INFO_S = 6
SHORT_S = 3
NAMED = 200
"""Characters of what the program says that are kept."""

_LIMITS = {"MemoryLimit": "memory", "SwapLimit": "swap", "PidsLimit": "pids", "CpuCfsQuota": "cpu"}
_VERSION = re.compile(r"\bv?\d\S*")
_UNKNOWN = "of unknown version"


def engine_vitals(environ: Mapping[str, str], *, root: Path = Path("/")) -> EngineVitals:
    """Ask the docker program; what cannot be told stays empty, and nothing is raised.

    Args:
        environ: May name the engine by DOCKER_HOST or DOCKER_CONTEXT.
        root: Where the host's file system starts, for what is read beside the program.
    """
    named = environ.get("DOCKER_HOST", "") or DEFAULT
    host = EngineVitals(
        endpoint=named,
        setting=chosen_by(environ),
        start=places.engine_start(),
        systemd=(root / "run/systemd/system").is_dir(),
        has_settings=(root / "etc/docker/daemon.json").exists(),
    )
    try:
        done = run(["docker", "info", "--format", "{{json .}}"], timeout_s=INFO_S, environ=environ)
    except ToolMissingError:
        return host
    except WaitError:
        return replace(_of_a_silent(host, environ), error=f"no answer within {INFO_S} s")
    info, said = _parted("\n".join(done.lines))
    if not info:
        return replace(_of_a_silent(host, environ), error=said or "docker info says nothing")
    endpoint = _endpoint(named, info, environ)
    return _with_access(_of_info(replace(host, endpoint=endpoint), info, said))


def _parted(text: str) -> tuple[dict[str, Any], str]:
    """Return the object in what was printed, and the words around it: both streams are one."""
    before, brace, rest = text.partition("{")
    try:
        info, end = json.JSONDecoder().raw_decode(brace + rest)
    except ValueError:
        return {}, text.strip()[:NAMED]
    around = f"{before} {rest[end - 1 :]}"
    return info, " ".join(around.split())[:NAMED]


def _of_a_silent(host: EngineVitals, environ: Mapping[str, str]) -> EngineVitals:
    """Return what the program says without its engine."""
    plugins = {name: _plugin_by_call(name, environ) for name in ("compose", "buildx")}
    return replace(host, client=_UNKNOWN, compose=plugins["compose"], buildx=plugins["buildx"])


def _plugin_by_call(name: str, environ: Mapping[str, str]) -> str:
    try:
        done = run(["docker", name, "version"], timeout_s=SHORT_S, environ=environ)
    except (ToolMissingError, WaitError):
        return ""
    found = _VERSION.search(done.tail(1))
    return found[0] if found and done.returncode == 0 else ""


def _endpoint(named: str, info: dict[str, Any], environ: Mapping[str, str]) -> str:
    """Return the address behind the context, where one other than the default is used."""
    context = str((info.get("ClientInfo") or {}).get("Context", ""))
    if environ.get("DOCKER_HOST") or context in {"", "default"}:
        return named
    form = ["--format", "{{.Endpoints.docker.Host}}"]
    try:
        done = run(["docker", "context", "inspect", *form], timeout_s=SHORT_S, environ=environ)
    except (ToolMissingError, WaitError):
        return f"the context {context}"
    return done.tail(1) if done.returncode == 0 else f"the context {context}"


def _of_info(host: EngineVitals, info: dict[str, Any], said: str) -> EngineVitals:
    """Source: https://docs.docker.com/reference/api/engine/version/v1.41/, SystemInfo."""
    client = info.get("ClientInfo") or {}
    plugins = {str(one.get("Name")): str(one.get("Version")) for one in client.get("Plugins") or ()}
    errors = "; ".join(map(str, info.get("ServerErrors") or ())) or said
    known = replace(
        host,
        client=str(client.get("Version") or _UNKNOWN),
        compose=plugins.get("compose", ""),
        buildx=plugins.get("buildx", ""),
        version=str(info.get("ServerVersion") or ""),
    )
    if not known.answers:
        return replace(known, error=errors, denied="permission denied" in errors.lower())
    root_dir = str(info.get("DockerRootDir") or "")
    return replace(
        known,
        # Engines before 20.10 do not say; they know version 1 alone.
        cgroup=str(info.get("CgroupVersion") or "1"),
        cgroup_driver=str(info.get("CgroupDriver") or ""),
        storage=str(info.get("Driver") or ""),
        d_type=["Supports d_type", "false"] not in (info.get("DriverStatus") or []),
        live_restore=bool(info.get("LiveRestoreEnabled")),
        swarm=(info.get("Swarm") or {}).get("LocalNodeState") == "active",
        security=tuple(map(str, info.get("SecurityOptions") or ())),
        no_limits=tuple(word for key, word in _LIMITS.items() if not info.get(key, True)),
        root_dir=root_dir,
        root_inodes=_inodes(Path(root_dir)) if known.is_here and root_dir else None,
        skew_s=_skew(str(info.get("SystemTime") or "")),
    )


def _inodes(path: Path) -> int | None:
    """Return how many files still fit, None where the file system counts none."""
    try:
        existing = next(one for one in (path, *path.parents) if one.exists())
        found = os.statvfs(existing)
    except OSError:
        return None
    return found.f_favail if found.f_files else None


def _skew(text: str) -> float:
    try:
        return datetime.fromisoformat(text).timestamp() - time.time()
    except ValueError:
        return 0


def _with_access(engine: EngineVitals) -> EngineVitals:
    """Add who may use the socket, where this user may not."""
    if not engine.denied or not engine.is_here:
        return engine
    user = _user_name(os.getuid())
    try:
        gid = Path(engine.endpoint.removeprefix("unix://")).stat().st_gid
        group = grp.getgrgid(gid)
    except (OSError, KeyError):
        return replace(engine, user=user)
    member = user in group.gr_mem or pwd.getpwuid(os.getuid()).pw_gid == gid
    return replace(engine, user=user, socket_group=group.gr_name, member=member)


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"
