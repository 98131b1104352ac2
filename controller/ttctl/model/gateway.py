# SPDX-License-Identifier: Apache-2.0
"""How a running stack is talked to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from ttctl.model.picture import ImageRequest, Picture, Stroke
    from ttctl.model.talk import Completion, Door
    from ttctl.model.tls import At


OK = 200
"""Of HTTP."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What came of one question for `/health`."""

    status: int
    """Of HTTP; 0 where no answer came in time."""
    seconds: float
    """Until it came, or was no longer waited for."""
    taken: bool
    """Whether somebody took the question."""

    @property
    def ok(self) -> bool:
        """Return whether the stack says that it is ready."""
        return self.status == OK


class Gateway(Protocol):
    """Talks to a running stack through its one door."""

    def health(self, at: At) -> Health:
        """Ask for `/health`, and wait for the answer five seconds at most."""

    def healthy(self, at: At) -> bool:
        """Return whether `/health` answers 200."""

    def models(self, at: At, key: str, *, base: str = "") -> tuple[str, ...]:
        """Return the names that `/v1/models` lists; `base` names one engine of several."""

    def complete(self, at: At, key: str, *, model: str, prompt: str, limit_s: float) -> Completion:
        """Ask for one short completion; `limit_s` is how long nothing may come."""

    def chat(
        self,
        door: Door,
        key: str,
        *,
        model: str,
        messages: list[dict[str, str]],
        max_tokens: int,
        temperature: float,
        on_text: Callable[[str], None],
    ) -> Completion:
        """Ask for a streamed answer; each piece goes to `on_text` as it comes.

        Ctrl-C closes the connection, so that the engine stops; what had come is returned.

        Raises:
            TooLongError: The messages do not fit into what the model can read.
        """

    def draw(self, at: At, key: str, request: ImageRequest) -> Generator[Stroke | Picture]:
        """Ask for images; yield how far each is, and each that is whole, in their order.

        Closed before its end, it closes the connection, so that the engine stops.

        Raises:
            UsageError: The service refuses a field; a value that it takes is named where it says.
            EngineError: It does not answer, or does not draw.
        """
