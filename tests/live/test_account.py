"""Whom servers run as."""

from __future__ import annotations

import os
import pwd
from typing import NoReturn

import pytest

from lifeboat.sandbox.live.account import lent_account
from lifeboat.sandbox.state import SandboxError


def test_a_user_whom_the_system_does_not_know_is_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    unknown = max(entry.pw_uid for entry in pwd.getpwall()) + 1
    monkeypatch.setattr(os, "geteuid", lambda: unknown)
    with pytest.raises(SandboxError, match=rf"^user {unknown} has no entry .* take --bare$"):
        lent_account()


def test_a_user_whom_it_knows_needs_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    known = next(entry.pw_uid for entry in pwd.getpwall() if entry.pw_uid != 0)
    monkeypatch.setattr(os, "geteuid", lambda: known)
    assert lent_account() is None


def test_root_without_anybody_to_lend_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(name: str) -> NoReturn:
        raise KeyError(name)

    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(pwd, "getpwnam", nobody)
    with pytest.raises(SandboxError, match="there is no user 'nobody'"):
        lent_account()
