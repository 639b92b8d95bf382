"""`python -m lifeboat.sandbox.live.tied COMMAND...`: a command that ends with who started it.

A run that a warden begins outlives it in production. Here it is a process of the sandbox's, none of which outlives it;
and a region that is lost takes both.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from typing import Final

_PR_SET_PDEATHSIG: Final = 1


def main(command: list[str]) -> None:
    """Become the command."""
    parent = os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))
    # The starter may have gone before that held.
    if os.getppid() != parent or parent == 1:
        sys.exit(1)
    os.execv(command[0], command)  # noqa: S606 - what it is for


if __name__ == "__main__":
    main(sys.argv[1:])
