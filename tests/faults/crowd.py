# SPDX-License-Identifier: Apache-2.0
"""Many rounds at once, each on a stack of its own: a start mostly waits for health checks."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

Worker = TypeVar("Worker")
Item = TypeVar("Item")
Came = TypeVar("Came")


def shared_out(
    do: Callable[[Worker, Item], Came], items: Iterable[Item], workers: Sequence[Worker]
) -> list[Came]:
    """Do every item with whichever worker is free; return what came of each, in their order.

    The first that fails is raised when those that were begun have ended, and no other begins.
    """
    free: SimpleQueue[Worker] = SimpleQueue()
    for worker in workers:
        free.put(worker)

    def one(item: Item) -> Came:
        worker = free.get()
        try:
            return do(worker, item)
        finally:
            free.put(worker)

    with ThreadPoolExecutor(max_workers=len(workers)) as pool:
        begun = [pool.submit(one, item) for item in items]
        try:
            return [future.result() for future in begun]
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
