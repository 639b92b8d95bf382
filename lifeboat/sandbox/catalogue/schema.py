"""The catalogue's file format.

Two files describe a service. ``data/<service>.yaml`` says what a change of each property *means* on the real cloud,
with where that is known from; ``data/calls/<service>.yaml`` says how a type is *run*: calls, identifiers, outputs.

Templates. Wherever a field is called a template, a string ``${expression}`` is replaced by the value of a JMESPath
expression over the call's context, keeping its type; inside a longer string it is interpolated. Null drops the
argument. The context holds ``in`` (inputs), ``old`` (previous inputs), ``out`` (known outputs), ``doc`` (responses so
far), ``key`` (named groups of ``key``), ``id``, ``region``, ``account``, ``hex`` (32 random digits), ``tags`` and
``drop`` (tags to write, tag names to remove). ``provider/functions.py`` adds functions to JMESPath's own.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

Change = Literal["in-place", "replaces", "refused", "needs-two-updates"]
"""What changing a property does on the real cloud."""

State = Literal["any", "set", "unset"]


class Strict(BaseModel):
    """A frozen model that refuses keys it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Case(Strict):
    """An exception to a property's change kind, by what the value was and becomes; the first that fits wins."""

    before: State = "any"
    after: State = "any"
    change: Change
    message: str | None = Field(None, description="The vendor's error, when the change is refused.")


