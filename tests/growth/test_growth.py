from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.growth.functions import FUNCTIONS

pytestmark = [pytest.mark.campaign, pytest.mark.timeout(1800)]  # some take 20 s of processor time

ROOT = Path(__file__).parents[2]


@pytest.mark.fault(95)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_no_text_makes_a_pass_over_it_take_more_than_time_in_proportion(name: str) -> None:
    command = [sys.executable, "-m", "tests.growth.run", name]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout.splitlines()[-1]}: {done.stderr[-500:]}"
    assert f"{name}: " in done.stdout
