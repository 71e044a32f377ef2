"""gencode logout"""

from __future__ import annotations

import argparse

from gencode.cli.client_options import add_service_arguments, run_with_client, service_url
from gencode.cli.login_file import StoredLogin
from gencode.cli.output import write
from gencode.client import Client, ServiceError
from gencode.domain.errors import StartError

UNAUTHORIZED = 401


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_service_arguments(parser)


def run(args: argparse.Namespace) -> int:
    return run_with_client(_log_out, args)


async def _log_out(client: Client, args: argparse.Namespace) -> int:
    """The tokens are forgotten here, also if the session has ended already."""
    login = StoredLogin(service_url(args))
    if login.read() is None:
        raise StartError(f"nobody is logged in at {service_url(args)}")
    try:
        await client.log_out()
    except ServiceError as error:
        if error.status != UNAUTHORIZED:
            raise
    login.forget()
    write(args, {"url": service_url(args)}, [f"logged out at {service_url(args)}"])
    return 0
