"""``python -m lifeboat.sandbox.provider`` prints what the catalogue holds, in numbers."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

from lifeboat.sandbox.catalogue import load
from lifeboat.sandbox.provider.coverage import coverage

if __name__ == "__main__":
    sys.stdout.write(json.dumps(asdict(coverage(load())), indent=2) + "\n")
