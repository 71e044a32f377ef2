"""Methods of `Client` for what is made of blueprints: builds, template sets, deployment configs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from gencode.client.connection import Connection
from gencode.client.paths import quoted, task_path
from gencode.client.types import Accepted


class ProjectMethods(ABC):
    _connection: Connection

    @abstractmethod
    async def submit_to(
        self, path: str, body: Mapping[str, Any], *, idempotency_key: str | None = None
    ) -> Accepted: ...

    async def build(self, blueprint_id: str, *, idempotency_key: str | None = None, **body: Any) -> Accepted:
        """Build the project of a blueprint.

        body  as POST /api/v1/blueprints/{id}/generate takes it, such as `stack={"database": "mysql"}`
        """
        path = f"/api/v1/blueprints/{quoted(blueprint_id)}/generate"
        return await self.submit_to(path, body, idempotency_key=idempotency_key)

    async def regenerate(self, task_id: str, *, idempotency_key: str | None = None, **body: Any) -> Accepted:
        """Build again for the stack of an earlier build.

        body  as POST /api/v1/task/{task_id}/regenerate takes it, such as `update_repository=True`
        """
        path = task_path(task_id, "regenerate")
        return await self.submit_to(path, body, idempotency_key=idempotency_key)

    async def artifact(self, task_id: str) -> bytes:
        """The archive of a build, in one folder; see `unpack`."""
        return (await self._connection.request("GET", task_path(task_id, "artifact"))).content

    async def upload_template_set(
        self, file_name: str, data: bytes, *, version_of: str = "", **fields: str
    ) -> dict[str, Any]:
        """Store a zip with `manifest.json` as a template set.

        version_of  the id of the set of which it is the next version; "" for a new one
        fields      of a new set, such as `name` and `project_id`
        """
        path = f"/api/v1/templates/{quoted(version_of)}/upload" if version_of else "/api/v1/templates/upload"
        return await self._stored("POST", path, files={"file": (file_name, data)}, data=fields)

    async def prove_template_set(self, template_id: str) -> dict[str, Any]:
        """The set: `status` is "proven", or "rejected" with `findings`."""
        return await self._stored("POST", f"/api/v1/templates/{quoted(template_id)}/prove")

    async def apply_template_set(
        self, template_id: str, blueprint_id: str, *, database: str = "postgresql"
    ) -> bytes:
        """The files that a proven set makes of a blueprint, as a zip."""
        path = f"/api/v1/templates/{quoted(template_id)}/project.zip"
        params = {"blueprint_id": blueprint_id, "database": database}
        return (await self._connection.request("GET", path, params=params)).content

    async def create_deployment(self, **body: Any) -> dict[str, Any]:
        """Store a deployment config.

        body  as POST /api/v1/deployments takes it: `project_id`, `name`, `env_name`, `config_data`, `secrets`
        """
        return await self._stored("POST", "/api/v1/deployments", json=body)

    async def render_deployment(self, deployment_id: str) -> dict[str, Any]:
        """`files`, with path and text, and the names of secrets that are `missing` in them."""
        path = f"/api/v1/deployments/{quoted(deployment_id)}/rendered"
        found: dict[str, Any] = await self._connection.request_json("GET", path, required_field="files")
        return found

    async def _stored(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        made: dict[str, Any] = await self._connection.request_json(method, path, required_field="id", **more)
        return made
