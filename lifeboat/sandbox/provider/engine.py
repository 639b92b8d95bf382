"""The engine that runs the catalogue: what a provider plugin does, without a plugin.

Both doors use it. Values are plain; unknowns are ``UNKNOWN``; secrets are the doors' business, and no value is logged.
"""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING, cast

from lifeboat.sandbox.provider import checking, diffing, results
from lifeboat.sandbox.provider.clients import Clients
from lifeboat.sandbox.provider.errors import ProviderError
from lifeboat.sandbox.provider.invoking import invoke
from lifeboat.sandbox.provider.random import generate
from lifeboat.sandbox.provider.results import Result
from lifeboat.sandbox.provider.running import Run
from lifeboat.sandbox.provider.values import Value, Values, render

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lifeboat.sandbox.catalogue import Catalogue, Entry
    from lifeboat.sandbox.provider.checking import Failure
    from lifeboat.sandbox.provider.diffing import Diff


class Provider:
    """One configured provider. Safe to call from many threads.

    Args:
        region: Where resources are that name no region of their own.
        account: Twelve digits.
        endpoint: The gateway's address.
        catalogue: The types it runs.
    """

    def __init__(self, *, region: str, account: str, endpoint: str, catalogue: Catalogue) -> None:
        self.region = region
        self.account = account
        self._catalogue = catalogue
        self._clients = Clients(endpoint)

    def check(
        self, token: str, olds: Values | None, news: Values, *, name: str | None = None
    ) -> tuple[Values, list[Failure]]:
        """Validate inputs and fill in defaults.

        Args:
            token: Type token.
            olds: Checked inputs in the state; None for a new resource.
            news: Inputs of the program.
            name: Logical name, for types that are named automatically; None leaves them unnamed.

        Returns:
            Checked inputs, and every fault.
        """
        return checking.check(self._catalogue.get(token), olds, news, name)

    def create(self, token: str, inputs: Values) -> Result:
        """Create a resource from checked inputs.

        Raises:
            ProviderError: If an API refuses. What earlier calls made stays: the doors report it as failed.
        """
        entry = self._catalogue.get(token)
        run = self._run(entry, inputs)
        if entry.running.calls_apis:
            run.create()
        elif entry.running.generated:
            run.doc.update(generate(inputs))
        run.context["id"] = identifier = self._identify(entry, run)
        if entry.running.calls_apis:
            tags = entry.running.tags
            if tags is not None and tags.member is None:
                run.retag({}, cast("Values", inputs.get("tags") or {}))
            again = entry.running.read_after_create
            if again:
                run.read(None if again is True else again)
            run.wait()
        return Result(identifier, results.outputs(entry, run.context, {}, written=True), inputs)

    def read(
        self, token: str, identifier: str, inputs: Values | None = None, known: Values | None = None
    ) -> Result | None:
        """Read a resource.

        Args:
            token: Type token.
            identifier: The provider's identifier.
            inputs: Inputs in the state; None when it is being adopted.
            known: Outputs in the state.

        Returns:
            The resource as it is, or None when there is none.

        Raises:
            ProviderError: If an API refuses, or a recorded resource is to be adopted, which exists nowhere.
        """
        entry = self._catalogue.get(token)
        if not entry.running.calls_apis:
            if known is None:
                raise ProviderError("read", "Refused", f"{token}: exists in a state only, there is nothing to adopt")
            return Result(identifier, known, inputs or {})
        run = self._run(entry, inputs or {}, identifier=identifier, known=known)
        if not run.read():
            return None
        found = results.outputs(entry, run.context, known or {})
        read_back = results.inputs_of(entry, inputs, found)
        if inputs is None:
            # Adopted by a name that people use; from now on by the provider's own.
            run.context["in"] = read_back
            identifier = self._identify(entry, run)
        return Result(identifier, found, read_back)

    def update(
        self, token: str, identifier: str, old_outputs: Values, news: Values, *, old_inputs: Values | None = None
    ) -> Values:
        """Update a resource in place.

        Args:
            token: Type token.
            identifier: The provider's identifier.
            old_outputs: Outputs in the state.
            news: Checked inputs.
            old_inputs: Inputs in the state; what the outputs say of them by default.

        Returns:
            The new outputs.

        Raises:
            ProviderError: If the vendor refuses, or the catalogue knows that it would.
        """
        entry = self._catalogue.get(token)
        olds = old_inputs if old_inputs is not None else {k: old_outputs.get(k) for k in news}
        change = diffing.compare(entry, olds, news, region=self.region)
        for name, message in change.refused.items():
            raise ProviderError("update", "Refused", f"{name}: {message}")
        run = self._run(entry, news, identifier=identifier, known=old_outputs, olds=olds)
        if entry.running.calls_apis:
            changed = frozenset(change.changed)
            run.update(changed)
            if "tags" in changed:
                run.retag(cast("Values", olds.get("tags") or {}), cast("Values", news.get("tags") or {}))
            if changed and run.read():
                run.wait()
        return results.outputs(entry, run.context, old_outputs)

    def delete(self, token: str, identifier: str, outputs: Values) -> None:
        """Delete a resource; one that is gone already is no error.

        Raises:
            ProviderError: If an API refuses: deletion protection, something left in a bucket.
        """
        entry = self._catalogue.get(token)
        if entry.running.calls_apis:
            self._run(entry, {}, identifier=identifier, known=outputs).delete()

    def diff(self, token: str, old_inputs: Values, news: Values, ignore_changes: Sequence[str] = ()) -> Diff:
        """What an update would do.

        Args:
            token: Type token.
            old_inputs: Inputs in the state, as last written or read back.
            news: Checked inputs; ``UNKNOWN`` where they are not known yet.
            ignore_changes: Property paths, wire names.
        """
        return diffing.compare(self._catalogue.get(token), old_inputs, news, ignore_changes, region=self.region)

    def invoke(self, token: str, args: Values) -> Values:
        """Call a function, ``aws:index/getRegion:getRegion``.

        Raises:
            ProviderError: If the sandbox does not know it.
        """
        return invoke(self._clients, self.region, self.account, token, args)

    def outputs_preview(self, token: str, inputs: Values, previous: Values | None = None) -> Values:
        """Outputs as a preview knows them: ``UNKNOWN`` for those that only exist afterwards.

        Args:
            token: Type token.
            inputs: Checked inputs.
            previous: Outputs of the resource that is updated; None for a new one.
        """
        return results.preview(self._catalogue.get(token), inputs, self.region, previous)

    def _run(
        self,
        entry: Entry,
        inputs: Values,
        *,
        identifier: str | None = None,
        known: Values | None = None,
        olds: Values | None = None,
    ) -> Run:
        known = known or {}
        context: Values = {
            "in": inputs,
            "old": olds or {},
            "out": known,
            "id": identifier,
            "region": inputs.get("region") or known.get("region") or self.region,
            "account": self.account,
            "hex": secrets.token_hex(16),
            "key": _key(entry, identifier),
        }
        return Run(entry, self._clients, context)

    def _identify(self, entry: Entry, run: Run) -> str:
        identifier: Value = render(entry.running.id, run.context)
        if not isinstance(identifier, str) or not identifier:
            raise ProviderError("create", "NoIdentifier", f"{entry.token}: {entry.running.id} gave nothing")
        return identifier


def _key(entry: Entry, identifier: str | None) -> Values:
    """The named parts of an identifier."""
    if entry.running.key is None or identifier is None:
        return {}
    match = re.fullmatch(entry.running.key, identifier)
    return cast("Values", match.groupdict()) if match else {}
