"""A kiosk: whatever picture appears in a folder is judged, and one big page says what to do. Nothing is kept.

python kiosk.py malaria /srv/scanner 8080
"""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import medsdk

# What a passer-by should do, never what they have. The sign says it to those who cannot tell the colours apart.
ANSWERS = {
    "positive": ("!", "Please show this picture to a member of staff.", "#7a4b00"),
    "inconclusive": ("?", "The picture does not tell. Please ask a member of staff.", "#7a4b00"),
    "negative": ("✓", "Nothing was found in this picture. It does not rule out an illness.", "#1d5c3a"),
    "rejected": ("×", "This picture cannot be judged. It must show", "#444"),
}
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="1"><title>{title}</title>
<style>body{{background:{colour};color:#fff;font:6vmin/1.4 sans-serif;text-align:center;padding:8vmin}}
b{{display:block;font-size:30vmin;line-height:1}}small{{font-size:3vmin}}</style>
<b>{sign}</b><p role="status">{text}</p><small>{notice}</small></html>"""
NOTICE = "Decision support for trained people; not a diagnosis."


class Screen:
    """The newest answer for some seconds, then the invitation again. One thread shows, others ask for the page."""

    def __init__(self, card: medsdk.Card, seconds: float = 20.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._card, self._seconds, self._clock = card, seconds, clock
        self._shown: tuple[str, str, str] | None = None
        self._until = float("-inf")

    def show(self, prediction: medsdk.Prediction) -> None:
        """Put an answer up. Neither the picture nor its name is shown: the next person reads the screen too."""
        if prediction.error is not None:
            sign, text, colour = "×", prediction.error.remedy, "#444"
        else:
            sign, text, colour = ANSWERS[str(prediction.verdict)]
        if prediction.verdict == "rejected":
            text = f"{text} {self._card.picture}."
        self._shown, self._until = (sign, text, colour), self._clock() + self._seconds

    def page(self) -> bytes:
        """HTML that asks for itself again after a second."""
        invitation = ("→", f"Scan {self._card.picture}.", "#123a5c")
        sign, text, colour = self._shown if self._shown and self._clock() < self._until else invitation
        title = escape(self._card.name)
        return PAGE.format(title=title, sign=sign, text=escape(text), colour=colour, notice=NOTICE).encode()


def serve(screen: Screen, port: int) -> ThreadingHTTPServer:
    """The page for this machine's own browser, and for nobody else; call `shutdown` to end it."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = screen.page()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """A line a second would fill the disk."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def main(disease: str, folder: str, port: str = "8080") -> None:
    """Watch the folder until Ctrl-C or SIGTERM."""
    with medsdk.load(disease) as analyzer:
        screen = Screen(analyzer.card)
        watching = medsdk.watch(analyzer, folder)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: watching.stop())
        with watching, serve(screen, int(port)) as server:
            print(f"http://127.0.0.1:{server.server_port}/", flush=True)
            for observation in watching:
                screen.show(observation.prediction)
            server.shutdown()


if __name__ == "__main__":
    main(*sys.argv[1:])
