# SPDX-License-Identifier: Apache-2.0
"""Write the script that makes what a stack on cards mounts, and looks whether the rest is there.

Pure. It makes what `ttctl up` makes by `adapters/engine_files.py` and `adapters/store.py`, with the
same modes; a test holds the two beside each other. Weights and device nodes it only looks for.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ttctl.model.service import node_variable
from ttctl.rules import prepare_parts as parts
from ttctl.rules.interpolation import pieces, variables
from ttctl.rules.several import CACHE, WEIGHTS, cache_variable, renamed, weights_variable
from ttctl.rules.tls import has_door

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ttctl.model.lock import LockedWeights
    from ttctl.model.service import Stack

NAME = "prepare.sh"


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What the start of one engine needs."""

    service: str = ""
    """Of an engine beside the stack's own; empty for its own."""
    folders: tuple[str, ...] = ()
    """Below the cache besides those that are mounted, `.` for itself."""
    weights: LockedWeights | None = None
    """Which files have to be there; None where that is not known."""


def prepare_script(stack: Stack, needs: Sequence[Needs] = (Needs(),)) -> str:
    """Return `prepare.sh`: makes folders and keys, and ends with the code of what is missing.

    Args:
        stack: What is started; its mounts say what is needed.
        needs: What else each engine needs, the stack's own first.
    """
    sources = _sources(stack)
    caches = {CACHE, *(cache_variable(one.service) for one in needs if one.service)}
    written = [parts.HEAD.format(stack=stack.name)]
    written += [parts.FOLDER] if sources.keys() & {*caches, "TTCTL_SECRETS"} else []
    written += [line for one in needs for line in _caches(stack, sources, one)]
    if "TTCTL_SECRETS" in sources:
        written += [parts.KEYS, parts.GATEWAY]
        written += [parts.CERTIFICATE] if has_door(stack) else []
        written += [parts.ENGINE] if "TTCTL_ENGINE_SECRETS" in sources else []
    written += [line for one in needs for line in _weighed(sources, one)]
    if stack.nodes:
        names = [node_variable(number) for number in range(stack.nodes)]
        written += [parts.NODES, *(f'node {name} "${{{name}:-}}"\n' for name in names)]
    if "TTCTL_HUGEPAGES" in sources:
        written.append(parts.PAGES)
    written += [_beside(sources[""])] if "" in sources else []
    written.append('\nexit "$code"\n')
    return "".join(written)


def _sources(stack: Stack) -> dict[str, list[str]]:
    """Return each variable that a mount begins with to what follows it; without one: the path."""
    found: dict[str, list[str]] = {}
    for source in (mount.source for one in stack.services for mount in one.mounts):
        named = variables(source)
        name = named[0].name if named else ""
        rest = "".join(one for one in pieces(source) if isinstance(one, str))
        if rest not in found.setdefault(name, []):
            found[name].append(rest)
    return found


def _caches(stack: Stack, sources: dict[str, list[str]], needs: Needs) -> Iterator[str]:
    service = needs.service
    name = cache_variable(service) if service else CACHE
    if name not in sources:
        return
    yield renamed(parts.CACHE, service)
    mounted = [rest.strip("/") for rest in sources[name]]
    for level in levels((*mounted, *needs.folders)):
        inside = f"/{shlex.quote(level)}" if level else ""
        yield f'folder 0777 "${name}"{inside}\n'
    engine = next((one for one in stack.services if one.name == service), stack.engine)
    user = engine.confinement.user.partition(":")[0]
    if user != "0":
        # Who begins as root makes the folders its own.
        yield renamed(parts.OWNER.format(user=user), service)


def fetch_words(weights: LockedWeights) -> tuple[str, ...]:
    """Return the command that fetches weights without ttctl, but for the folder they go to.

    Source: https://huggingface.co/docs/huggingface_hub/guides/cli
    """
    words = ["hf", "download", weights.repository]
    words += ["--revision", weights.revision] if weights.revision else []
    words += ["--include", "original/*"] if weights.original else []
    return tuple(words)


def levels(folders: Sequence[str]) -> tuple[str, ...]:
    """Return each folder after those above it, empty for the cache itself."""
    found = [""]
    for folder in folders:
        names = [name for name in folder.split("/") if name not in {"", "."}]
        found += ["/".join(names[: place + 1]) for place in range(len(names))]
    return tuple(dict.fromkeys(found))


def _weighed(sources: dict[str, list[str]], needs: Needs) -> Iterator[str]:
    service, weights = needs.service, needs.weights
    name = weights_variable(service) if service else WEIGHTS
    if name not in sources or weights is None:
        return
    yield renamed(parts.WEIGHTS, service)
    yield renamed(parts.FILES if weights.files else parts.ANY, service)
    for one in weights.files:
        yield f"has {shlex.quote(one.path)} {one.size_bytes}\n"
    fetch = shlex.quote(shlex.join(fetch_words(weights)))
    yield renamed(parts.FETCH, service).format(repository=weights.repository, fetch=fetch)


def _beside(paths: Sequence[str]) -> str:
    missing = 'problem 9 "there is no $1, which a container mounts"'
    lines = (f"beside {shlex.quote(path)}\n" for path in sorted(paths))
    return f'\nbeside() {{\n    [ -e "$1" ] || {missing}\n}}\n{"".join(lines)}'
