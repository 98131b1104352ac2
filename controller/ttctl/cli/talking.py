# SPDX-License-Identifier: Apache-2.0
"""How is a stack talked to by hand? The commands that `up` ends with, by what its engine serves."""

from __future__ import annotations

import shlex
from pathlib import Path

from ttctl.rules.picture import MEDIA_GUIDANCE
from ttctl.rules.talk import speaks

ASKED = "What is Tenstorrent?"
DRAWN = "a lighthouse at dusk"
IMAGES = "/v1/images/generations"
GUIDED = f'"guidance_scale": {MEDIA_GUIDANCE}'

SENT = {
    "/v1/audio/transcriptions": "-F file=@speech.wav",
    "/v1/audio/speech": f"""-o speech.wav -d '{{"text": "{ASKED}"}}'""",
    "/v1/images/generations": f"""-d '{{"prompt": "{DRAWN}", {GUIDED}}}'""",
    "/v1/images/image-to-image": f"""{{"prompt": "{DRAWN}", {GUIDED}, "image": "%s"}}""",
    "/v1/images/edits": f"""{{"prompt": "{DRAWN}", {GUIDED}, "image": "%s", "mask": "%s"}}""",
    "/v1/videos/generations": f"""-d '{{"prompt": "{DRAWN}"}}'""",
    "/v1/cnn/search-image": """{"prompt": "%s"}""",
}
"""What a media server is sent, by path: words of curl, or a body with a place for each picture.

Source: tenstorrent/tt-inference-server, tt-media-server/README.md@v0.20.0
"""


def talking_lines(
    *,
    url: str,
    key_file: Path,
    model: str,
    engine: str,
    path: str = "",
    certificate: str = "",
) -> list[str]:
    """Return what can be typed to talk to a stack.

    Args:
        url: Of the gateway, without a path.
        key_file: Its key.
        model: As the engine names it.
        engine: What serves.
        path: What the model is for, where it does not talk.
        certificate: File by which the gateway is known; empty where none is needed.
    """
    trust = f"--cacert {shlex.quote(certificate)} " if certificate else ""
    match engine:
        case "direct":
            return _curl(trust + url, "/chat", f'{{"prompt": "{ASKED}"}}', key_file)
        case "sd":
            drawn = f'"model": "{model}", "prompt": "{DRAWN}", "seed": 1'
            call = [
                f'  answer = client.images.generate(model="{model}", prompt="{DRAWN}",',
                '      response_format="b64_json", extra_body={"seed": 1})',
                '  Path("out.png").write_bytes(b64decode(answer.data[0].b64_json))',
            ]
            asked = _curl(trust + url, "/v1/images/generations", f"{{{drawn}}}", key_file)
            imports = ["  from base64 import b64decode"]
            return [*asked, *_python(url, key_file, imports, call, certificate)]
        case _ if path:
            return _media(trust + url, path, model, key_file)
        case _:
            talk = f'[{{"role": "user", "content": "{ASKED}"}}]'
            body = f'{{"model": "{model}", "messages": {talk}}}'
            call = [
                f'  answer = client.chat.completions.create(model="{model}",',
                f"      messages={talk})",
                "  print(answer.choices[0].message.content)",
            ]
            asked = _curl(trust + url, "/v1/chat/completions", body, key_file)
            return [*asked, *_python(url, key_file, [], call, certificate)]


def ask_lines(*, engine: str, stack: str, program: str, path: str = "") -> list[str]:
    """Return the command of ours that asks it, where there is one."""
    if engine == "sd" or path == IMAGES:
        return [f'draw       {program} image --stack {stack} "{DRAWN}"']
    if not speaks(engine) or path:
        return []
    return [f'ask        {program} chat --stack {stack} "{ASKED}"']


def base_url(url: str, engine: str) -> str:
    """Return what a client is told as its base."""
    return url if engine == "direct" else f"{url}/v1"


def service_url(url: str, name: str, engine: str) -> str:
    """Return where a service beside a stack's own engine is reached."""
    paths = {"": "/", "direct": "/chat", "sd": "/v1/images/generations"}
    return f"{url}{paths.get(engine, f'/{name}/v1')}"


def _media(url: str, path: str, model: str, key_file: Path) -> list[str]:
    """Return a request of the media server's own shape; pictures are read from files."""
    embedded = f"""-d '{{"model": "{model}", "input": "{ASKED}"}}'"""
    sent = embedded if path == "/v1/embeddings" else SENT[path]
    piped = [] if sent.startswith("-") else _pictures(sent)
    form = sent.startswith("-F")
    json = "" if form else ' -H "Content-Type: application/json"'
    return [
        "curl:",
        *piped,
        f"  curl {url}{path} \\",
        f'    -H "Authorization: Bearer $(cat {shlex.quote(str(key_file))})"{json} \\',
        f"    {'-d @-' if piped else sent}",
    ]


def _pictures(body: str) -> list[str]:
    """Return a pipe that fills a body's places: a picture is too long for a word of a command."""
    files = ("picture.png", "mask.png")[: body.count("%s")]
    read = " ".join(f'"$(base64 -w0 {name})"' for name in files)
    return [f"  printf '{body}' {read} |"]


def _curl(url: str, path: str, body: str, key_file: Path) -> list[str]:
    key = shlex.quote(str(key_file))
    return [
        "curl:",
        f"  curl {url}{path} \\",
        f'    -H "Authorization: Bearer $(cat {key})" -H "Content-Type: application/json" \\',
        f"    -d '{body}'",
    ]


def _python(
    url: str, key_file: Path, imports: list[str], call: list[str], certificate: str
) -> list[str]:
    opened = [f'                  api_key=Path("{key_file}").read_text().strip())']
    names = "OpenAI"
    if certificate:
        names = "DefaultHttpxClient, OpenAI"
        imports = ["  import ssl", *imports]
        trust = [
            f"  trust = ssl.create_default_context(cafile={certificate!r})",
            "  trust.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN",
        ]
        opened = [
            f'                  api_key=Path("{key_file}").read_text().strip(),',
            "                  http_client=DefaultHttpxClient(verify=trust))",
        ]
    else:
        trust = []
    return [
        "",
        "Python, with the openai package:",
        *imports,
        "  from pathlib import Path",
        f"  from openai import {names}",
        *trust,
        f'  client = OpenAI(base_url="{url}/v1",',
        *opened,
        *call,
    ]
