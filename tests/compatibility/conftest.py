"""The harness is the fixture `run` of all tests in this folder."""

from tests.compatibility.harness import harness, shared

__all__ = ["harness", "shared"]
