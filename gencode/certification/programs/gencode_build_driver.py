"""Runs the steps of one group, up to the first that fails. Reads job.json:

    {"steps": [{"name", "kind", "command", "folder", "seconds", ...}], "tables": 3, "programs": ["node"],
     "database": "postgresql" | "mysql" | ""}

For each step, a line of JSON goes to standard output, which only this process has; a last line says that the
group came to its end. The code of the project runs in other processes, which can neither trace this one nor
reach its output; all of them but the database server are ended after each step.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from gencode.certification.programs import gencode_build_commands as commands
    from gencode.certification.programs.gencode_build_commands import Deadline, Log, Unproven
    from gencode.certification.programs.gencode_build_database import DATABASES, Broken, Database, Unavailable
    from gencode.certification.programs.gencode_build_factories import Factories
    from gencode.certification.programs.gencode_build_requests import Application, check_resources
    from gencode.sandbox.programs import gencode_processes as processes
else:
    import gencode_build_commands as commands
    import gencode_processes as processes
    from gencode_build_commands import Deadline, Log, Unproven
    from gencode_build_database import DATABASES, Broken, Unavailable
    from gencode_build_factories import Factories
    from gencode_build_requests import Application, check_resources

HERE = os.path.dirname(os.path.abspath(__file__))
APPLICATION, TESTS = "application", "tests"
"""Names of databases."""
POLL_SECONDS = 0.05
_COUNT = re.compile(r"^    def test_|^def test_|^async def test_", re.MULTILINE)
_SUITE = re.compile(r'<testsuite [^>]*?errors="(\d+)" failures="(\d+)" skipped="(\d+)" tests="(\d+)"')


class Driver:
    def __init__(self, job: dict[str, Any]) -> None:
        self._job = job
        for program in job["programs"]:
            if not shutil.which(program):
                raise Unavailable(f"{program} is not installed in the sandbox")
        self._kinds: dict[str, Callable[[dict[str, Any], Deadline, Log], int]] = {
            "command": self._command,
            "makes": self._makes,
            "pytest": self._pytest,
            "migrated": self._migrated,
            "emptied": self._emptied,
            "rows": self._rows,
            "requests": self._requests,
        }
        self._environment: dict[str, str] = {}
        self._database: Database | None = None
        if job["database"]:
            self._database = DATABASES[job["database"]](f"{HERE}/db")

    @property
    def database(self) -> Database:
        if self._database is None:
            raise Broken("the group has no database")
        return self._database

    def begin(self) -> dict[str, str]:
        """Start what the steps need. Returns versions. Raises Broken."""
        if self._database is None:
            return {}
        self._database.start()
        for name in (APPLICATION, TESTS):
            self._database.create(name)
        self._environment = {"DATABASE_URL": self._database.url(APPLICATION)}
        return {self._database.name: self._database.version}

    def run(self, step: dict[str, Any]) -> dict[str, Any]:
        log, began = Log(), time.monotonic()
        reason = ""
        try:
            exit_code = self._kinds[step["kind"]](step, Deadline(step["seconds"]), log)
            if exit_code:
                reason = f"the exit code is {exit_code}"
        except commands.TimeIsUp as error:
            exit_code, reason = -int(signal.SIGKILL), str(error)
        except (Broken, Unproven) as error:
            exit_code, reason = 1, str(error)
        except Exception as error:  # what the project answered cannot be read
            exit_code, reason = 1, f"{type(error).__name__}: {error}"
        finally:
            processes.end_children(self._kept())
        return {
            "name": step["name"],
            "exit_code": exit_code,
            "reason": reason[:1000],
            "seconds": time.monotonic() - began,
            "log_digest": log.digest,
            "log_tail": log.tail,
        }

    def _kept(self) -> tuple[int, ...]:
        server = self._database.server if self._database else None
        return (server.pid,) if server else ()

    def _ran(
        self, step: dict[str, Any], deadline: Deadline, log: Log, *command: str, **environment: str
    ) -> int:
        words = list(command) or step["command"]
        log.line(f"$ {' '.join(words)}")
        merged = {**self._environment, **environment}
        return commands.run(words, os.path.join(HERE, step["folder"]), merged, deadline, log, self._kept())

    # --- kinds of steps -----------------------------------------------------------------------------

    def _command(self, step: dict[str, Any], deadline: Deadline, log: Log) -> int:
        if "copied" in step:
            source, target = step["copied"]
            shutil.copytree(source, os.path.join(HERE, target))
        return self._ran(step, deadline, log)

    def _makes(self, step: dict[str, Any], deadline: Deadline, log: Log) -> int:
        exit_code = self._ran(step, deadline, log)
        if not exit_code and not os.path.isfile(os.path.join(HERE, step["folder"], step["makes"])):
            raise Unproven(f"{step['makes']} was not made")
        return exit_code

    def _pytest(self, step: dict[str, Any], deadline: Deadline, log: Log) -> int:
        """Tests share a process with the code that they test, which could end it with the status 0: as many
        must have been reported as there are functions."""
        folder = os.path.join(HERE, step["folder"])
        wanted = _test_functions(os.path.join(folder, "tests"))
        result = os.path.join(HERE, "tests.xml")
        url = {"TEST_DATABASE_URL": self.database.url(TESTS)} if step["on_database"] else {}
        exit_code = self._ran(step, deadline, log, *step["command"], f"--junitxml={result}", **url)
        if not exit_code:
            _check_tests(result, wanted)
        return exit_code

    def _migrated(self, step: dict[str, Any], deadline: Deadline, log: Log) -> int:
        exit_code = self._ran(step, deadline, log)
        if not exit_code:
            self._must_have_tables(log)
        return exit_code

    def _must_have_tables(self, log: Log) -> None:
        tables = self.database.tables(APPLICATION)
        log.line(f"tables: {', '.join(tables)}")
        if len(tables) < self._job["tables"]:
            raise Unproven(
                f"the database has {len(tables)} tables, and the project has {self._job['tables']} models"
            )

    def _emptied(self, step: dict[str, Any], deadline: Deadline, log: Log) -> int:
        log.line(f"rows: {self.database.counts(APPLICATION)}")
        exit_code = self._ran(step, deadline, log)
        left = self.database.tables(APPLICATION)
        if not exit_code and left:
            raise Unproven(f"tables are left in the database: {', '.join(left)}")
        return exit_code

    def _rows(self, step: dict[str, Any], deadline: Deadline, log: Log) -> int:
        """Back to the first revision and again to the last, with rows: those of tables that were there all
        the time are kept."""
        before = self.database.counts(APPLICATION)
        down, up = (
            [*step["command"], "downgrade", step["first"]],
            [*step["command"], "upgrade", "head"],
        )
        exit_code = self._ran(step, deadline, log, *down)
        between = self.database.counts(APPLICATION)
        exit_code = exit_code or self._ran(step, deadline, log, *up)
        after = self.database.counts(APPLICATION)
        log.line(f"rows: {before}, {between}, {after}")
        lost = [name for name in before if name in between and before[name] != after.get(name)]
        if not exit_code and lost:
            raise Unproven(f"rows are lost in {', '.join(lost)}")
        return exit_code

    def _requests(self, step: dict[str, Any], deadline: Deadline, log: Log) -> int:
        address, output = os.path.join(HERE, "app.socket"), os.path.join(HERE, "server.log")
        folder = os.path.join(HERE, step["folder"])
        with open(output, "wb") as file:
            server = commands.start(
                [*step["command"], "--uds", address], folder, self._environment, file.fileno()
            )
        try:
            application = Application(address, log, deadline)
            while not application.is_ready():
                deadline.check()
                if server.poll() is not None:
                    raise Unproven("the server ends before it answers at /health")
                time.sleep(POLL_SECONDS)
            program = [*step["bodies"], os.path.join(HERE, "gencode_build_bodies.py"), address]
            errors = os.path.join(HERE, "factories.log")
            check_resources(application, Factories(program, folder, errors, deadline))
        finally:
            with open(output, "rb") as file:
                file.seek(max(0, os.path.getsize(output) - 20_000))
                log.write(b"--- server\n" + file.read())
        rows = self.database.counts(APPLICATION)
        log.line(f"rows: {rows}")
        if sum(map(bool, rows.values())) < self._job["tables"]:
            raise Unproven(f"what the API made is not in the database: {rows}")
        return 0


def _test_functions(folder: str) -> int:
    found = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            if name.startswith("test_") and name.endswith(".py"):
                with open(os.path.join(parent, name), encoding="utf-8") as file:
                    found += len(_COUNT.findall(file.read()))
    return found


def _check_tests(result: str, wanted: int) -> None:
    try:
        with open(result, encoding="utf-8") as file:
            found = _SUITE.search(file.read(4000))
    except OSError:
        found = None
    if not found:
        raise Unproven("the tests gave no result: the code under test may have ended their process")
    errors, failures, skipped, tests = map(int, found.groups())
    if errors or failures or tests < wanted:
        raise Unproven(
            f"{tests} of {wanted} tests were run, {failures + errors} have failed, {skipped} were skipped"
        )


def main() -> None:
    answer = processes.Answer()
    processes.protect()
    with open(os.path.join(HERE, "job.json"), encoding="utf-8") as file:
        job = json.load(file)

    def say(line: dict[str, Any]) -> None:
        answer.write(json.dumps(line) + "\n")

    try:
        driver = Driver(job)
        versions = driver.begin()
        for step in job["steps"]:
            done = driver.run(step)
            say({**done, "versions": versions})
            if done["exit_code"]:
                break
        say({"end": True})
    except Unavailable as error:
        say({"unavailable": str(error)})
    except Broken as error:
        say({"broken": str(error)})
        sys.exit(1)


if __name__ == "__main__":
    main()
