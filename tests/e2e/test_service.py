# SPDX-License-Identifier: Apache-2.0
"""The running service keeps OpenAI's contract, through the gateway and from the real vLLM."""

from __future__ import annotations

import json
import re
import tomllib
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import openai
import pytest
from tests.e2e.driver import ROOT, Stack, docker, until

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.docker

MODEL = "demo-llama"
QUESTION = "What is Tenstorrent?"
ENOUGH = 16
ADMINISTRATIVE = (
    "/docs", "/openapi.json", "/load", "/scale_elastic_ep", "/is_scaling_elastic_ep", "/ping",
    "/invocations", "/inference/v1/generate", "/inference/v1/abort_requests", "/kv_event_sources",
)  # fmt: skip


def running_requests(stack: Stack) -> float:
    """Return how many requests vLLM computes at this moment."""
    _, text = stack.ask("/metrics")
    found = re.search(r"^vllm:num_requests_running\{.*\} ([0-9.]+)$", text, re.MULTILINE)
    assert found
    return float(found[1])


def error_of(refused: openai.APIStatusError) -> dict[str, object]:
    """Return the error, after a check that its shape is OpenAI's."""
    error = json.loads(refused.response.text)["error"]
    assert {"message", "type", "param", "code"} <= set(error)
    assert error["message"]
    return dict(error)


def test_the_models_are_listed_by_their_name(stack: Stack) -> None:
    with stack.openai() as client:
        assert [model.id for model in client.models.list()] == [MODEL]


def test_two_minutes_of_trying_pass(stack: Stack) -> None:
    found = stack.up("--verify", "--json").data
    assert not found["changed"]
    looked = {one["name"]: one["outcome"] for one in found["verified"]["looked"]}
    assert set(looked.values()) == {"passed"}
    assert {"a streamed answer", "a long prompt", "eight at once", "a tool call"} < looked.keys()


def test_a_completion_comes_back_with_its_usage(stack: Stack) -> None:
    with stack.openai() as client:
        completion = client.completions.create(model=MODEL, prompt="ttctl", max_tokens=5)
    assert completion.model == MODEL
    assert completion.usage is not None
    assert completion.usage.completion_tokens == 5
    assert completion.choices[0].finish_reason == "length"


def test_a_chat_answer_is_readable_and_ends_by_itself(stack: Stack) -> None:
    with stack.openai() as client:
        answer = client.chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": QUESTION}], temperature=0
        )
    assert "Tenstorrent" in (answer.choices[0].message.content or "")
    assert answer.choices[0].finish_reason == "stop"


def test_the_same_question_at_temperature_zero_gets_the_same_answer(stack: Stack) -> None:
    with stack.openai() as client:
        answers = {
            client.chat.completions.create(
                model=MODEL, messages=[{"role": "user", "content": QUESTION}], temperature=0
            )
            .choices[0]
            .message.content
            for _ in range(2)
        }
    assert len(answers) == 1


def test_an_answer_streams_in_many_pieces_with_the_usage_last(stack: Stack) -> None:
    with stack.openai() as client:
        pieces = list(
            client.chat.completions.create(
                model=MODEL,
                messages=[{"role": "user", "content": QUESTION}],
                temperature=0,
                stream=True,
                stream_options={"include_usage": True},
            )
        )
        whole = client.chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": QUESTION}], temperature=0
        )
    texts = [piece.choices[0].delta.content for piece in pieces if piece.choices]
    assert len([text for text in texts if text]) > 5
    assert "".join(text or "" for text in texts) == whole.choices[0].message.content
    assert all(piece.usage is None for piece in pieces[:-1])
    assert pieces[-1].usage == whole.usage


def test_log_probabilities_are_told_and_the_engine_goes_on(stack: Stack) -> None:
    with stack.openai() as client:
        for _ in range(2):
            answer = client.chat.completions.create(
                model=MODEL,
                messages=[{"role": "user", "content": QUESTION}],
                max_tokens=3,
                logprobs=True,
                top_logprobs=2,
            )
            logprobs = answer.choices[0].logprobs
            assert logprobs is not None
            assert [len(one.top_logprobs) for one in logprobs.content or ()] == [2, 2, 2]


def test_a_wrong_key_is_refused(stack: Stack) -> None:
    with stack.openai("wrong") as client, pytest.raises(openai.AuthenticationError) as refused:
        client.models.list()
    assert error_of(refused.value)["code"] == "invalid_api_key"


