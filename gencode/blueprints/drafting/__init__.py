"""From what a model says about an application to a blueprint.

    entries = said_entries(value)            # JSON as a model writes it -> entries in one form, by kind
    assembly = Assembly(base)                # an empty blueprint, or the one that is changed
    assembly.add(entry)                      # matched by id, then by name: ids of what is there are kept
    blueprint = assembly.blueprint()         # references resolved; every element has a valid form
    blueprint, findings, mended = with_certain_fixes(blueprint)

Whatever an answer contains becomes a valid form or is left out. Its words are hints: `varchar(50)` is a
string of length 50, 必填 is `required`, a Chinese name becomes a label beside a proposed identifier.
"""

from gencode.blueprints.drafting.assembly import Assembly
from gencode.blueprints.drafting.certain_fixes import with_certain_fixes
from gencode.blueprints.drafting.entries import Entry, EntryKind, said_entries

__all__ = ["Assembly", "Entry", "EntryKind", "said_entries", "with_certain_fixes"]
