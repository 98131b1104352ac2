# SPDX-License-Identifier: Apache-2.0
"""What an acceptance run asks of the outside, and what it gets. Values and Protocols."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ttctl.model.acceptance import Build, Ran
    from ttctl.model.tls import At


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A running container, as the engine shows it."""

    service: str
    image: str
    """The reference that it was made from."""
    digests: tuple[str, ...]
    """`sha256:...` under which registries know its image, and the image's own id."""
    fingerprint: str
    """The label by which images of ours are known, empty for others."""
    user: str
    read_only: bool
    privileged: bool
    cap_drop: tuple[str, ...]
    cap_add: tuple[str, ...]
    """Without `CAP_`, sorted."""
    security: tuple[str, ...]
    ipc: str
    shm_bytes: int
    memory_bytes: int
    swap_bytes: int
    """Memory and swap together, as the engine counts."""
    pids: int
    memlock: bool
    """Whether memory may be locked without a limit."""
    groups: tuple[str, ...]
    nodes: tuple[str, ...]
    """`SOURCE:TARGET` of every device, sorted."""
    mounts: tuple[tuple[str, str, bool], ...]
    """(source, target, read-only) of every bind, sorted by target."""
    scratch: tuple[str, ...]
    """Folders in memory, sorted."""
    networks: tuple[str, ...]
    published: tuple[tuple[str, int, int], ...]
    """(host address, host port, container port)."""
    restart: str
    stop_s: int
    """Time to end after SIGTERM; 10 where nothing was said, as the engine has it."""
    labels: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One request to the gateway."""

    path: str
    body: bytes = b""
    """JSON; empty for a GET."""
    stream: bool = False
    stop_after: int = 0
    """Pieces after which the connection is closed; 0: it is read to its end."""
    most_tokens: int = 0
    """Tokens that may be written; more were a lie. 0: nobody said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of a question. Nothing here raises: a failure is what was found."""

    status: int = 0
    """HTTP status, 0 where none came."""
    problem: str = ""
    """Why it is no answer: `timed out`, `cut off`, `not understood`, ...; empty where it is one."""
    seconds: float = 0.0
    first_s: float = 0.0
    """To the first piece of text; 0 where none came or nothing was streamed."""
    last_s: float = 0.0
    """To the last piece of text."""
    pieces: int = 0
    tokens: int | None = None
    """Tokens written, as the engine counts them."""
    prompt_tokens: int | None = None
    body: bytes = b""
    """Of an answer that is not streamed."""


Expected = Literal["text", "embedding", "transcript", "sound", "picture", "job", "labels"]
"""What an answer has to hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One thing that is tried of a model."""

    name: str
    questions: tuple[Question, ...]
    """Asked at the same moment."""
    expected: Expected
    prompt_tokens: int = 0
    """Tokens that each prompt has at the least, where the engine counts them; 0: nobody asks."""


class Client(Protocol):
    """Asks one gateway on loopback."""

    def ask(self, question: Question, *, key: str, limit_s: float) -> Answer:
        """Ask once; never takes longer than `limit_s`, and never raises for what came."""

    def at_once(
        self, questions: Sequence[Question], *, key: str, limit_s: float
    ) -> tuple[Answer, ...]:
        """Ask several at the same moment; return the answers in their order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The machine and the checkout, beyond what `System` says."""

    kernel: str
    """The kernel's whole release."""
    build: Build
    today: str
    """Day, UTC, `2026-01-31`."""
    device_root: str
    """Where cards are looked for; another folder than `/` holds cards that were made up."""
    private: tuple[str, ...]
    """Words that must not be in a result: names of host and user, the home folder."""


class Kit(Protocol):
    """What only an acceptance run needs of the outside."""

    def place(self) -> Place:
        """Look at the machine and the checkout."""

    def ready(self) -> None:
        """Refuse now what would refuse the result at the end.

        Raises:
            TtctlError: The key does not sign, or OpenSSH is not installed.
        """

    def seen(self, container_id: str) -> Seen:
        """Look at a running container.

        Raises:
            EngineError: The engine does not answer, or not in its shape.
        """

    def client(self, at: At) -> Client:
        """Return what asks a gateway on loopback."""

    def keep(self, ran: Ran) -> Path:
        """Sign a result, write its file and return where.

        Raises:
            TtctlError: It could not be signed or written.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """What a run found, for the person at the machine."""

    ran: Ran
    file: Path
    details: tuple[tuple[str, str], ...]
    """(check, what was found) of what did not pass; stays on the screen."""