class Property(Strict):
    """What changing one input property means.

    Attributes:
        change: The outcome unless a case fits.
        cases: Exceptions by transition.
        message: The vendor's error when refused.
        drift: What the provider reads back after a promotion, in words; None when it reads what was written.
        source: Where this is known from: a provider source file, a vendor document, ``observed`` or ``unproven``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    change: Change
    cases: tuple[Case, ...] = ()
    message: str | None = None
    drift: str | None = None
    source: str = Field("unproven", alias="from")


class Meaning(Strict):
    """All known properties of one type."""

    properties: dict[str, Property] = Field(default_factory=dict[str, Property])


class MeaningFile(Strict):
    """``data/<service>.yaml``."""

    types: dict[str, Meaning]


class Wait(Strict):
    """Poll the read calls until a value is reached.

    Attributes:
        path: JMESPath over ``doc``.
        ready: Values that end the wait.
        failed: Values that end it with an error.
        timeout: Seconds.
    """

    path: str
    ready: tuple[str | bool, ...]
    failed: tuple[str, ...] = ()
    timeout: float = 60.0


class Call(Strict):
    """One API call.

    Attributes:
        op: The client's method, ``create_vpc``.
        service: Another client than the type's.
        region: Template of the region called; the resource's own by default.
        send: Which inputs go in by name: ``all`` of them, those that ``changed``, or ``none``.
        skip: Inputs never sent by name.
        wrap: Member of the request that takes the inputs sent by name: ``HealthCheckConfig``.
        args: Templates of further arguments; they win over those sent by name.
        triggers: Properties that make the call necessary: at creation when one is set, at an update when one changed.
        when: JMESPath over the context; the call is left out when it is false or null.
        result: JMESPath over the response, ``${...}`` in it filled first; what is kept of it in ``doc``.
        into: Key of ``doc`` that takes the result; merged at the top when absent. A null result of a read call without
            ``into`` means that the resource is gone.
        ignore: Error codes that count as done.
        retry: Error codes that are tried again until they pass, 30 seconds at most.
        prepare: A function of ``provider/hooks/<service>.py``: context and arguments in, arguments out.
        each: JMESPath over the context, ``${...}`` in it filled first; the call is made once for each element, which is
            ``item`` in its templates, and ``into`` takes the list of results.
    """

    op: str
    service: str | None = None
    region: str | None = None
    send: Literal["all", "changed", "none"] = "none"
    skip: tuple[str, ...] = ()
    wrap: str | None = None
    args: dict[str, JsonValue] = Field(default_factory=dict[str, JsonValue])
    triggers: tuple[str, ...] = ()
    when: str | None = None
    result: str | None = None
    into: str | None = None
    ignore: tuple[str, ...] = ()
    retry: tuple[str, ...] = ()
    prepare: str | None = None
    each: str | None = None


class Tags(Strict):
    """How a type's tags are written and read.

    Attributes:
        member: Argument of the first create call that carries them, None when a call of ``add`` does it.
        resource_type: Set for ``TagSpecifications``: the EC2 name of the type.
        keys: Names of the two members of a tag, or None when tags are a map.
        add: Call that writes ``add``; its template ``${tags}`` is the encoded form.
        remove: Call that removes the names in ``${drop}``.
        path: JMESPath over ``doc`` that finds them after a read.
        replace: Whether ``add`` replaces the whole set.
    """

    member: str | None = "Tags"
    resource_type: str | None = None
    keys: tuple[str, str] | None = ("Key", "Value")
    add: Call | None = None
    remove: Call | None = None
    path: str | None = "Tags"
    replace: bool = False


class Running(Strict):
    """How one type is run.

    Attributes:
        service: Client name; the file's by default.
        region: Template of the region of every call, for services with one control plane.
        recorded: The local cloud has no such API: inputs are checked, outputs computed, nothing is called.
        generated: The provider makes it by itself: there is no API to call.
        create, read, update, delete: Calls in order. See ``into`` for when it is gone.
        id: Template of the Pulumi identifier.
        key: Regular expression with named groups that takes an identifier apart, for reads without state.
        rename: Input or output path (``rules.id``, list positions left out) to the API's member name; null: never sent.
        outputs: Templates of outputs that are not found by name.
        defaults: Values the provider assumes when an input is absent.
        computed: Optional inputs that the provider keeps when they are taken out of the program.
        ordered: Lists whose order matters.
        local: Inputs that no call carries: the provider's own switches.
        secret: Outputs that are secret whatever their inputs were.
        autoname: Property named after the resource when it is left out.
        missing: Error codes that mean "no such resource".
        read_after_create: Whether outputs need a read: ``true``, or the ``into`` names of the read calls needed.
        wait: What to wait for after creation and updates.
        tags: How tags go in and out; None when the type has none.
    """

    service: str | None = None
    region: str | None = None
    recorded: bool = False
    generated: bool = False
    create: tuple[Call, ...] = ()
    read: tuple[Call, ...] = ()
    update: tuple[Call, ...] = ()
    delete: tuple[Call, ...] = ()
    id: str | None = None
    key: str | None = None
    rename: dict[str, str | None] = Field(default_factory=dict[str, str | None])
    outputs: dict[str, JsonValue] = Field(default_factory=dict[str, JsonValue])
    defaults: dict[str, JsonValue] = Field(default_factory=dict[str, JsonValue])
    computed: tuple[str, ...] = ()
    ordered: tuple[str, ...] = ()
    local: tuple[str, ...] = ()
    secret: tuple[str, ...] = ()
    autoname: str | None = None
    missing: tuple[str, ...] = ()
    read_after_create: bool | tuple[str, ...] = False
    wait: Wait | None = None
    tags: Tags | None = None

    @model_validator(mode="after")
    def _runnable(self) -> Running:
        if self.id is None or (self.calls_apis and not (self.create and self.read)):
            msg = "a type needs id, and create and read unless it is recorded or generated"
            raise ValueError(msg)
        return self

    @property
    def calls_apis(self) -> bool:
        """Whether the type exists in the local cloud."""
        return not self.recorded and not self.generated


class RunningFile(Strict):
    """``data/calls/<service>.yaml``.

    Attributes:
        service: Client name of every type that names no other.
        missing: Error codes that mean "no such resource" for every type here.
        region: Template of the region of every call, for services with one control plane.
        shared: Anchors that types refer to; not read by itself.
        types: By Pulumi type token.
    """

    service: str
    missing: tuple[str, ...] = ()
    region: str | None = None
    shared: dict[str, JsonValue] = Field(default_factory=dict[str, JsonValue])
    types: dict[str, Running]


class Entry(Strict):
    """One type of the catalogue: how it runs and what its changes mean."""

    token: str
    running: Running
    meaning: Meaning
