"""Whom servers run as: PostgreSQL refuses root, so that root lends it an account without rights."""

from __future__ import annotations

import os
import pwd
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lifeboat.sandbox.state import SandboxError

if TYPE_CHECKING:
    from pathlib import Path

_NAME: Final = "nobody"


@dataclass(frozen=True, kw_only=True)
class Account:
    """A user and group of the system."""

    uid: int
    gid: int

    def own(self, path: Path) -> None:
        """Give it a directory or file, and the way to it.

        Raises:
            SandboxError: when a directory above may not be entered by others.
        """
        os.chown(path, self.uid, self.gid)
        self.require_way(path)

    def require_way(self, path: Path) -> None:
        """See that it can reach a path.

        Raises:
            SandboxError: when a directory above may not be entered by others.
        """
        for parent in path.resolve().parents:
            status = parent.stat()
            entered = 0o1 if status.st_uid != self.uid else 0o100
            if not status.st_mode & entered:
                raise SandboxError(
                    f"{parent}: root lends database servers the account {_NAME!r}, which may not enter this directory: "
                    f"run `chmod o+x {parent}`, or use the project as a user who is not root"
                )


def lent_account() -> Account | None:
    """The account that servers take when root starts them; None for any other user, whose own will do.

    Raises:
        SandboxError: when the system has none to lend, or does not know the user: PostgreSQL wants a name.
    """
    user = os.geteuid()
    if user != 0:
        try:
            pwd.getpwuid(user)
        except KeyError:
            raise SandboxError(
                f"user {user} has no entry in the system's list of users, and database servers run as nobody without: "
                "add one to /etc/passwd, or take --bare"
            ) from None
        return None
    try:
        entry = pwd.getpwnam(_NAME)
    except KeyError:
        raise SandboxError(f"root cannot run database servers, and there is no user {_NAME!r} to lend them") from None
    return Account(uid=entry.pw_uid, gid=entry.pw_gid)
