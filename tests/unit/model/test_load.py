"""The door to a stack's settings: what is refused, how it is said, and that everything wrong is said at once."""

from __future__ import annotations

import json

import pytest

from lifeboat.model.settings import Settings, SettingsError
from lifeboat.model.settings.load import from_runtime, from_stack_file, load
from tests.unit.model.bad_forms import FORM, OBJECTIVES
from tests.unit.model.bad_places import PLACES, SWITCHING
from tests.unit.model.bad_stores import NAMES, STORES
from tests.unit.model.declarations import DROP, Bad, changed, sound

CASES = (*FORM, *OBJECTIVES, *PLACES, *SWITCHING, *NAMES, *STORES)


def faults_of(config: dict[str, object]) -> list[tuple[str, str, str]]:
    with pytest.raises(SettingsError) as caught:
        load(config)
    return [(fault.key, fault.value, fault.accepted) for fault in caught.value.faults]


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in CASES])
def test_a_fault_is_one_line_with_key_value_and_what_is_accepted(case: Bad) -> None:
    with pytest.raises(SettingsError) as caught:
        load(changed(*case.changes))
    (fault,) = caught.value.faults
    assert (fault.key, fault.value) == (f"lifeboat:{case.key}", case.value)
    assert case.accepted in fault.accepted
    assert str(caught.value) == f"{fault.key}: {fault.value}: accepted is {fault.accepted}"
    assert "\n" not in str(fault)


def test_there_are_enough_cases_and_each_has_its_name() -> None:
    assert len(CASES) >= 60
    assert len({case.name for case in CASES}) == len(CASES)


def test_the_sound_declaration_is_sound() -> None:
    assert load(sound()).prefix == "shop-test"


def test_every_fault_of_every_kind_is_reported_at_once() -> None:
    config = changed(
        ("objectives.stack.rto", "an hour"),
        ("hmoe", "eu-west-1"),
        ("home", DROP),
        ("sites.1.cidr", "10.1.0.0/17"),
        ("witness", "eu-central-1"),
        ("databases.0.storage_gib", "big"),
        ("caches.0.name", "ledger"),
        ("object_stores.0.lifecycle", {"standard_ia_days": 30, "glacier_days": 31}),
        ("routing.kind", "record"),
        ("tags", {"aws:x": "y"}),
    )
    assert {key.removeprefix("lifeboat:") for key, _, _ in faults_of(config)} == {
        "objectives.stack.rto",
        "hmoe",
        "home",
        "sites[1].cidr",
        "witness",
        "databases[0].storage_gib",
        "caches[0].name",
        "object_stores[0].lifecycle.glacier_days",
        "routing.kind",
        "tags.aws:x",
    }


def test_what_was_refused_is_not_reported_missing_as_well() -> None:
    # The services cannot be understood, so nobody can say that `orders` is not among them.
    keys = [key for key, _, _ in faults_of(changed(("objectives.services.0.rto", "soon")))]
    assert keys == ["lifeboat:objectives.services[0].rto"]


def test_ranges_are_compared_even_when_the_rest_of_a_site_is_wrong() -> None:
    keys = [key for key, _, _ in faults_of(changed(("sites.1", {"region": "eu-north-9", "cidr": "10.1.0.0/16"})))]
    assert keys == ["lifeboat:sites[1].region", "lifeboat:sites[1].cidr"]


def test_data_needs_an_rpo_from_somewhere() -> None:
    without = (("objectives.stack.rpo", DROP), ("object_stores", []))
    ((key, value, accepted),) = faults_of(changed(*without))
    assert (key, value) == ("lifeboat:databases[0].rpo", "absent")
    assert "RPO is a required setting" in accepted
    assert load(changed(*without, ("databases.0.rpo", "1h"))).databases[0].rpo == 3600
    assert load(changed(*without, ("objectives.services.0.rpo", "1h"))).databases[0].rpo is None


def test_an_rpo_needs_data() -> None:
    ((key, value, accepted),) = faults_of(changed(("databases", []), ("object_stores", [])))
    assert (key, value) == ("lifeboat:objectives.stack.rpo", '"15m"')
    assert "no mechanism could meet it" in accepted


def test_an_availability_is_time_enough() -> None:
    config = changed(("objectives", {"stack": {"availability": 99.9, "rpo": "1h"}}), ("databases.0.services", []))
    config["caches"] = []
    assert load(config).objectives.stack.availability == 99.9


@pytest.mark.parametrize(
    ("path", "read"),
    [
        ("strategy", lambda s: s.strategy),
        ("network.nat", lambda s: s.network.nat),
        ("routing.kind", lambda s: s.routing.kind),
        ("databases.0.mechanism", lambda s: s.databases[0].mechanism),
        ("caches.0.mechanism", lambda s: s.caches[0].mechanism),
        ("object_stores.0.mechanism", lambda s: s.object_stores[0].mechanism),
    ],
)
def test_auto_means_that_nobody_chose(path: str, read: object) -> None:
    assert callable(read)
    assert read(load(changed((path, "auto")))) is None


def test_a_secret_is_never_shown() -> None:
    config = changed(
        ("databases.0.password", "hunter2"),
        ("databases.0.parameters", {"secure": "v1:cipher"}),
        ("token", {"secure": "v1:cipher"}),
        ("caches.0.auth", {"api_key": "hunter2"}),
    )
    with pytest.raises(SettingsError) as caught:
        load(config)
    assert "hunter2" not in str(caught.value)
    assert "cipher" not in str(caught.value)


def test_the_runtime_hands_over_text_and_means_the_same() -> None:
    plain = {"system", "environment", "account", "home", "witness", "approval"}
    runtime = {f"lifeboat:{key}": value if key in plain else json.dumps(value) for key, value in sound().items()}
    assert from_runtime({**runtime, "aws:region": "eu-west-1", "pulumi:tags": "{}"}) == load(sound())


def test_what_an_engine_fills_in_changes_nothing() -> None:
    config = changed(("dns", DROP))
    assert load({**config, "dns": {}, "routing": {}, "strategy": "auto", "tags": {}}) == load(config)


def test_text_where_the_runtime_should_have_json_is_a_fault_like_others() -> None:
    with pytest.raises(SettingsError, match=r'lifeboat:sites: "nowhere": accepted is a list'):
        from_runtime(
            {f"lifeboat:{key}": json.dumps(value) for key, value in sound().items()} | {"lifeboat:sites": "nowhere"}
        )


def test_a_value_that_the_engine_decrypted_is_hidden() -> None:
    with pytest.raises(SettingsError) as caught:
        from_runtime({"lifeboat:account": "hunter2", "lifeboat:home": "mars"}, secret_keys=["lifeboat:account"])
    assert "hunter2" not in str(caught.value)
    assert '"mars"' in str(caught.value)


def test_settings_survive_the_engines_reading_of_a_day() -> None:
    accepted = {"policy": "accept", "reason": "rare", "owner": "ops", "expires": "2027-01-31 00:00:00 +0000 UTC"}
    assert load(changed(("divergence", accepted))).divergence.expires == "2027-01-31"


def test_an_import_keeps_its_plain_name() -> None:
    settings = load(changed(("databases.0.import", {"eu-west-1": "old-ledger"})))
    assert settings.databases[0].import_ == {"eu-west-1": "old-ledger"}
    assert isinstance(settings, Settings)


def test_a_stack_file_that_is_no_yaml_names_the_place() -> None:
    with pytest.raises(SettingsError, match=r"^Pulumi\.STACK\.yaml: line 2, column \d+: .*: accepted is YAML$"):
        from_stack_file("config:\n  lifeboat:sites: [}\n")
