"""The check of the sandbox: it is started, and tries to get out."""

from __future__ import annotations

from gencode.bootstrap.doctor.check_result import CheckResult, fault, note, ok
from gencode.sandbox.configured import checked_sandbox
from gencode.sandbox.errors import SandboxFailed
from gencode.settings import Settings


async def check_sandbox(settings: Settings) -> CheckResult:
    """Whether generated tests can be run, apart from the service."""
    try:
        sandbox = await checked_sandbox(settings.sandbox, settings.data_dir)
    except SandboxFailed as error:
        advice = "see docs/sandbox.md, or set SANDBOX=off: generated tests are then delivered unverified"
        return fault("sandbox", error.message, advice)
    if sandbox.off_reason:
        advice = "to run generated tests before they are delivered, set SANDBOX=bubblewrap"
        return note("sandbox", "it is off: generated tests are delivered unverified", advice)
    return ok("sandbox", f"{settings.sandbox.partition(':')[0]} isolates: no network, no files, no secrets")
