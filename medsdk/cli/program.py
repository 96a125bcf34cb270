"""What pip installs as `medsdk`. A script calls `medsdk predict` picture by picture, and waits for all of the process."""

from __future__ import annotations

import atexit
import gc
import os
import sys

from medsdk.cli import main


def program() -> None:
    """The program `medsdk`, with the arguments of sys.argv. `predict` leaves out what a process that ends need not do."""
    if sys.argv[1:2] != ["predict"]:
        main(prog_name="medsdk")
        return
    # What is imported and loaded stays, and to look through it for garbage takes time. `predict` turns it on again.
    gc.disable()
    # NumPy starts a thread for each core, which wait and burn a third of the process's time; nothing here multiplies
    # matrices that are large enough for them.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        main(prog_name="medsdk")
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            _leave(end.code or 0)
        raise


def _leave(code: int) -> None:
    """End here: taking NumPy, OpenCV and the runtime apart would be a tenth of the whole time. Returns if that cannot be."""
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):  # a full disk, a closed pipe: Python's own end tells of it
        return
    os._exit(code)
