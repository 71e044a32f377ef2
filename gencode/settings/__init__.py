"""The settings, read once from the environment. No other module reads the environment.

A secret NAME can also be given as NAME_FILE, the path of a file with the value.
"""

from gencode.settings.fields import DatabaseSettings, EncryptionSettings, RetentionSettings, Settings
from gencode.settings.json_settings import NamedHost, NamedProvider
from gencode.settings.loading import (
    load,
    load_data_dir,
    load_database,
    load_encryption,
    load_retention,
    set_by_env_file,
)
from gencode.settings.value_types import is_loopback, lets_anyone_in

__all__ = [
    "DatabaseSettings",
    "EncryptionSettings",
    "NamedHost",
    "NamedProvider",
    "RetentionSettings",
    "Settings",
    "is_loopback",
    "lets_anyone_in",
    "load",
    "load_data_dir",
    "load_database",
    "load_encryption",
    "load_retention",
    "set_by_env_file",
]
