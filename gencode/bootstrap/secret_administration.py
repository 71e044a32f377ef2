"""The keys of stored secrets, and what `gencode secrets` and `gencode doctor` do with them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gencode.bootstrap.user_administration import COMMAND_LINE
from gencode.bootstrap.workspace import KEY_BYTES, audit_log, database_url
from gencode.domain.errors import StartError
from gencode.security.regular_file import read_regular_file
from gencode.settings import EncryptionSettings, Settings
from gencode.storage.data_dir_lock import ENCRYPTION_KEY_FILE, WORKSPACE_DATABASE
from gencode.workspace.database import Database, existing_database, open_database
from gencode.workspace.encrypted_resources import Rotation, rotate_secrets, unreadable_secrets
from gencode.workspace.encryption import Encryption

__all__ = ["count_unreadable", "database_url", "existing_database", "known_keys", "rotate"]


def known_keys(settings: EncryptionSettings | Settings) -> Sequence[bytes]:
    """Those of ENCRYPTION_KEY, and the one that DATA_DIR has; none is made."""
    if settings.database_url.get_secret_value():
        return settings.encryption_keys
    path = Path(settings.data_dir, ENCRYPTION_KEY_FILE)
    stored = [read_regular_file(path)] if path.is_file() else []
    return (*settings.encryption_keys, *(key for key in stored if len(key) == KEY_BYTES))


async def rotate(settings: EncryptionSettings) -> Rotation:
    """Raises StartError, NoEncryptionKey."""
    if not (settings.direct_dsn or (settings.data_dir / WORKSPACE_DATABASE).is_file()):
        raise StartError(
            f"{settings.data_dir} has no {WORKSPACE_DATABASE}: set DATA_DIR as the service has it"
        )
    audit = await audit_log(settings)
    async with open_database(database_url(settings.direct_dsn, settings)) as database:
        return await rotate_secrets(database, audit, Encryption(known_keys(settings)), COMMAND_LINE)


async def count_unreadable(database: Database, settings: Settings) -> tuple[int, Sequence[str]]:
    """How many secrets there are, and the places of those that no key decrypts. Raises StoreError."""
    return await unreadable_secrets(database, Encryption(known_keys(settings)))
