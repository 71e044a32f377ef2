"""The sandbox of the settings: checked at the start, and by `gencode doctor`."""

from __future__ import annotations

from gencode.bootstrap.process_roles import Role
from gencode.domain.errors import StartError
from gencode.sandbox.configured import checked_sandbox
from gencode.sandbox.errors import SandboxFailed
from gencode.sandbox.off import SandboxOff
from gencode.sandbox.port import Sandbox
from gencode.settings import Settings


async def started_sandbox(settings: Settings, role: Role) -> Sandbox:
    """Where this process runs programs of others: it is off in a process that runs no tasks. Raises
    StartError if the sandbox cannot be used, or does not isolate."""
    if not role.works:
        return SandboxOff()
    try:
        return await checked_sandbox(settings.sandbox, settings.data_dir)
    except SandboxFailed as error:
        raise StartError(f"SANDBOX={settings.sandbox}: {error.message}") from None
