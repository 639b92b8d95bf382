"""The other side of the first comparison, as a process of its own: a fresh gateway, and the recorded calls.

``python -m benchmarks.bare DIRECTORY CALLS``: DIRECTORY takes the sandbox's state, CALLS is a recording.
"""

from __future__ import annotations

import pickle
import sys
from pathlib import Path

from benchmarks.replay import replay
from lifeboat.sandbox import supervisor
from lifeboat.sandbox.state import Directory


def main() -> None:
    """Start, replay, stop."""
    directory, recording = Directory(Path(sys.argv[1])), Path(sys.argv[2])
    # Our own recording of a minute ago: pickle keeps dates and bytes as they were.
    calls = pickle.loads(recording.read_bytes())  # noqa: S301
    record = supervisor.start(directory, stack="bare", account="123456789012", home="us-east-1")
    try:
        replay(calls, record.endpoint)
    finally:
        supervisor.stop(directory)


if __name__ == "__main__":
    main()
