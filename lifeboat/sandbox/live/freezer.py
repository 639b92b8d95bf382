"""`python -m lifeboat.sandbox.live.freezer PID...`: processes stand still for as long as this one lives.

A process that is stopped notices no request to end, so that one forgotten in this state would outlive the sandbox. The
keeper ends this process whatever happens to the gateway, and the kernel when the keeper dies: then they go on, and end.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys

_ENDS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def main(argv: list[str]) -> int:
    """Stop the processes, wait to be ended, let them go on."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _ENDS)
    held: list[int] = []
    for pid in argv:
        with contextlib.suppress(ProcessLookupError):
            # A descriptor means this very process, whoever gets its number later.
            held.append(os.pidfd_open(int(pid)))
    _send(held, signal.SIGSTOP)
    signal.sigwait(_ENDS)
    _send(held, signal.SIGCONT)
    return 0


def _send(processes: list[int], number: signal.Signals) -> None:
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(process, number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
