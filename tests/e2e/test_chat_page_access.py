# SPDX-License-Identifier: Apache-2.0
"""The chat page by keyboard, to a screen reader, and in light and dark."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect
from tests.integration.gateway_upstream.door import KEY

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page
    from tests.e2e.page_seen import Seen

pytest_plugins = ["tests.integration.gateway_upstream.fixtures", "tests.e2e.chat_page"]
pytestmark = pytest.mark.docker


def test_everything_can_be_reached_by_keyboard_and_has_a_name(seen: Seen) -> None:
    page = seen.page
    unnamed = page.evaluate(
        """() => [...document.querySelectorAll('button, input, select, textarea')]
            .filter((one) => !(one.labels?.length || one.ariaLabel || one.textContent.trim()))
            .map((one) => one.outerHTML)"""
    )
    assert unnamed == []
    reached = set()
    page.locator("body").press("Tab")
    for _ in range(12):
        reached.add(page.evaluate("document.activeElement.id || document.activeElement.className"))
        page.keyboard.press("Tab")
    assert {"skip", "new", "model", "role", "settings", "log", "question", "send"} <= reached


def test_a_screen_reader_is_told_what_each_part_of_the_page_is(seen: Seen) -> None:
    seen.ask("What is it?")
    expect(seen.page.locator(".speed")).to_have_count(1)
    log = seen.page.get_by_role("log", name="Conversation")
    expect(log).to_have_attribute("aria-live", "polite")
    expect(log).to_have_attribute("aria-busy", "false")
    expect(seen.page.locator("body")).to_match_aria_snapshot(HEARD)


HEARD = """
- link "Go to the question"
- complementary "Conversations":
  - button "New conversation"
  - group:
    - list "Earlier":
      - listitem:
        - button "What is it?"
        - 'button "Delete: What is it?"'
- banner:
  - heading "ttctl chat" [level=1]
  - combobox "Model"
  - combobox "Role"
  - button "Settings"
- main:
  - log "Conversation":
    - article:
      - heading "You" [level=3]
    - article:
      - heading "talker (vllm)" [level=3]
- textbox "Your question"
- button "Send"
- status
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_is_readable_in_both_schemes(browser: Browser, url: str, scheme: str) -> None:
    with browser.new_context(color_scheme=scheme) as context:  # type: ignore[arg-type]
        page = context.new_page()
        page.goto(url)
        page.get_by_label("Key", exact=True).fill(KEY)
        page.keyboard.press("Enter")
        expect(page.get_by_label("Model")).to_have_value("vllm/talker")
        other = "light" if scheme == "dark" else "dark"
        assert is_dark(page) == (scheme == "dark")
        pairs = page.evaluate(CONTRASTS)
        page.get_by_role("button", name="Settings").click()
        page.get_by_label("Colours").select_option(other)
        page.get_by_role("button", name="Done").click()
        expect(page.locator("html")).to_have_attribute("data-theme", other)
        assert is_dark(page) == (other == "dark")
        page.reload()
        assert is_dark(page) == (other == "dark")
        assert {name: ratio for name, ratio in pairs.items() if ratio < 4.5} == {}


def is_dark(page: Page) -> bool:
    """Return whether what is drawn is light text on a dark ground."""
    text, ground = page.evaluate(
        """() => ["color", "backgroundColor"].map((name) =>
            getComputedStyle(document.body)[name].match(/\\d+/g).map(Number)
                .reduce((sum, one) => sum + one))"""
    )
    return bool(text > ground)


CONTRASTS = """() => {
    const style = getComputedStyle(document.documentElement);
    const light = (name) => {
        const hex = style.getPropertyValue(`--${name}`).trim();
        const parts = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16) / 255)
            .map((one) => one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4);
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
    };
    const pairs = [["text", "back"], ["soft", "back"], ["soft", "panel"], ["text", "mine"],
        ["soft", "mine"], ["on-strong", "strong"], ["bad", "back"], ["text", "code"]];
    return Object.fromEntries(pairs.map(([one, other]) => {
        const [high, low] = [light(one), light(other)].sort((a, b) => b - a);
        return [`${one} on ${other}`, (high + 0.05) / (low + 0.05)];
    }));
}"""
