"""A verdict that does not flicker: hysteresis over the last frames."""

from __future__ import annotations

from collections import Counter, deque

from medsdk.core.decision import Verdict


class Steady:
    """The steady verdict becomes V when V was the verdict of at least `agree` of the last `of` frames.

    Until another verdict reaches that, it stays. More than half must agree, so that two verdicts never can at once; two
    that alternate change nothing. It is None until a first verdict is agreed on, and after `reset`. A frame that could
    not be judged at all (None) takes its place among the last, and speaks for nothing. (1, 1) follows every frame.
    """

    def __init__(self, agree: int = 4, of: int = 5) -> None:
        if not of < 2 * agree <= 2 * of:
            raise ValueError("more than half of the frames must agree, and no more than there are")
        self.agree, self.of = agree, of
        self._last: deque[Verdict | None] = deque(maxlen=of)
        self.verdict: Verdict | None = None

    def add(self, verdict: Verdict | None) -> bool:
        """Take in one frame's verdict; True if the steady one has changed."""
        self._last.append(verdict)
        (leading, count), *_ = Counter(self._last).most_common(1)
        if leading is None or count < self.agree or leading == self.verdict:
            return False
        self.verdict = leading
        return True

    def reset(self) -> None:
        """Forget everything: after a gap it may be another slide."""
        self._last.clear()
        self.verdict = None
