"""gencode tests [--base REF] [--deliver files|patch|branch] [FILE | FUNCTION | FILE:FUNCTION ...]"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from gencode.cli.client_options import add_service_arguments, run_with_client
from gencode.cli.git_command import commit_id
from gencode.cli.limit_options import add_limit_arguments, given_limits
from gencode.cli.output import printable, write
from gencode.cli.registered_repository import registered_repository
from gencode.client import Client
from gencode.domain.errors import StartError, TreeError
from gencode.domain.path_rules import check_path
from gencode.pipelines.test_generation.commands.project_files import project_files
from gencode.pipelines.test_generation.frameworks import OF_LANGUAGE, is_generated

FRAMEWORKS = tuple(name for names in OF_LANGUAGE.values() for name in names)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="file, function, or FILE:FUNCTION")
    parser.add_argument("--base", metavar="REF", help="test what has changed since this commit or branch")
    parser.add_argument("--framework", choices=FRAMEWORKS, help="default: what the project uses")
    parser.add_argument(
        "--requirement",
        action="append",
        default=[],
        metavar="ID=TEXT",
        help="a requirement that tests are to name; can be repeated",
    )
    parser.add_argument("--model", help="provider, provider/model-id, or config/ID")
    parser.add_argument(
        "--deliver",
        choices=("files", "patch", "branch"),
        help="write the test files into this folder, print a patch, or push a branch",
    )
    parser.add_argument(
        "--write", dest="deliver", action="store_const", const="files", help="--deliver files"
    )
    branch = parser.add_argument_group("--deliver branch")
    branch.add_argument("--branch", metavar="NAME", help="the new branch (default: gencode-tests-...)")
    branch.add_argument(
        "--repository",
        metavar="ID",
        help="the registered repository (default: that of the remote origin)",
    )
    branch.add_argument("--head", metavar="REF", help="write tests for this commit (default: HEAD)")
    add_limit_arguments(parser)
    add_service_arguments(parser)


def run(args: argparse.Namespace) -> int:
    return run_with_client(_tests, args)


async def _tests(client: Client, args: argparse.Namespace) -> int:
    """Returns 1 if the task did not complete."""
    if not (args.base or args.targets):
        raise StartError("name files or functions, or say since when: gencode tests --base main")
    if args.deliver != "branch" and (args.branch or args.repository or args.head):
        raise StartError("--branch, --repository and --head are for --deliver branch")
    body = await _body(client, args)
    accepted = await client.call("POST", "/pipelines/test-generation", body=body)
    task = await client.wait(accepted["task_id"])
    if task["state"] != "succeeded":
        error = task.get("error")
        message = error["message"] if error else ""
        write(args, task, [printable(f"{task['status']}: {message}")])
        return 1
    tests = await client.call("GET", f"/task/{accepted['task_id']}/tests")
    if args.deliver == "patch" and not args.json:
        print((await client.result(accepted["task_id"], "tests.patch")).decode(), end="")
        return 0
    said = [*_lines(tests), *(_write_files(Path.cwd(), tests).values() if args.deliver == "files" else ())]
    over: Mapping[str, Any] = {**task}
    if over.get("branch"):
        said.append(printable(f"pushed to the branch {over['branch']}: {over['commit']}"))
    write(args, {"task_id": accepted["task_id"], **tests}, said)
    return 0


async def _body(client: Client, args: argparse.Namespace) -> dict[str, Any]:
    given: dict[str, Any] = {
        **(await _of_repository(client, args) if args.deliver == "branch" else _of_folder(args)),
        "requirements": [_requirement(text) for text in args.requirement],
        "framework": args.framework,
        "model": args.model,
        **given_limits(args),
    }
    return {name: value for name, value in given.items() if value is not None}


def _of_folder(args: argparse.Namespace) -> dict[str, Any]:
    found = project_files(Path.cwd(), args.base, args.targets)
    files = [{"path": path, "text": text} for path, text in found.files.items()]
    return {"files": files, "functions": found.functions, "patch": found.patch}


async def _of_repository(client: Client, args: argparse.Namespace) -> dict[str, Any]:
    """The commits as the service has them: nothing of the folder is sent."""
    head = commit_id(args.head or "HEAD")
    return {
        "repository_id": args.repository or await registered_repository(client),
        "base": commit_id(args.base) if args.base else head,
        "head": head,
        "functions": args.targets,
        "deliver": "branch",
        "branch": args.branch,
    }


def _requirement(text: str) -> Mapping[str, str]:
    name, _, meaning = text.partition("=")
    return {"id": name.strip(), "text": meaning.strip()}


def _lines(tests: Mapping[str, Any]) -> Iterator[str]:
    for file in tests["files"]:
        state = file["verification"] + (f": {file['reason']}" if file["reason"] else "")
        yield printable(f"{file['path']} ({state})")
        for test in file["tests"]:
            killed = test["mutants_killed"]
            proof = "" if killed is None else f"  fails on {killed} of {file['mutants']} faults"
            yield printable(f"    {test['name']}{proof}")
        if file["baseline"]:
            yield printable(f"    {file['baseline']}")
    for one in tests["discarded"]:
        yield printable(f"discarded: {one['path']} {one['name']}: {one['reason']}")
    for one in tests["skipped"]:
        yield printable(f"skipped: {one['path']}: {one['reason']}")
    gaps = [*tests["gaps"]["functions"], *tests["gaps"]["requirements"]]
    if gaps:
        yield printable(f"without a test: {', '.join(gaps)}")


def _write_files(folder: Path, tests: Mapping[str, Any]) -> Mapping[str, str]:
    """Writes new files, and those whose tests were generated before; says of each what was done."""
    said = {}
    for file in tests["files"]:
        path = str(file["path"])
        said[path] = printable(f"{path}: {_written(folder, path, str(file['text']))}")
    return said


def _written(folder: Path, path: str, text: str) -> str:
    target = folder / path
    try:
        check_path(path, workflows=True)
        if not target.parent.resolve().is_relative_to(folder.resolve()) or target.is_symlink():
            return "not written, it is behind a link"
        if target.exists() and not is_generated(target.read_text(encoding="utf-8", errors="replace")):
            return "not written, another file is there"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    except (OSError, TreeError) as error:
        return f"not written: {error}"
    return "written"
