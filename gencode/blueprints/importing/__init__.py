"""Importers: a text of another tool becomes a blueprint.

    from gencode.blueprints.importing.reading import import_text
    imported = import_text(SourceFormat.DBML, text)
    imported.blueprint      # with the fixes of its errors
    imported.notes          # what of the text it does not represent

The parsers are imported with `reading`: a service has them in processes of their own (`limited_importer`).
"""

from gencode.blueprints.importing.imported import MAX_CHARACTERS, Imported, ImportFailed, SourceFormat
from gencode.blueprints.importing.notes import Note, NoteRule

__all__ = ["MAX_CHARACTERS", "ImportFailed", "Imported", "Note", "NoteRule", "SourceFormat"]
