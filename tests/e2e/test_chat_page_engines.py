# SPDX-License-Identifier: Apache-2.0
"""The chat page with the real program of `api` beside an engine with OpenAI's API."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect
from tests.integration.gateway_upstream.door import until

if TYPE_CHECKING:
    from playwright.sync_api import Route
    from tests.e2e.page_seen import Seen
    from tests.integration.gateway_upstream.door import Door

pytest_plugins = ["tests.integration.gateway_upstream.fixtures", "tests.e2e.chat_page"]
pytestmark = pytest.mark.docker
CUT = 'event: text\ndata: {"text": "Half an"}\n\n'


def number_of(door: Door, name: str) -> float:
    text = door.ask("/api/metrics").body.decode()
    return sum(float(line.split()[-1]) for line in text.splitlines() if line.startswith(name))


@pytest.fixture
def api(seen: Seen) -> Seen:
    seen.page.get_by_label("Model").select_option("api/parrot")
    return seen


def test_the_models_of_every_engine_are_offered_under_its_name(seen: Seen) -> None:
    groups = seen.page.locator("#model optgroup")
    assert [one.get_attribute("label") for one in groups.all()] == ["vllm", "api"]
    assert groups.nth(0).locator("option").all_inner_texts() == ["talker", "other"]
    assert groups.nth(1).locator("option").all_inner_texts() == ["parrot"]


def test_the_service_api_answers_piece_by_piece_with_its_own_count(api: Seen) -> None:
    with api.page.expect_request("**/api/chat") as asked:
        api.ask("What is it?")
    expect(api.page.locator(".speed")).to_have_text(
        re.compile(r"22 tokens, first after \d+\.\d\d s, \d+\.\d tokens/s")
    )
    assert api.answer().startswith("parrot (api)\n\nYou said: What is it?")
    sent = asked.value.post_data_json
    assert set(sent) == {"messages", "stream", "temperature", "max_tokens"}


def test_stop_ends_the_computation_of_the_service_api(api: Seen, door: Door) -> None:
    before = number_of(door, 'ttctl_direct_answers_total{outcome="cancelled"}')
    api.ask("SLOW")
    expect(api.page.locator("article.assistant")).to_contain_text("so so so")
    api.page.get_by_role("button", name="Stop").click()
    expect(api.page.locator(".speed")).to_contain_text("stopped")
    assert "so so" in api.answer()
    until(lambda: number_of(door, 'ttctl_direct_answers_total{outcome="cancelled"}') == before + 1)
    until(lambda: number_of(door, "ttctl_direct_running") == 0)


def test_a_role_and_what_the_other_engine_said_go_with_a_question(api: Seen) -> None:
    page = api.page
    page.get_by_label("Role").select_option("my.pirate.md")
    page.get_by_label("Model").select_option("vllm/other")
    api.ask("one")
    expect(page.locator(".speed")).to_have_count(1)
    page.get_by_label("Model").select_option("api/parrot")
    with page.expect_request("**/api/chat") as asked:
        api.ask("two")
    expect(page.locator(".speed")).to_have_count(2)
    assert asked.value.post_data_json["messages"] == [
        {"role": "system", "content": "Arr."},
        {"role": "user", "content": "one"},
        {"role": "assistant", "content": "You said: one"},
        {"role": "user", "content": "two"},
    ]
    page.reload()
    expect(page.get_by_label("Model")).to_have_value("api/parrot")
    expect(page.get_by_label("Role")).to_have_value("my.pirate.md")


def test_what_does_not_fit_is_said_as_the_service_api_says_it(api: Seen) -> None:
    api.ask("long " * 500)
    expect(api.page.get_by_role("alert")).to_contain_text("2000 fit here")
    api.complaints = [one for one in api.complaints if "400" not in one]


def test_an_answer_that_reached_its_limit_says_so(api: Seen) -> None:
    page = api.page
    page.get_by_role("button", name="Settings").click()
    page.get_by_label("Longest answer, in tokens").fill("5")
    page.get_by_role("button", name="Done").click()
    api.ask("one")
    expect(page.locator(".speed")).to_contain_text("5 tokens")
    expect(page.locator(".speed")).to_contain_text("cut at its longest")
    page.get_by_label("Model").select_option("vllm/talker")
    api.ask("a b c d e f g")
    expect(page.locator(".speed").nth(1)).to_contain_text("cut at its longest")


def test_a_stream_that_breaks_is_no_whole_answer(api: Seen) -> None:
    api.page.route(
        "**/api/chat",
        lambda route: route.fulfill(content_type="text/event-stream", body=CUT),
    )
    api.ask("one")
    expect(api.page.get_by_role("alert")).to_contain_text("cut off before its end")
    assert "Half an" in api.answer()


def test_an_engine_that_still_starts_leaves_the_others_usable_and_comes_by_itself(
    seen: Seen,
) -> None:
    page = seen.page
    refusal = {"error": {"message": "The engine api is not ready."}}
    starting = True

    def answer(route: Route) -> None:
        if starting:
            route.fulfill(status=503, json=refusal)
        else:
            route.continue_()

    page.route("**/api/v1/models", answer)
    page.reload()
    expect(page.locator("#model optgroup[label=api] option")).to_have_text(["not ready"])
    seen.ask("one")
    expect(page.locator(".speed")).to_have_count(1)
    starting = False
    expect(page.locator("#model optgroup[label=api] option")).to_have_text(
        ["parrot"], timeout=15_000
    )
    expect(page.get_by_label("Model")).to_have_value("vllm/talker")
    seen.complaints = [one for one in seen.complaints if "503" not in one]


def test_while_no_engine_is_ready_the_page_says_so_and_sends_nothing(seen: Seen) -> None:
    page = seen.page
    refusal = json.dumps({"error": {"message": "The engine is not ready."}})
    page.route("**/v1/models", lambda route: route.fulfill(status=503, body=refusal))
    page.reload()
    expect(page.get_by_role("status")).to_contain_text("No model is ready yet.")
    expect(page.get_by_role("button", name="Send")).to_be_disabled()
    seen.ask("too early")
    expect(page.get_by_label("Your question")).to_have_value("too early")
    seen.complaints = [one for one in seen.complaints if "503" not in one]


def test_without_a_list_of_engines_the_only_one_is_asked_without_a_name(seen: Seen) -> None:
    page = seen.page
    page.route("**/engines.json", lambda route: route.fulfill(json=[]))
    page.reload()
    expect(page.get_by_label("Model")).to_have_value("talker")
    with page.expect_request("**/v1/chat/completions") as asked:
        seen.ask("one")
    assert "/vllm/" not in asked.value.url
    expect(page.locator(".speed")).to_have_count(1)
