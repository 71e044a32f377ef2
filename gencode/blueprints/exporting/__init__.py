"""Exports: the data models of a blueprint as DBML or SQL, which the importers read again.

text = exported_dbml(blueprint)
text = exported_sql(blueprint, Dialect.POSTGRES)
"""

from gencode.blueprints.exporting.dbml import exported_dbml
from gencode.blueprints.exporting.sql import Dialect, exported_sql

__all__ = ["Dialect", "exported_dbml", "exported_sql"]
