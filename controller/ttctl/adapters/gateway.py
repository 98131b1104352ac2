# SPDX-License-Identifier: Apache-2.0
"""The one door of a running stack. Its health is asked often; for talk a client is loaded."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from ttctl.adapters import health

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from ttctl.adapters.direct_client import DirectClient
    from ttctl.adapters.gateway_client import GatewayClient
    from ttctl.model.gateway import Health
    from ttctl.model.picture import ImageRequest, Picture, Stroke
    from ttctl.model.talk import Completion, Door
    from ttctl.model.tls import At


class StackGateway:
    """The gateways of this machine's stacks, by where they are asked on loopback."""

    def healthy(self, at: At) -> bool:
        """Return whether `/health` answers 200."""
        return health.asked(at).ok

    def health(self, at: At) -> Health:
        """Ask for `/health`, and wait for the answer five seconds at most."""
        return health.asked(at)

    def models(self, at: At, key: str, *, base: str = "") -> tuple[str, ...]:
        """Return the names that `/v1/models` lists."""
        return self._api.models(at, key, base=base)

    def complete(self, at: At, key: str, *, model: str, prompt: str, limit_s: float) -> Completion:
        """Ask for one short completion; `limit_s` is how long nothing may come."""
        return self._api.complete(at, key, model=model, prompt=prompt, limit_s=limit_s)

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
        """Ask for a streamed answer; each piece goes to `on_text` as it comes."""
        client = self._direct if door.speaks == "chat" else self._api
        return client.chat(
            door,
            key,
            model=model,
            messages=messages,
            max_tokens=max_tokens,
            temperature=temperature,
            on_text=on_text,
        )

    def draw(self, at: At, key: str, request: ImageRequest) -> Generator[Stroke | Picture]:
        """Ask for images; yield how far each is, and each that is whole."""
        from ttctl.adapters.image_client import draw  # noqa: PLC0415 - pydantic, http

        return draw(at, key, request)

    @cached_property
    def _api(self) -> GatewayClient:
        from ttctl.adapters.gateway_client import GatewayClient  # noqa: PLC0415 - pydantic, http

        return GatewayClient()

    @cached_property
    def _direct(self) -> DirectClient:
        from ttctl.adapters.direct_client import DirectClient  # noqa: PLC0415 - pydantic, http

        return DirectClient()
