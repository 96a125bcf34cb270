"""`make demo`: a real fundus photograph goes the whole way, then meets a model that must not judge it.

The photograph comes with scikit-image; the program used is the installed `medsdk`.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2

OUT = Path("demo")


def main() -> None:
    """Write the photograph where a person can look at it, then run what a person would type."""
    OUT.mkdir(exist_ok=True)
    photograph = OUT / "fundus.png"
    if not photograph.exists():
        from skimage import data

        cv2.imwrite(str(photograph), data.retina()[..., ::-1])
    overlay = OUT / "fundus-attention.png"
    run("predict", "retinopathy", str(photograph), "--attention", str(overlay))
    run("predict", "malaria", str(photograph))


def run(*arguments: str) -> None:
    """The program beside this interpreter, its command line shown first."""
    print("$ medsdk", *arguments, flush=True)
    subprocess.run([Path(sys.executable).with_name("medsdk"), *arguments], check=True)
    print(flush=True)


if __name__ == "__main__":
    main()
