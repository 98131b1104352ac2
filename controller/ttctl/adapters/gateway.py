# SPDX-License-Identifier: Apache-2.0
"""The one door of a running stack. Its health is asked often; for talk a client is loaded."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from ttctl.adapters import health

if TYPE_CHECKING:
    from collections.abc import Callable

    from ttctl.adapters.gateway_client import GatewayClient
    from ttctl.model.talk import Completion


class StackGateway:
    """The gateways of this machine's stacks, by their port on loopback."""

    def healthy(self, port: int) -> bool:
        """Return whether `/health` answers 200."""
        return health.healthy(port)

    def models(self, port: int, key: str) -> tuple[str, ...]:
        """Return the names that `/v1/models` lists."""
        return self._api.models(port, key)

    def complete(self, port: int, key: str, *, model: str, prompt: str) -> Completion:
        """Ask for one short completion."""
        return self._api.complete(port, key, model=model, prompt=prompt)

    def chat(
        self,
        port: int,
        key: str,
        *,
        model: str,
        messages: list[dict[str, str]],
        max_tokens: int,
        temperature: float,
        on_text: Callable[[str], None],
    ) -> Completion:
        """Ask for a streamed answer; each piece goes to `on_text` as it comes."""
        return self._api.chat(
            port,
            key,
            model=model,
            messages=messages,
            max_tokens=max_tokens,
            temperature=temperature,
            on_text=on_text,
        )

    @cached_property
    def _api(self) -> GatewayClient:
        from ttctl.adapters.gateway_client import GatewayClient  # noqa: PLC0415 - pydantic, http

        return GatewayClient()
