# SPDX-License-Identifier: Apache-2.0
"""Which settings are there? Plain tuples: completion reads this, and it imports nothing."""

from __future__ import annotations

ROWS: tuple[tuple[str, str, tuple[str | int | float, ...], str | int | float | None, str], ...] = (
    ("up.model", "model", (), None, "The model of `up`, `plan`, `lock`, `render` without MODEL."),
    ("up.name", "stack", (), None, "The stack's name, where MODEL is not another than up.model."),
    ("up.device", "device", (), None, "Device type; without it, what is found."),
    ("up.port", "integer", (1, 65535), None, "Port on 127.0.0.1; else the lock's, or 8000 and up."),
    ("up.host", "choice", ("127.0.0.1", "0.0.0.0"), None, "Where it listens; else the lock's."),  # noqa: S104
    ("up.tls", "certificate", (), None, "Encrypt the gateway: generated, none, or a certificate."),
    ("up.tls_key", "path", (), None, "Key of that certificate, where it is in another file."),
    ("up.max_model_len", "integer", (16, 1048576), None, "Tokens of prompt and answer together."),
    ("up.max_num_seqs", "integer", (1, 1024), None, "Requests computed at the same time."),
    ("up.block_size", "choice", (16, 32, 64, 128), None, "Tokens in a block of the KV cache."),
    ("up.image_uid", "integer", (1000, 59999), None, "User id in images built for a card."),
    ("up.pull", "choice", ("always", "missing", "never"), "missing", "When to pull an image."),
    ("up.lock_timeout", "seconds", (0, 86400), 10.0, "Seconds to wait for another command's lock."),
    ("up.boot_reset", "switch", (), False, "Let `up --boot` reset boards that need it, unasked."),
    ("up.wait_timeout", "integer", (1, 86400), None, "Seconds until the engine must be healthy."),
    (
        "device.root",
        "path",
        (),
        "/",
        "Where sysfs, procfs and /dev are; another folder for trials.",
    ),
    ("device.max_age", "seconds", (0, 86400), 60.0, "Seconds for which a tt-smi reading is kept."),
    ("device.tt_smi_timeout", "seconds", (1, 600), 20.0, "Longest wait for tt-smi, in seconds."),
    ("output.color", "choice", ("auto", "always", "never"), "auto", "Colours on the terminal."),
    ("chat.max_tokens", "integer", (1, 1048576), 512, "Longest answer, in tokens."),
    ("chat.temperature", "number", (0, 2), 0.0, "0 gives the likeliest answer."),
    ("chat.system", "text", (), "", "A system message, said before every conversation."),
    ("chat.role", "word", (), "", "The role that a conversation begins with."),
    (
        "weights.share",
        "switch",
        (),
        None,
        "Name what is fetched in the hub's cache too; unset: where it is, or HF_HOME names it.",
    ),
    ("site.http_proxy", "proxy", (), None, "Proxy for plain connections."),
    ("site.https_proxy", "proxy", (), None, "Proxy for encrypted connections."),
    ("site.no_proxy", "exempt", (), None, "Hosts that are reached without a proxy, by commas."),
    ("site.ca_bundle", "path", (), None, "File with the certificates to trust, in PEM form."),
    ("site.pip_index_url", "url", (), None, "Index of Python packages."),
    ("site.pip_extra_index_urls", "urls", (), None, "Further indexes of Python packages."),
    ("site.pip_no_index", "switch", (), None, "Ask no index, only the wheelhouses."),
    ("site.pip_trusted_hosts", "hosts", (), None, "Index hosts whose certificate is not checked."),
    ("site.wheelhouses", "paths", (), None, "Folders, or addresses, of wheels."),
    ("site.apt_sources", "sources", (), None, "Package sources of the base image, one a line."),
    ("site.registry", "registry", (), None, "Mirror of the public image registry."),
    ("site.git_mirror", "mirrors", (), None, "Mirrors of git hosts: MIRROR, or HOST=MIRROR."),
    ("site.hub_endpoint", "url", (), None, "Mirror of the model hub."),
    ("site.hub_offline", "switch", (), None, "Do not ask the model hub."),
    ("site.token_file", "path", (), None, "File with the token of the model hub."),
    ("site.models_dir", "paths", (), None, "Folders with models that are here already."),
    ("site.base_image", "image", (), None, "Image to build on."),
    ("site.engine_image", "image", (), None, "Prebuilt vLLM image for the cpu target."),
    ("site.vllm_requirements", "path", (), None, "Requirements with hashes for the vLLM image."),
    ("site.catalog", "catalog", (), None, "A file, an address, a release, or built-in."),
    ("site.catalog_mirror", "url", (), None, "Mirror of the host of upstream's catalogs."),
    ("site.offline", "switch", (), None, "Open no connection beyond this machine."),
)
"""(key, kind, what is allowed, default, help). A range is (lowest, highest); a choice lists its
words; the other kinds are rules of their own, in `rules/setting_kinds`. A key is the table and
the key of a file; in the table `site` the keys are the fields of `model.site.Site`."""

KEYS: tuple[str, ...] = tuple(row[0] for row in ROWS)

OTHER_VARIABLES: tuple[str, ...] = (
    "TTCTL_CONFIG",
    "TTCTL_API_KEY",
    "TTCTL_BIND",
    "TTCTL_OWNER",
    "TTCTL_PORT",
    "TTCTL_SECRETS",
    "TTCTL_WEIGHTS",
    "TTCTL_WHEELS",
)
"""Variables of ours that are no setting: the settings file's name, the key that `connect` tells
other programs to find there, and what the `.env` of a rendered folder says to compose. Whoever
loaded these into a shell can still use ttctl."""

OTHER_PREFIXES: tuple[str, ...] = ("TTCTL_TEST_", "TTCTL_GOLDEN")
"""What ttctl's own tests are told by begins so."""


def variable_of(key: str) -> str:
    """Return the variable of a setting: `TTCTL_UP_PORT`; the site's have no table in theirs."""
    return "TTCTL_" + key.removeprefix("site.").replace(".", "_").upper()
