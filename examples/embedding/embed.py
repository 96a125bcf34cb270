"""medsdk inside another program: load once, ask often, and let no picture end the program.

python embed.py malaria cell.png another.png
"""

from __future__ import annotations

import sys
from types import TracebackType

import medsdk


class Desk:
    """One loaded disease and an answer in words for each picture. May be asked from many threads."""

    def __init__(self, disease: str) -> None:
        self._analyzer = medsdk.load(disease)

    def answer(self, picture: str | bytes) -> dict[str, object]:
        """Plain types, ready for JSON: what to show, and what to keep in the record."""
        try:
            prediction = self._analyzer.predict(picture)
        except medsdk.SourceError as error:
            return {"show": error.remedy, "refer": False, "record": {"error": str(error)}}
        # Rejected is no answer about the patient, and inconclusive is one that a person must give.
        refer = prediction.verdict in ("positive", "inconclusive")
        show = prediction.reason or f"{prediction.verdict} ({prediction.probability:.0%})"
        return {"show": show, "refer": refer, "record": prediction.to_dict()}

    def __enter__(self) -> Desk:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self._analyzer.close()


def main(disease: str, *pictures: str) -> None:
    """Show an answer for each picture."""
    with Desk(disease) as desk:
        for picture in pictures:
            answer = desk.answer(picture)
            print(f"{picture}: {answer['show']}{' → refer' if answer['refer'] else ''}")


if __name__ == "__main__":
    main(*sys.argv[1:])
