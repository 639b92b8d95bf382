"""A checkout in a directory of its own, and the command run in it."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from lifeboat.cli.main import main
from tests.unit.cli.engine import FakePulumi

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

STACK_FILE = """\
config:
  lifeboat:system: reskflow
  lifeboat:environment: production
  lifeboat:account: "123456789012"
  lifeboat:home: us-east-1
  lifeboat:witness: us-east-2
  lifeboat:sites:
    - {region: us-east-1, cidr: 10.10.0.0/16}
    - {region: us-west-2, cidr: 10.20.0.0/16}
  lifeboat:objectives:
    stack: {rto: 15m, rpo: 5m, availability: 99.99}
  lifeboat:approval: automatic
  lifeboat:databases:
    - {name: orders}
  lifeboat:caches:
    - {name: sessions, rebuildable: false}
  lifeboat:object_stores:
    - {name: uploads, rpo: 15m}
"""


@dataclass(frozen=True)
class Ran:
    """What a run of the command left."""

    code: int
    out: str
    err: str


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory: a project with one stack."""
    root = tmp_path / "checkout"
    root.mkdir()
    (root / "Pulumi.yaml").write_text("name: lifeboat\nruntime: python\n")
    (root / "Pulumi.reskflow.yaml").write_text(STACK_FILE)
    monkeypatch.chdir(root)
    # Nothing of the machine's own sandbox or terminal decides a test.
    for name in ("LIFEBOAT_SANDBOX_TOKEN", "COLUMNS", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    # Nor does its account: no lease is asked.
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(root / "no-credentials"))
    return root


@pytest.fixture
def run(checkout: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Run `lifeboat` with arguments, in the checkout."""
    assert checkout.is_dir()

    def call(*arguments: str) -> Ran:
        monkeypatch.setattr(sys, "argv", ["lifeboat", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capfd.readouterr()
        return Ran(code=int(ended.value.code or 0), out=out, err=err)

    return call


@pytest.fixture
def pulumi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakePulumi:
    """A `pulumi` on PATH that answers from a script."""
    fake = FakePulumi.install(tmp_path)
    monkeypatch.setenv("PATH", fake.path)
    return fake
