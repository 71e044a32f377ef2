"""What the stages pass on."""

from __future__ import annotations

from dataclasses import dataclass

from gencode.model_tasks.calls import ModelRun
from gencode.pipelines.requirement_analysis.source import Source
from gencode.workspace.requirement_documents.requirement import Analysis

SOURCE, ANALYSIS = "source", "analysis"
"""Names of checkpoints."""
COLLECTING, ANALYSING, DELIVERING = "collecting", "analysing", "delivering"


@dataclass(frozen=True, kw_only=True, slots=True)
class Work:
    """source    None before `collecting`
    analysis  None before the end of `analysing`
    """

    run: ModelRun
    document_id: str
    template_id: str | None
    source: Source | None = None
    analysis: Analysis | None = None
