"""The service itself."""

from __future__ import annotations

from gencode.http.operations.pieces import OPEN, Part, body, plain, problem


def paths() -> dict[str, Part]:
    unready = {"503": body("Health", "It is not")}
    return {
        "/livez": _open("livez", "Whether the process answers", {"200": body("Health", "It does")}),
        "/readyz": _open(
            "readyz", "Whether new tasks are accepted", {"200": body("Health", "They are")} | unready
        ),
        "/health": _open("health", "The same, with figures", {"200": body("Health", "It is well")} | unready),
        "/metrics": _open("metrics", "Prometheus' text format", {"200": plain("text/plain", "The metrics")}),
        "/openapi.json": _open(
            "openapi", "This document", {"200": plain("application/json", "The document", "object")}
        ),
        "/docs": _open("reference", "The same, for people", {"200": plain("text/html", "A page")}),
        "/": _open("page", "The page, for people", {"200": plain("text/html", "The page")}),
    }


def _open(name: str, summary: str, answers: Part) -> Part:
    default = {"default": problem("A problem: see its code")}
    return {
        "get": {
            "operationId": name,
            "summary": summary,
            "security": OPEN,
            "responses": answers | default,
        }
    }
