"""Running the catalogue against the local cloud's APIs."""

from lifeboat.sandbox.provider.checking import Failure
from lifeboat.sandbox.provider.diffing import Diff, outcome
from lifeboat.sandbox.provider.engine import Provider
from lifeboat.sandbox.provider.errors import ProviderError
from lifeboat.sandbox.provider.results import Result
from lifeboat.sandbox.provider.values import UNKNOWN, Value, Values

__all__ = ["UNKNOWN", "Diff", "Failure", "Provider", "ProviderError", "Result", "Value", "Values", "outcome"]
