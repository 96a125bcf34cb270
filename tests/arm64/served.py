"""Runs on the emulated machine: `medsdk serve` starts there, shows its page and says what the other machine said.

served.py FOLDER        (the folder that expected.py filled)
"""

from __future__ import annotations

import json
import platform
import re
import subprocess
import sys
import urllib.request
from pathlib import Path

SERVE = [sys.executable, "-c", "from medsdk.cli.serve import command; command()", "--port", "0", "--workers", "1"]
# Everything is slow under emulation; only that it answers counts.
PATIENCE = 600


def main(folder: Path) -> int:
    server = subprocess.Popen(SERVE, stderr=subprocess.PIPE, text=True)
    try:
        return 0 if _answers(server, folder) else 1
    finally:
        server.terminate()
        server.wait(PATIENCE)


def _answers(server: subprocess.Popen[str], folder: Path) -> bool:
    assert server.stderr is not None
    said = iter(server.stderr)
    found = next((found for line in said if (found := re.search(r"open (http://\S+)/", line))), None)
    if found is None:
        print("medsdk serve did not start")
        return False
    address = found[1]
    page = _get(f"{address}/").decode()
    expected = json.loads((folder / "expected.json").read_text())
    picture = (folder / "0.png").read_bytes()
    agreed = 0
    for disease, pictures in expected.items():
        answer = json.loads(_get(f"{address}/api/v1/diseases/{disease}/predict", picture))
        agreed += answer["verdict"] == pictures[0]["verdict"]
    print(f"medsdk serve on {platform.machine()}: page of {len(page)} letters, verdicts {agreed} of {len(expected)}")
    return agreed == len(expected) and "does not replace a doctor" in page


def _get(address: str, body: bytes | None = None) -> bytes:
    request = urllib.request.Request(address, body, {"Content-Type": "image/png"})
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        content: bytes = answer.read()
    return content


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
