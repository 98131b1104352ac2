# SPDX-License-Identifier: Apache-2.0
"""Is the real service understood, the media server's answer too, and every bad one a refusal?"""

from __future__ import annotations

import base64
import json
import threading
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from tests.unit.adapters.test_gateway_client import Stub, port
from tests.unit.images.sd.fakes import FakeBackend
from tests.unit.images.sd.serving import running, until

from ttctl.adapters.gateway import StackGateway
from ttctl.errors import EngineError, UsageError
from ttctl.model.picture import Picture, Stroke, Wanted
from ttctl.model.tls import At
from ttctl.rules.acceptance_media import png
from ttctl.rules.picture import dimensions, request_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ttctl.model.picture import Shape

PNG = base64.b64encode(png(8, 4)).decode()


@pytest.fixture
def stub() -> Iterator[Stub]:
    with Stub() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def draw(
    at: int, *, shape: Shape = "openai", key: str = "", **changes: Any  # noqa: ANN401
) -> list[Stroke | Picture]:  # fmt: skip
    asked = request_of(
        Wanted(**{"prompt": "a red circle", **changes}), model="sd", shape=shape
    )  # fmt: skip
    return list(StackGateway().draw(At(port=at), key, asked))


def events(*values: dict[str, Any]) -> bytes:
    return b"".join(f"event: {one['type']}\ndata: {json.dumps(one)}\n\n".encode() for one in values)


def completed(text: str = PNG) -> dict[str, Any]:
    return {"type": "image_generation.completed", "b64_json": text}


# The real service.


def test_steps_and_images_of_the_real_service_come_in_their_order() -> None:
    with running() as service:
        found = draw(service.port, images=2, seed=7, steps=2, size="16x24")
    assert [type(one).__name__ for one in found] == ["Stroke", "Stroke", "Picture"] * 2
    strokes = [one for one in found if isinstance(one, Stroke)]
    assert [(one.image, one.done, one.steps) for one in strokes] == [
        (1, 1, 2), (1, 2, 2), (2, 1, 2), (2, 2, 2),
    ]  # fmt: skip
    pictures = [one for one in found if isinstance(one, Picture)]
    assert [(one.image, one.seed) for one in pictures] == [(1, 7), (2, 8)]
    assert {(one.width, one.height) for one in pictures} == {(16, 24)}
    assert dimensions(pictures[0].data) == (16, 24)


def test_everything_that_is_asked_for_reaches_the_pipeline() -> None:
    with running() as service:
        draw(service.port, negative_prompt="blue", seed=3, steps=4, guidance=2.5, size="32x16")
        (drawing,) = service.backend.drawn
    assert (drawing.prompt, drawing.negative_prompt) == ("a red circle", "blue")
    assert (drawing.width, drawing.height) == (32, 16)
    assert (drawing.steps, drawing.guidance, drawing.seed) == (4, 2.5, 3)


class Gate(threading.Event):
    """Lets one step through, and one more for each time that it is opened."""

    def __init__(self) -> None:
        super().__init__()
        self.steps = threading.Semaphore(1)

    def wait(self, timeout: float | None = None) -> bool:
        return self.is_set() or self.steps.acquire(timeout=timeout)


def test_the_pipeline_stops_when_the_reader_leaves() -> None:
    backend, gate = FakeBackend(), Gate()
    backend.may_step = gate
    asked = request_of(Wanted(prompt="x", steps=50), model="sd", shape="openai")
    with running(backend) as service:
        with closing(StackGateway().draw(At(port=service.port), "", asked)) as coming:
            assert isinstance(next(coming), Stroke)

        def is_given_up() -> bool:
            gate.steps.release()
            return service.metric("abandoned_total") == 1

        until(is_given_up, "it is given up")
    assert backend.steps < 50


@pytest.mark.parametrize(
    ("changes", "mistyped", "meant"),
    [
        pytest.param({"size": "17x17"}, "17x17", "16x16", id="size"),
        pytest.param({"steps": 99}, "99", "50", id="steps"),
        pytest.param({"images": 9}, "9", "4", id="images"),
        pytest.param({"guidance": 30.0}, "30", "20", id="guidance"),
        pytest.param({"seed": 2**32}, "4294967296", "4294967295", id="seed"),
        pytest.param({"prompt": "x" * 5000}, "", "", id="prompt"),
    ],
)
def test_what_the_real_service_refuses_is_put_right(
    changes: dict[str, Any], mistyped: str, meant: str
) -> None:
    with running() as service, pytest.raises(UsageError, match="refused") as caught:
        draw(service.port, **changes)
    assert (caught.value.mistyped, caught.value.meant) == (mistyped, meant)
    assert caught.value.why


