# SPDX-License-Identifier: Apache-2.0
"""What a test sees of the chat page, and how it uses it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect
from tests.integration.gateway_upstream.door import KEY

if TYPE_CHECKING:
    from playwright.sync_api import Page

CHROMIUM = "/usr/bin/chromium"


class Seen:
    """A page of its own, with what the browser complained of and asked for."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.asked: list[str] = []
        page.on("console", self._complain)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.asked.append(request.url))

    def _complain(self, message: object) -> None:
        text = str(getattr(message, "text", ""))
        if getattr(message, "type", "") in {"error", "warning"}:
            self.complaints.append(text)

    def enter(self) -> None:
        self.page.get_by_label("Key", exact=True).fill(KEY)
        self.page.get_by_role("button", name="Use this key").click()
        expect(self.page.get_by_label("Model")).to_have_value("vllm/talker")
        # The last thing that the page does at its start.
        expect(self.page.get_by_label("Your question")).to_be_focused()

    def ask(self, question: str) -> None:
        self.page.get_by_label("Your question").fill(question)
        self.page.keyboard.press("Enter")

    def answer(self, number: int = -1) -> str:
        return self.page.locator("article.assistant").nth(number).inner_text()
