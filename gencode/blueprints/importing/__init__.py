"""Importers: a text of another tool becomes a blueprint.

imported = import_text(SourceFormat.DBML, text)
imported.blueprint      # with the fixes of its errors
imported.notes          # what of the text it does not represent
"""

from gencode.blueprints.importing.imported import Imported, ImportFailed, SourceFormat
from gencode.blueprints.importing.notes import Note, NoteRule
from gencode.blueprints.importing.reading import MAX_CHARACTERS, import_text

__all__ = ["MAX_CHARACTERS", "ImportFailed", "Imported", "Note", "NoteRule", "SourceFormat", "import_text"]
