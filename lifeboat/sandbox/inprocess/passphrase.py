"""Pulumi's passphrase encryption: what ``secure:`` in a stack's file and a secret in a state file hold.

The formats are Pulumi's own, so that its CLI reads what is written here and the other way round: AES-256-GCM under a
key that PBKDF2 derives from the passphrase, ``v1:nonce:ciphertext``; a salt carries an encrypted probe, so that a
wrong passphrase is noticed.
"""

from __future__ import annotations

import base64
import hashlib
import os
from functools import cached_property

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_ITERATIONS = 1_000_000
_KEY_BYTES = 32
_NONCE_BYTES = 12
_PROBE = "pulumi"


class WrongPassphraseError(Exception):
    """The passphrase is not the one that the text was encrypted with, or the text is damaged."""


class Crypter:
    """Encrypts and decrypts under one passphrase and salt.

    The key is derived at first use: that takes about half a second, which a program without secrets need not pay.
    """

    def __init__(self, passphrase: str, salt: bytes | None = None) -> None:
        """Bind a passphrase.

        Args:
            passphrase: any text.
            salt: 8 bytes; absent makes new ones.
        """
        self._passphrase = passphrase
        self._salt = salt or os.urandom(8)

    @classmethod
    def from_salt(cls, passphrase: str, salt: str) -> Crypter:
        """The crypter of an ``encryptionsalt``, checked against the probe it carries.

        Raises:
            WrongPassphraseError: when the probe does not open, or the salt is none.
        """
        version, _, rest = salt.partition(":")
        encoded, _, probe = rest.partition(":")
        if version != "v1" or not probe:
            raise WrongPassphraseError
        try:
            crypter = cls(passphrase, base64.b64decode(encoded, validate=True))
        except ValueError:
            raise WrongPassphraseError from None
        if crypter.decrypt(probe) != _PROBE:
            raise WrongPassphraseError
        return crypter

    @cached_property
    def _cipher(self) -> AESGCM:
        key = hashlib.pbkdf2_hmac("sha256", self._passphrase.encode(), self._salt, _ITERATIONS, _KEY_BYTES)
        return AESGCM(key)

    @cached_property
    def salt(self) -> str:
        """The ``encryptionsalt`` text: salt and probe."""
        return f"v1:{base64.b64encode(self._salt).decode()}:{self.encrypt(_PROBE)}"

    def encrypt(self, plaintext: str) -> str:
        """``v1:nonce:ciphertext``, different at each call."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._cipher.encrypt(nonce, plaintext.encode(), None)
        return f"v1:{base64.b64encode(nonce).decode()}:{base64.b64encode(sealed).decode()}"

    def decrypt(self, ciphertext: str) -> str:
        """The text that was encrypted.

        Raises:
            WrongPassphraseError: when it was encrypted with another key, or is no ciphertext.
        """
        version, _, rest = ciphertext.partition(":")
        nonce, _, sealed = rest.partition(":")
        if version != "v1":
            raise WrongPassphraseError
        try:
            opened = self._cipher.decrypt(base64.b64decode(nonce), base64.b64decode(sealed), None)
        except (InvalidTag, ValueError):
            raise WrongPassphraseError from None
        return opened.decode()