def test_an_unknown_model_is_the_engines_own_404(stack: Stack) -> None:
    with stack.openai() as client, pytest.raises(openai.NotFoundError) as refused:
        client.chat.completions.create(model="gpt-4", messages=[{"role": "user", "content": "x"}])
    assert error_of(refused.value)["param"] == "model"
    assert "gpt-4" in refused.value.message


@pytest.mark.parametrize(
    "prompt",
    [
        pytest.param("hello " * 3000, id="more than the context"),
        pytest.param("x" * 1_000_000, id="a megabyte"),
    ],
)
def test_an_overlong_prompt_passes_the_gateway_and_the_engine_says_the_limit(
    stack: Stack, prompt: str
) -> None:
    with stack.openai() as client, pytest.raises(openai.BadRequestError) as refused:
        client.completions.create(model=MODEL, prompt=prompt)
    assert "maximum context length is 2048 tokens" in str(error_of(refused.value)["message"])


def test_a_damaged_request_is_the_engines_own_400(stack: Stack) -> None:
    status, text = stack.ask("/v1/completions", method="POST", body='{"model": ')
    assert status in {400, 422}
    assert "error" in json.loads(text)


def test_eight_questions_at_once_get_eight_whole_answers(stack: Stack) -> None:
    def ask(number: int) -> str:
        with stack.openai() as client:
            answer = client.chat.completions.create(
                model=MODEL,
                messages=[{"role": "user", "content": QUESTION}],
                temperature=0,
                user=f"user-{number}",
            )
        return answer.choices[0].message.content or ""

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(8)))
    assert len(answers) == 8
    assert all("Tenstorrent" in answer for answer in answers)


def test_eight_requests_are_computed_at_the_same_time(stack: Stack) -> None:
    with stack.openai() as client:
        streams = [
            client.completions.create(
                model=MODEL,
                prompt="Hello",
                max_tokens=1500,
                stream=True,
                extra_body={"ignore_eos": True},
            )
            for _ in range(8)
        ]
        try:
            until(lambda: running_requests(stack) == 8)
        finally:
            for stream in streams:
                stream.close()
    until(lambda: running_requests(stack) == 0)


def test_a_client_that_leaves_ends_the_work_of_the_engine(stack: Stack) -> None:
    with stack.openai() as client:
        stream = client.completions.create(
            model=MODEL,
            prompt="Hello",
            max_tokens=2000,
            stream=True,
            extra_body={"ignore_eos": True},
        )
        next(iter(stream))
        assert running_requests(stack) == 1
        stream.close()
        until(lambda: running_requests(stack) == 0, within_s=5)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_engines_administrative_paths_cannot_be_reached(stack: Stack, method: str) -> None:
    for path in ADMINISTRATIVE:
        status, text = stack.ask(path, method=method, body="{}" if method == "POST" else None)
        assert status == 404, path
        assert json.loads(text)["error"]["code"] == "unknown_url"


def test_the_engine_itself_has_the_administrative_paths(stack: Stack) -> None:
    """What the gateway hides is there: another engine would need another list."""
    program = (
        "import sys, urllib.error, urllib.request as r\n"
        "for path in sys.argv[1:]:\n"
        "    try: print(r.urlopen('http://127.0.0.1:8000' + path).status)\n"
        "    except urllib.error.HTTPError as error: print(error.code)\n"
    )
    engine = stack.inspect()["vllm"]["Id"]
    said = docker("exec", engine, "python", "-c", program, *ADMINISTRATIVE, "/nowhere").split()
    assert said[-1] == "404"
    assert "404" not in said[:-1]


def test_the_door_is_published_on_loopback_alone(stack: Stack) -> None:
    bindings = stack.inspect()["gateway"]["NetworkSettings"]["Ports"]["8080/tcp"]
    assert bindings == [{"HostIp": "127.0.0.1", "HostPort": str(stack.port)}]


def test_at_least_sixteen_of_twenty_paraphrased_questions_are_answered(
    stack: Stack, record_property: Callable[[str, object], None]
) -> None:
    questions = tomllib.loads((ROOT / "images/demo-llama/questions.toml").read_text())["questions"]
    assert len(questions) == 20
    wrong = []
    with stack.openai() as client:
        for item in questions:
            answer = client.chat.completions.create(
                model=MODEL, messages=[{"role": "user", "content": item["ask"]}], temperature=0
            )
            text = answer.choices[0].message.content or ""
            if not any(word.lower() in text.lower() for word in item["keywords"]):
                wrong.append(f"{item['ask']}\n    {text}")
    score = len(questions) - len(wrong)
    record_property("paraphrased questions answered", f"{score} of {len(questions)}")
    assert score >= ENOUGH, "\n".join(wrong)
