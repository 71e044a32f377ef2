"""What tests of importers ask of a blueprint that was made of a text."""

from gencode.blueprints import Entity, is_valid, validate
from gencode.blueprints.importing import Imported, SourceFormat
from gencode.blueprints.importing.reading import import_text


def imported(source: str, text: str, dialect: str = "") -> Imported:
    """It must be valid; every note must have a message in both languages."""
    made = import_text(SourceFormat(source), text, dialect)
    findings = validate(made.blueprint)
    assert is_valid(findings), [one.shown() for one in findings]
    for note in made.notes:
        assert note.message("en")
        assert note.message("zh")
    return made


def entities(made: Imported) -> dict[str, Entity]:
    return {entity.name: entity for entity in made.blueprint.data_models}


def fields(entity: Entity) -> dict[str, str]:
    """Such as `string(20) required unique`, by name."""
    shown = {}
    for field in entity.fields:
        sizes = [str(one) for one in (field.length, field.precision, field.scale) if one is not None]
        words = [f"{field.type}({','.join(sizes)})" if sizes else str(field.type)]
        words += [word for word in ("required", "unique", "index") if getattr(field, word)]
        words += [f"default={field.default}"] if field.default is not None else []
        words += [f">={field.minimum:g}"] if field.minimum is not None else []
        words += [f"<={field.maximum:g}"] if field.maximum is not None else []
        words += [f"minLength={field.min_length}"] if field.min_length is not None else []
        words += ["|".join(value.name for value in field.enum_values)] if field.enum_values else []
        shown[field.name] = " ".join(words)
    return shown


def relations(entity: Entity) -> dict[str, str]:
    """Such as `ManyToOne Customer required cascade`, by name; targets by id."""
    shown = {}
    for one in entity.relations:
        words = [str(one.type), one.target]
        words += ["required"] if one.required else []
        words += [str(one.on_delete)] if one.on_delete else []
        words += [f"<- {one.inverse_name}"] if one.inverse_name else []
        shown[one.name] = " ".join(words)
    return shown


def rules(made: Imported) -> set[str]:
    return {note.rule.value for note in made.notes}
