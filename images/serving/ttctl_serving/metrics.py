# SPDX-License-Identifier: Apache-2.0
"""Numbers for Prometheus, in its text format.

Source: Prometheus, "Exposition formats", text-based format 0.0.4.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """Counters that are added to, histograms, and gauges that are asked when they are read."""

    def __init__(self, prefix: str) -> None:
        """Make an empty set; every name begins with `prefix` and `_`."""
        self._prefix = prefix
        self._help: dict[str, tuple[str, str]] = {}
        self._values: dict[str, dict[str, float]] = {}
        self._gauges: dict[str, Callable[[], float]] = {}
        self._limits: dict[str, Sequence[float]] = {}
        self._lock = threading.Lock()

    def counter(self, name: str, text: str) -> None:
        """Declare a counter; it is 0 until it is added to."""
        self._help[name] = ("counter", text)
        self._values[name] = {}

    def gauge(self, name: str, text: str, value: Callable[[], float]) -> None:
        """Declare a gauge, and whom to ask."""
        self._help[name] = ("gauge", text)
        self._gauges[name] = value

    def histogram(self, name: str, text: str, limits: Sequence[float]) -> None:
        """Declare a histogram with its buckets, the smallest first."""
        self._help[name] = ("histogram", text)
        labels = [*(f'_bucket{{le="{one:g}"}}' for one in limits), '_bucket{le="+Inf"}']
        self._values[name] = dict.fromkeys([*labels, "_sum", "_count"], 0)
        self._limits[name] = limits

    def observe(self, name: str, value: float) -> None:
        """Add a value to a histogram."""
        with self._lock:
            values = self._values[name]
            for limit in self._limits[name]:
                values[f'_bucket{{le="{limit:g}"}}'] += value <= limit
            for label, more in (('_bucket{le="+Inf"}', 1), ("_sum", value), ("_count", 1)):
                values[label] += more

    def add(self, name: str, value: float = 1, **labels: str | int) -> None:
        """Add to a counter; labels are words of ours, never of who asked."""
        inside = ",".join(f'{label}="{text}"' for label, text in sorted(labels.items()))
        key = f"{{{inside}}}" if inside else ""
        with self._lock:
            values = self._values[name]
            values[key] = values.get(key, 0) + value

    def text(self) -> str:
        """Return all of it as Prometheus reads it."""
        lines = []
        with self._lock:
            for name, (kind, text) in self._help.items():
                full = f"{self._prefix}_{name}"
                lines += [f"# HELP {full} {text}", f"# TYPE {full} {kind}"]
                gauge = self._gauges.get(name)
                values = {"": gauge()} if gauge else self._values[name] or {"": 0}
                lines += [f"{full}{labels} {value:.10g}" for labels, value in values.items()]
        return "\n".join(lines) + "\n"
