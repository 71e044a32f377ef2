"""The validator of blueprints: `validate`. One module for each group of rules."""

from gencode.blueprints.validation.validator import validate

__all__ = ["validate"]
