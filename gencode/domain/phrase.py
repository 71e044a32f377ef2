"""A text for users that can be told in another language."""

from __future__ import annotations

from collections.abc import Mapping


class Phrase(str):
    """An English text, made of a template and its parameters, as `str.format` takes them.

    It is a string like any other. What tells users of errors looks its template up among those of their
    language, and fills in the same parameters; a parameter that is a Phrase is translated, too.

        raise NotFound(Phrase("there is no {path} in this commit", path=path))

    A plain string is its own template, without parameters.
    """

    template: str
    parameters: Mapping[str, object]

    def __new__(cls, template: str, /, **parameters: object) -> Phrase:
        return cls.told(template.format(**parameters) if parameters else template, template, parameters)

    @classmethod
    def told(cls, english: str, template: str, parameters: Mapping[str, object]) -> Phrase:
        """For an English text that somebody else has made of a template."""
        text = super().__new__(cls, english)
        text.template, text.parameters = template, parameters
        return text
