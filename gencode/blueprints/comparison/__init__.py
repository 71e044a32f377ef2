"""What differs between two blueprints, by id: a renamed field is a change, not a removal and an addition.

operations = compare(old, new)               # added, removed, changed, moved elements
lines = [describe(one, "en") for one in operations]
patch = json_patch(old, new)                 # RFC 6902, which makes the new document of the old one
broken(old, new)                             # routes, fields, pages that people rely on
"""

from gencode.blueprints.comparison.compare import ChangeType, Operation, compare
from gencode.blueprints.comparison.describe import describe
from gencode.blueprints.comparison.impact import Broken, broken
from gencode.blueprints.comparison.json_patch import json_patch

__all__ = ["Broken", "ChangeType", "Operation", "broken", "compare", "describe", "json_patch"]
