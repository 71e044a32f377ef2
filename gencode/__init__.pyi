from gencode.bootstrap.app import create_app as create_app
from gencode.bootstrap.asgi_embedding import running as running
from gencode.client import Client as Client
from gencode.client import ServiceError as ServiceError
from gencode.client import SyncClient as SyncClient

__version__: str
