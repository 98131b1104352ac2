# SPDX-License-Identifier: Apache-2.0
"""What does each variable of a rendered folder's .env file mean? Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.rules.several import kind_of

if TYPE_CHECKING:
    from collections.abc import Iterable

MEANINGS = {
    "TTCTL_BIND": "the address of this host that the gateway answers on",
    "TTCTL_CACHE": "the folder that the engine keeps converted tensors and kernels in, 0777; the"
    " one above it is 0700",
    "TTCTL_CLUSTER": "the folder in which `worker/authorized_keys.pub` lies",
    "TTCTL_ENGINE_SECRETS": "the folder with `key`, which the engine reads and the gateway sends",
    "TTCTL_HOSTS": "the names of all hosts, the first one first, with `,` between them",
    "TTCTL_HUGEPAGES": "where pages of 1 GiB are mounted on this host, `/dev/hugepages-1G`",
    "TTCTL_INTERFACE": "the network interface by which the hosts reach each other",
    "TTCTL_OWNER": "a mark for the labels of the containers; may stay or be empty",
    "TTCTL_PORT": "the port of this host that the gateway answers on",
    "TTCTL_SECRETS": "the folder with `keys.map`, a line `SHA256-OF-KEY NAME` for each key that is"
    " let in; the key that prepare.sh makes is `api-key` beside that folder",
    "TTCTL_SHARED": "the folder that all hosts share, where it is mounted on this host",
    "TTCTL_WEIGHTS": "the folder with the files of the weights themselves: no links, each readable"
    " by everybody; prepare.sh says what to type where one is missing",
    "TTCTL_WHEELS": "wheels that a build takes from this host, with `:` between them",
}
NODE = "TTCTL_NODE_"
NODES = "a node of this host and its name inside, `/dev/tenstorrent/3:/dev/tenstorrent/3`"


def meanings(names: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Return each variable with what it holds; those of nodes are alike."""
    return tuple(
        (name, NODES if name.startswith(NODE) else MEANINGS[kind_of(name)])
        for name in sorted(names)
    )
