"""Why a project did not become a commit on the default branch of the repository, in English and Chinese."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class UpdateReason:
    en: str
    zh: str


CHANGED = UpdateReason(
    "the default branch has commits that gencode has not delivered, and was left alone",
    "默认分支含有并非由 gencode 交付的提交，未作改动",
)
GONE = UpdateReason(
    "there is no such repository any more, or the token cannot see it; the archive has the project",
    "该仓库已不存在，或令牌无权访问；项目仍可通过归档下载",
)
NOT_OURS = UpdateReason(
    "the repository at this address is not the one that was delivered: its description lacks the marker, and "
    "no branch is at the delivered commit; it was left alone, and the archive has the project",
    "该地址上的仓库不是当时交付的仓库：描述中没有标记，也没有分支指向交付的提交；未作改动，项目仍可通过归档下载",
)


def refused(words: str) -> UpdateReason:
    """`words`: of the error."""
    shown = words[:500]
    return UpdateReason(f"the host did not take the push: {shown}", f"主机未接受推送：{shown}")
