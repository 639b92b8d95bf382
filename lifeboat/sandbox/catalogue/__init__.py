"""What the sandbox knows of each resource type, as data: how it is run and what a change of each property means."""

from lifeboat.sandbox.catalogue.loader import Catalogue, CatalogueError, load
from lifeboat.sandbox.catalogue.schema import Change, Entry, Property, Running

__all__ = ["Catalogue", "CatalogueError", "Change", "Entry", "Property", "Running", "load"]
