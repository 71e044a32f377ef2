"""Runs programs that nobody has read, such as generated tests: without network, secrets and files of the
service, with limits of time, memory, processes, disk and output.

    sandbox = await checked_sandbox("bubblewrap", data_dir)
    outcome = await sandbox.run((sandbox.python, "-m", "pytest"), {"test_a.py": b"..."}, Limits(seconds=30))

`LaunchedSandbox` starts a *launcher* (bubblewrap, or the operator's container command), which starts the
`supervisor` as the first process of the sandbox. Files, output and results go through its pipes: nothing is
written to a disk of this machine.
"""
