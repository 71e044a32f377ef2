"""Reads JHipster's JDL."""

from gencode.blueprints.importing.jdl.to_blueprint import read_jdl

__all__ = ["read_jdl"]