def test_a_service_that_loads_is_a_refusal() -> None:
    backend = FakeBackend()
    backend.may_load.clear()
    with running(backend, loaded=False) as service:
        with pytest.raises(EngineError, match="answered 503") as caught:
            draw(service.port)
        assert caught.value.why == "The model is being loaded."


def test_a_wrong_key_is_a_refusal() -> None:
    with (
        running(key=b"secret", loaded=False) as service,
        pytest.raises(EngineError, match="answered 401"),
    ):
        draw(service.port, key="other")


def test_a_pipeline_that_fails_in_the_middle_says_so() -> None:
    backend = FakeBackend()
    backend.fails = 1
    with running(backend) as service:
        with pytest.raises(EngineError, match="ended without the image") as caught:
            draw(service.port)
        assert caught.value.why == "The pipeline failed."
        assert len(draw(service.port)) == 4


# What another service says, and what a broken one does.


def test_the_key_is_in_its_header_only(stub: Stub) -> None:
    stub.body = events(completed())
    draw(port(stub), key="the-key")
    ((method, path, key, body),) = stub.asked
    assert (method, path, key) == ("POST", "/v1/images/generations", "Bearer the-key")
    assert b"the-key" not in body


def test_the_media_servers_answer_is_understood(stub: Stub) -> None:
    stub.body = json.dumps({"images": [PNG, PNG], "generation_time": 3.0}).encode()
    first, second = draw(port(stub), shape="media", images=2)
    assert isinstance(first, Picture)
    assert isinstance(second, Picture)
    assert (first.image, first.width, first.height, first.seed) == (1, 8, 4, None)
    assert (second.image, second.seconds) == (2, first.seconds)
    ((_, path, _, body),) = stub.asked
    assert path == "/v1/images/generations"
    assert json.loads(body)["number_of_images"] == 2


def test_the_media_servers_refusal_of_a_field_is_understood(stub: Stub) -> None:
    stub.status = 422
    said = "Input should be greater than or equal to 12"
    place = ["body", "num_inference_steps"]
    stub.body = json.dumps({"detail": [{"loc": place, "msg": said}]}).encode()
    with pytest.raises(UsageError) as caught:
        draw(port(stub), shape="media", steps=2)
    assert (caught.value.mistyped, caught.value.meant) == ("2", "12")


def test_kinds_of_events_that_are_not_known_are_passed_over(stub: Stub) -> None:
    stub.body = b": waiting\n\n" + events({"type": "image_generation.new"}, completed())
    assert len(draw(port(stub))) == 1


@pytest.mark.parametrize(
    ("body", "says"),
    [
        pytest.param(b"", "cut off", id="nothing"),
        pytest.param(events({"type": "image_generation.progress"}), "cut off", id="no image"),
        pytest.param(b"data: {}\n\n", "not understood", id="no type"),
        pytest.param(b"data: <html>\n\n", "not understood", id="no JSON"),
        pytest.param(events(completed("a*b")), "not understood", id="no base64"),
        pytest.param(events(completed("YWJj")), "is no image", id="no PNG"),
        pytest.param(events(completed("")), "is no image", id="empty"),
        pytest.param(events({"type": "error"}), "without the image", id="an error without words"),
    ],
)
def test_a_bad_stream_is_a_refusal(stub: Stub, body: bytes, says: str) -> None:
    stub.body = body
    with pytest.raises(EngineError, match=says) as caught:
        draw(port(stub))
    assert caught.value.next_step.startswith("ttctl ")


@pytest.mark.parametrize("body", [b"<html>", b"{}", b'{"images": ["YWJj"]}', b"[]"], ids=repr)
def test_a_bad_answer_of_the_media_server_is_a_refusal(stub: Stub, body: bytes) -> None:
    stub.body = body
    with pytest.raises(EngineError, match=r"not understood|is no image"):
        draw(port(stub), shape="media")


def test_an_answer_that_is_cut_in_an_image_is_a_refusal(stub: Stub) -> None:
    stub.body, stub.cut = events(completed())[:60], True
    with pytest.raises(EngineError):
        draw(port(stub))


def test_where_nothing_listens_the_port_is_named() -> None:
    with Stub() as gone:
        number = port(gone)
    with pytest.raises(EngineError, match=f"127.0.0.1:{number}"):
        draw(number)
