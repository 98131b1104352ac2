# SPDX-License-Identifier: Apache-2.0
"""What the chat page keeps of its conversations, over reloads, deletions and several tabs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect
from tests.e2e.page_seen import Seen

if TYPE_CHECKING:
    from collections.abc import Iterator

pytest_plugins = ["tests.integration.gateway_upstream.fixtures", "tests.e2e.chat_page"]
pytestmark = pytest.mark.docker


@pytest.fixture
def beside(seen: Seen, url: str) -> Iterator[Seen]:
    """Open a second tab of the same browser."""
    other = Seen(seen.page.context.new_page())
    other.page.goto(url)
    other.enter()
    yield other
    assert other.complaints == []


def talked(seen: Seen, question: str) -> None:
    before = seen.page.locator(".speed").count()
    seen.ask(question)
    expect(seen.page.locator(".speed")).to_have_count(before + 1)


def opened(seen: Seen, title: str) -> None:
    seen.page.get_by_role("button", name=title, exact=True).click()


def deleted(seen: Seen, title: str) -> None:
    seen.page.get_by_role("button", name=f"Delete: {title}").click()


def expect_kept(seen: Seen, *titles: str) -> None:
    expect(seen.page.locator("aside li button:first-child")).to_have_text([*titles])


def test_a_lone_conversation_is_there_after_a_reload(seen: Seen) -> None:
    talked(seen, "the only talk")
    seen.page.reload()
    opened(seen, "the only talk")
    assert "You said: the only talk" in seen.answer()


def test_conversations_are_kept_the_newest_first_and_can_be_opened_and_deleted(seen: Seen) -> None:
    talked(seen, "first talk")
    seen.page.get_by_role("button", name="New conversation").click()
    expect(seen.page.locator("article")).to_have_count(0)
    talked(seen, "second talk")
    seen.page.reload()
    expect_kept(seen, "second talk", "first talk")
    opened(seen, "first talk")
    assert "You said: first talk" in seen.answer()
    deleted(seen, "first talk")
    expect_kept(seen, "second talk")
    seen.page.reload()
    expect_kept(seen, "second talk")


def test_where_there_is_no_room_the_oldest_conversation_goes_first(seen: Seen) -> None:
    talked(seen, "old talk")
    seen.page.evaluate(FULL)
    seen.page.reload()
    expect(seen.page.get_by_label("Model")).to_have_value("vllm/talker")
    talked(seen, "x" * 3_000)
    expect(seen.page.locator("aside li")).to_have_count(1)
    seen.page.reload()
    expect_kept(seen, "x" * 60)


FULL = """() => {
    const talks = JSON.parse(localStorage.getItem("ttctl.talks"));
    talks[0].messages[1].content = "x".repeat(10_000);
    localStorage.setItem("ttctl.talks", JSON.stringify(talks));
    for (const size of [1_000_000, 100_000, 10_000, 1_000]) {
        try {
            for (let number = 0; ; number += 1) {
                localStorage.setItem(`${size}-${number}`, "x".repeat(size));
            }
        } catch { /* no room for one more */ }
    }
}"""


def test_a_conversation_that_is_deleted_while_its_answer_comes_stays_away(seen: Seen) -> None:
    page = seen.page
    talked(seen, "first")
    seen.ask("SLOW")
    expect(page.locator("article.assistant").last).to_contain_text("so so so")
    with page.expect_event("requestfailed"):
        deleted(seen, "first")
    expect(page.get_by_role("button", name="Send")).to_be_visible()
    expect(page.locator("article")).to_have_count(0)
    expect(page.get_by_label("Your question")).to_have_value("")
    expect_kept(seen)
    talked(seen, "another")
    expect_kept(seen, "another")
    page.reload()
    expect_kept(seen, "another")


def test_another_one_is_deleted_without_a_word_of_the_answer_that_comes(seen: Seen) -> None:
    page = seen.page
    talked(seen, "first")
    page.get_by_role("button", name="New conversation").click()
    seen.ask("SLOW")
    expect(page.locator("article.assistant")).to_contain_text("so so so")
    deleted(seen, "first")
    expect(page.locator("article.assistant")).to_contain_text("so so so")
    page.keyboard.press("Escape")
    expect(page.locator(".speed")).to_contain_text("stopped")
    expect_kept(seen, "SLOW")


def test_two_tabs_keep_what_each_of_them_said(seen: Seen, beside: Seen) -> None:
    talked(seen, "in one")
    talked(beside, "in the other")
    for tab in (seen, beside):
        expect_kept(tab, "in the other", "in one")
    opened(beside, "in one")
    talked(seen, "more in one")
    expect(beside.page.locator("article.assistant")).to_have_count(2)
    for tab in (seen, beside):
        expect_kept(tab, "in one", "in the other")
        tab.page.reload()
        expect_kept(tab, "in one", "in the other")


def test_what_is_deleted_in_one_tab_does_not_come_back_from_another(
    seen: Seen, beside: Seen
) -> None:
    talked(seen, "in one")
    talked(beside, "in the other")
    seen.ask("SLOW")
    expect(seen.page.locator("article.assistant").last).to_contain_text("so so so")
    deleted(beside, "in one")
    expect(seen.page.locator("article")).to_have_count(0)
    talked(seen, "new in one")
    for tab in (seen, beside):
        expect_kept(tab, "new in one", "in the other")
        tab.page.reload()
        expect_kept(tab, "new in one", "in the other")


def test_the_keyboard_stays_in_the_list_when_one_of_it_is_deleted(seen: Seen) -> None:
    page = seen.page
    for title in ("one", "two"):
        page.get_by_role("button", name="New conversation").click()
        talked(seen, title)
    page.get_by_role("button", name="Delete: two").press("Enter")
    expect(page.get_by_role("button", name="Delete: one")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="New conversation")).to_be_focused()
