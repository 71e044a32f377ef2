"""What comes of a task: its plan, files, report, bundle."""

from __future__ import annotations

from gencode.http.operations.pieces import Part, body, header, limit_headers, plain, problem, ref, task, text


def plan() -> Part:
    shown = body("PlanView", "As it is now", {"ETag": text("Of this revision, for If-Match")})
    return task("readPlan", "The plan of a task", {"200": shown})


def change_plan() -> Part:
    headers = limit_headers() | {"ETag": text("Of this revision")}
    answers = {
        "200": body("PlanView", "As it is from now on", headers),
        "409": problem("It does not wait for approval"),
        "412": problem("If-Match names another revision"),
        "413": problem("Larger than MAX_BODY_BYTES"),
        "415": problem("Not JSON"),
        "422": problem("A rule is broken"),
        "429": problem("More than RATE_LIMIT"),
    }
    made = task("changePlan", "Change a plan that waits for approval", answers)
    made["parameters"] += [_if_match()]
    asked = {"required": True, "content": {"application/json": {"schema": ref("PlanEdit")}}}
    return made | {"requestBody": asked}


def approve() -> Part:
    answers = {
        "202": body("Accepted", "It is in line again", {"Location": text("The task's address")}),
        "409": problem("It does not wait for approval"),
        "412": problem("If-Match names another revision"),
        "503": problem("Too many tasks wait, or the store refuses"),
    }
    made = task("approvePlan", "Let the files of the plan be written", answers)
    made["parameters"] += [_if_match()]
    return made


def _if_match() -> Part:
    return header("If-Match", "Only if the plan is still of this revision (its ETag)")


def files() -> Part:
    return task("listFiles", "The files of a task", {"200": body("FileList", "As of now")})


def file() -> Part:
    made = task("readFile", "A file that is whole", _download("text/plain", "Its text"))
    where = {"name": "path", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
    made["parameters"] += [where, _if_none_match()]
    return made


def archive() -> Part:
    words = "The whole files, in one folder; the name says .partial while others are missing"
    made = task("archiveFiles", "All whole files", _download("application/zip", words))
    made["parameters"] += [_if_none_match()]
    return made


def _download(media: str, words: str) -> Part:
    headers = {"ETag": text("Of these bytes"), "Content-Disposition": text("A name for the file")}
    secret = problem("SECRET_FOUND: it holds a secret of this very service, which is never served")
    unchanged = {"description": "The client has it", "headers": {"ETag": text("Of these bytes")}}
    return {"200": plain(media, words) | {"headers": headers}, "304": unchanged, "422": secret}


def _if_none_match() -> Part:
    return header("If-None-Match", "ETags of what the client has")


def report() -> Part:
    return task("reportTask", "What became of a task", {"200": body("ReportView", "As of now")})


def bundle() -> Part:
    attached = {"Content-Disposition": text("A name for the file")}
    found = body("BundleView", "For gencode replay; once the commit is pushed", attached)
    return task("bundleTask", "All to make the commit again", {"200": found})
