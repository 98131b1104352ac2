# SPDX-License-Identifier: Apache-2.0
"""The chat page in a real browser, behind a real gateway, before a server that echoes."""

from __future__ import annotations

import re
import subprocess

import pytest
from playwright.sync_api import Browser, expect
from tests.e2e.page_seen import CHROMIUM, Seen
from tests.integration.gateway_upstream.door import KEY

pytest_plugins = ["tests.integration.gateway_upstream.fixtures", "tests.e2e.chat_page"]
pytestmark = pytest.mark.docker


def test_the_key_is_asked_once_and_kept_out_of_every_address(fresh: Seen, url: str) -> None:
    page = fresh.page
    expect(page.get_by_role("dialog", name="API key")).to_be_visible()
    page.get_by_label("Key", exact=True).fill("wrong")
    page.keyboard.press("Enter")
    expect(page.locator("#key-why")).to_contain_text("does not know this key")
    page.get_by_label("Key", exact=True).fill(KEY)
    page.keyboard.press("Enter")
    expect(page.get_by_label("Model")).to_have_value("vllm/talker")
    page.reload()
    expect(page.get_by_label("Model")).to_have_value("vllm/talker")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert page.url == url
    assert all(KEY not in address for address in fresh.asked)
    # The browser itself notes the refusal of the wrong one.
    (refused,) = fresh.complaints
    assert "401" in refused
    fresh.complaints = []


def test_a_question_is_answered_piece_by_piece_with_its_speed(seen: Seen) -> None:
    seen.ask("What is **it**?")
    expect(seen.page.locator(".speed")).to_have_text(re.compile(r"5 tokens, first after \d"))
    assert seen.answer().startswith("talker (vllm)\n\nYou said: What is it?")
    assert seen.page.locator("article.assistant strong").inner_text() == "it"


def test_stop_ends_an_answer_and_keeps_what_came(seen: Seen) -> None:
    seen.ask("SLOW")
    expect(seen.page.locator("article.assistant")).to_contain_text("so so so")
    seen.page.get_by_role("button", name="Stop").click()
    expect(seen.page.locator(".speed")).to_contain_text("stopped")
    expect(seen.page.get_by_role("button", name="Send")).to_be_visible()
    length = len(seen.answer())
    seen.page.wait_for_timeout(300)
    assert len(seen.answer()) == length


def test_escape_stops_too(seen: Seen) -> None:
    seen.ask("SLOW")
    expect(seen.page.locator("article.assistant")).to_contain_text("so")
    seen.page.keyboard.press("Escape")
    expect(seen.page.locator(".speed")).to_contain_text("stopped")


def test_a_role_and_the_conversation_go_with_each_question(seen: Seen) -> None:
    page = seen.page
    options = page.get_by_label("Role").locator("option")
    expect(options).to_have_text(
        ["none", "brief", "coding", "my.pirate", "reviewer", "teacher", "translator"]
    )
    page.get_by_label("Role").select_option("coding.md")
    page.get_by_label("Model").select_option("vllm/other")
    seen.ask("one")
    expect(page.locator(".speed")).to_have_count(1)
    with page.expect_request("**/v1/chat/completions") as asked:
        seen.ask("two")
    sent = asked.value.post_data_json
    assert sent["model"] == "other"
    assert [one["content"] for one in sent["messages"]] == [
        "You help a programmer.", "one", "You said: one", "two",
    ]  # fmt: skip


def test_what_a_model_writes_is_text_and_never_markup(seen: Seen) -> None:
    seen.ask("<img src=x onerror=alert(1)> <b>bold</b> ```py\nprint('<i>')\n```")
    expect(seen.page.locator(".speed")).to_have_count(1)
    assert seen.page.locator("article img, article b, article i").count() == 0
    assert seen.page.locator("article.assistant pre code").inner_text() == "print('<i>')"


WRITTEN = """# Steps
1. first
2. `second`, which goes
   on here

- a point
  - a smaller one

| a | b |
|---|---|

The end.
```sh
ls <dir>
```"""


def test_lists_headings_and_code_are_shown_as_such(seen: Seen) -> None:
    seen.ask(f"so:\n{WRITTEN}")
    answer = seen.page.locator("article.assistant")
    expect(answer.locator(".speed")).to_have_count(1)
    assert answer.locator("h4").all_inner_texts() == ["Steps"]
    assert answer.locator("ol li").all_inner_texts() == ["first", "second, which goes on here"]
    assert answer.locator("ul li").all_inner_texts() == ["a point", "a smaller one"]
    assert answer.locator("p.table").inner_text() == "| a | b |\n|---|---|"
    assert answer.locator("figcaption span").inner_text() == "sh"
    assert answer.get_by_role("group", name="Code in sh").inner_text() == "ls <dir>"


@pytest.mark.parametrize("secure", [True, False])
def test_code_can_be_copied_where_the_browser_has_no_clipboard_for_the_page_too(
    seen: Seen,
    secure: bool,  # noqa: FBT001
) -> None:
    page = seen.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    if not secure:
        page.evaluate("navigator.clipboard.writeText = undefined")
    seen.ask("```sh\nls -l\n```")
    page.locator("article.assistant").get_by_role("button", name="Copy").click()
    expect(page.locator("article.assistant").get_by_role("button")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == "ls -l"


def test_on_a_phone_nothing_is_cut_off_and_the_talk_has_the_room(
    browser: Browser, url: str
) -> None:
    with browser.new_context(viewport={"width": 360, "height": 640}) as context:
        page = context.new_page()
        seen = Seen(page)
        page.goto(url)
        seen.enter()
        seen.ask("```py\n" + "x = 1; " * 60 + "\n```")
        expect(page.locator(".speed")).to_have_count(1)
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        outside = page.evaluate(
            """() => [...document.querySelectorAll('header *, aside *, #ask *')]
                .filter((one) => one.checkVisibility())
                .map((one) => [one.tagName, one.getBoundingClientRect()])
                .filter(([name, at]) => name !== 'H1' && (at.left < 0 || at.right > 360))
                .map(([name]) => name)"""
        )
        assert outside == []
        assert page.evaluate("document.querySelector('main').clientHeight") > 300
        page.get_by_text("Earlier").click()
        expect(page.locator("aside li")).to_be_visible()


def test_a_refusal_is_said_and_the_question_is_not_lost(seen: Seen) -> None:
    seen.ask("LONG question")
    expect(seen.page.get_by_role("alert")).to_contain_text("maximum context length")
    expect(seen.page.get_by_label("Your question")).to_have_value("LONG question")
    seen.complaints = [one for one in seen.complaints if "400" not in one]


def test_the_page_is_one_request_of_less_than_100_kb(browser: Browser, url: str) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        seen = Seen(page)
        answer = page.goto(url)
        assert answer
        assert len(answer.body()) < 100_000
        expect(page.get_by_role("dialog")).to_be_visible()
        assert [one for one in seen.asked if "data:" not in one] == [url]
        assert seen.complaints == []


def test_a_browser_is_there() -> None:
    assert subprocess.run([CHROMIUM, "--version"], capture_output=True, check=True).stdout
