"""`make demo`: a real fundus photograph goes the whole way, then meets a model that must not judge it.

The photograph comes with scikit-image, in the wheel of its release; the program used is the installed `medsdk`.
"""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

OUT = Path("demo")
PHOTOGRAPH = OUT / "fundus.jpg"

# The first release that carries the photograph in its wheel. The wheel is only opened, never installed, so that it does not
# matter for which Python it was built.
CARRIER = "scikit-image==0.26.*"
MEMBER = "skimage/data/retina.jpg"


def main() -> None:
    """Put the photograph where a person can look at it, then run what a person would type."""
    OUT.mkdir(exist_ok=True)
    if not PHOTOGRAPH.exists():
        fetch_photograph()
    run("predict", "retinopathy", str(PHOTOGRAPH), "--attention", str(OUT / "fundus-attention.png"))
    run("predict", "malaria", str(PHOTOGRAPH))


def fetch_photograph() -> None:
    """Take it out of the wheel; it appears whole or not at all."""
    wheels = OUT / "wheels"
    download = ["download", "--quiet", "--no-deps", "--only-binary=:all:", "--python-version", "3.12"]
    subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", *download, "--dest", str(wheels), CARRIER], check=True
    )
    (wheel,) = wheels.glob("scikit_image-*.whl")
    beside = PHOTOGRAPH.with_suffix(".part")
    beside.write_bytes(zipfile.ZipFile(wheel).read(MEMBER))
    beside.replace(PHOTOGRAPH)


def run(*arguments: str) -> None:
    """The program beside this interpreter, its command line shown first."""
    print("$ medsdk", *arguments, flush=True)
    subprocess.run([Path(sys.executable).with_name("medsdk"), *arguments], check=True)
    print(flush=True)


if __name__ == "__main__":
    main()
