"""Watching a camera, a stream, a video or a scanner's folder for weeks: `medsdk.watch`."""

from medsdk.camera.events import Gap, Observation
from medsdk.camera.feed import END, Feed, Outage, Shot
from medsdk.camera.steady import Steady
from medsdk.camera.watch import Watch, watch
from medsdk.core.clock import Clock

__all__ = ["END", "Clock", "Feed", "Gap", "Observation", "Outage", "Shot", "Steady", "Watch", "watch"]
