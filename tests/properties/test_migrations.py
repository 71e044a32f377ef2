"""A slice of the campaign of migrations: see tests/campaigns/migration.py."""

import pytest

from gencode.blueprints.rendering import Database
from tests.campaigns.migration import run_campaign
from tests.servers import mariadb, postgres

pytestmark = pytest.mark.campaign


@pytest.mark.skipif(not postgres.is_installed(), reason=postgres.MISSING)
def test_migrations_keep_rows_and_make_what_the_models_say_on_postgresql() -> None:
    counts = run_campaign(Database.POSTGRESQL, range(5))
    assert counts["faults"] == 0
    assert counts["values kept"] > 50


@pytest.mark.skipif(not mariadb.is_installed(), reason="needs MariaDB and pymysql")
def test_migrations_keep_rows_and_make_what_the_models_say_on_mariadb() -> None:
    counts = run_campaign(Database.MYSQL, range(20, 22))
    assert counts["faults"] == 0
    assert counts["values kept"] > 20
