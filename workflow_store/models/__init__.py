"""What goes in and what comes back."""

from workflow_store.models.json import Json
from workflow_store.models.quarantined import Quarantined
from workflow_store.models.report import (
    Claim,
    IngestReport,
    Outcome,
    Page,
    Pending,
    Percentiles,
    Rejected,
    Statistics,
)
from workflow_store.models.search import Highlight, SearchHit, SearchLag, SearchPage
from workflow_store.models.workflow import (
    PARTS,
    Content,
    Metadata,
    Part,
    Structure,
    Transcript,
    Workflow,
)

__all__ = [
    "PARTS",
    "Claim",
    "Content",
    "Highlight",
    "IngestReport",
    "Json",
    "Metadata",
    "Outcome",
    "Page",
    "Part",
    "Pending",
    "Percentiles",
    "Quarantined",
    "Rejected",
    "SearchHit",
    "SearchLag",
    "SearchPage",
    "Statistics",
    "Structure",
    "Transcript",
    "Workflow",
]
