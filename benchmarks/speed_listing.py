"""Run by speed.py in a process of its own: what listing costs, in units of what it cannot do without."""

import json
import statistics
import time
from importlib import metadata

from medsdk.core import registry


def seconds(call) -> float:  # type: ignore[no-untyped-def]
    begin = time.thread_time()
    call()
    return time.thread_time() - begin


def entry_points() -> object:
    return metadata.entry_points(group="medsdk")


pairs = [(seconds(entry_points), seconds(registry.diseases)) for _ in range(30)]
ratio = statistics.median(listing / base for base, listing in pairs)
print(json.dumps({"diseases": len(registry.diseases()), "ms": 1000 * min(b for _, b in pairs), "ratio": round(ratio, 3)}))
