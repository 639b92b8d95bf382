"""What `pulumi preview --policy-pack policies` starts."""

import sys
from pathlib import Path

# The engine runs this directory by its path; the package that it is stands one above.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from pulumi_policy import PolicyPack

from policies.crossguard import Pack

PolicyPack(name="lifeboat", policies=Pack().policies())
