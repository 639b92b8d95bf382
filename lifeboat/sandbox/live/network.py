"""A network of the sandbox's own on loopback: every server has an address, so that each can have its usual port.

Linux routes all of 127.0.0.0/8 to loopback and needs neither configuration nor privileges for it.
"""

from __future__ import annotations

import contextlib
import ipaddress
import random
import socket
import threading
from typing import TYPE_CHECKING, Final

from lifeboat.sandbox.state import SandboxError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DNS_PORT: Final = 5300
HTTP_PORT: Final = 8080
"""Ports under 1024 need privileges."""
POSTGRES_PORT: Final = 5432
REDIS_PORT: Final = 6379

_BLOCKS: Final = ipaddress.ip_network("127.64.0.0/10")
"""Blocks of 256 addresses are taken from here; systems use low addresses of 127.0.0.0/8 for themselves."""
_ATTEMPTS: Final = 64
_FIRST_SERVER: Final = 10


class Network:
    """One block of loopback addresses, held until it is closed.

    The first address is the name server's; the rest are given out by name, and a name keeps its address. Safe to ask
    from several threads.

    Args:
        block: The block, such as ``127.80.12.0/24``.
        held: The socket that keeps others off it.
        given: Addresses by name that were given out before.
    """

    def __init__(self, block: ipaddress.IPv4Network, held: socket.socket, given: Mapping[str, str]) -> None:
        self.block = block
        self._held = held
        self._given = dict(given)
        self._lock = threading.Lock()

    @classmethod
    def claim(cls, wanted: str | None = None, given: Mapping[str, str] | None = None) -> Network:
        """Take a block that no other sandbox of this machine has.

        Args:
            wanted: The block of an earlier life, taken again when it is free.
            given: The addresses that it had given out; they count only when that block is taken.

        Raises:
            SandboxError: when none is free, or the system does not route 127.0.0.0/8.
        """
        refusal = ""
        for block in _candidates(wanted):
            held = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            try:
                # A listening socket of TCP's keeps the block; the name server shares nothing with it but the address.
                held.bind((str(block[1]), DNS_PORT - 1))
                held.listen(1)
            except OSError as fault:
                held.close()
                refusal = str(fault.strerror)
                continue
            return cls(block, held, given or {} if str(block) == wanted else {})
        raise SandboxError(f"no block of loopback addresses in {_BLOCKS} is free: {refusal}")

    @property
    def name_server(self) -> str:
        """The name server's address."""
        return str(self.block[1])

    @property
    def given(self) -> Mapping[str, str]:
        """Addresses by name."""
        return dict(self._given)

    def address(self, name: str) -> str:
        """The address of a name, the same one each time.

        Raises:
            SandboxError: when the block is used up.
        """
        with self._lock:
            if name not in self._given:
                position = _FIRST_SERVER + len(self._given)
                if position >= self.block.num_addresses - 1:
                    raise SandboxError(f"{self.block}: all addresses are given out")
                self._given[name] = str(self.block[position])
            return self._given[name]

    def close(self) -> None:
        """Let the block go."""
        with contextlib.suppress(OSError):
            self._held.close()


def _candidates(wanted: str | None) -> Iterator[ipaddress.IPv4Network]:
    if wanted is not None:
        yield ipaddress.IPv4Network(wanted)
    # At random, so that sandboxes that start together do not try the same ones in turn.
    for _ in range(_ATTEMPTS):
        offset = random.randrange(_BLOCKS.num_addresses // 256) * 256  # noqa: S311 - no secret
        yield ipaddress.IPv4Network((int(_BLOCKS.network_address) + offset, 24))
