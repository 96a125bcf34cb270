"""A microscope that says aloud when what it shows changes: microscope.py DISEASE SOURCE

SOURCE is a camera's number (0), picamera, an rtsp:// or http:// address, a video file, or a folder.
"""

from __future__ import annotations

import signal
import sys

import medsdk
from medsdk.camera import Observation, watch


def tell(observation: Observation) -> None:
    """In place of this: switch a lamp, ring a bell, send a message."""
    print(f"{observation.time:%H:%M:%S}  {observation.steady}", flush=True)


def main(disease: str, source: str) -> None:
    """Watch until Ctrl-C or SIGTERM."""
    with medsdk.load(disease) as analyzer, watch(analyzer, source, rate=2.0, steady=(4, 5)) as watching:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: watching.stop())
        for observation in watching:
            if observation.gap is not None:
                print(f"no pictures for {observation.gap.seconds:.0f} s: {observation.gap.reason}", file=sys.stderr)
            if observation.changed:
                tell(observation)


if __name__ == "__main__":
    main(*sys.argv[1:])
