"""The build certificate: a rendered project is installed, checked, tested and run in the sandbox.

    certifier = Certifier(sandbox=sandbox, environments=data_dir / "build-environments")
    certificate = await certifier.certify(files, stack, report)   # report: called for each step as it ends

`certificate` has the records, which are public documents; `certifier` decides which steps are run.
"""

from gencode.certification.certificate import (
    Certificate,
    CertificateStatus,
    StepReport,
    StepStatus,
    unverified,
)
from gencode.certification.certifier import Certifier, Report

__all__ = [
    "Certificate",
    "CertificateStatus",
    "Certifier",
    "Report",
    "StepReport",
    "StepStatus",
    "unverified",
]
