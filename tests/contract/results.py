"""Extraction results as a scraping pipeline hands them over, in both of their shapes."""

from __future__ import annotations

from typing import Any

from workflow_store import Workflow


def flat_result(number: int = 1, **changes: Any) -> dict[str, Any]:
    """The shape that the original's ``create_workflow`` took."""
    result: dict[str, Any] = {
        "processing_time": 14.5,
        "quality_score": 85.3,
        "layers": {
            "layer1": {
                "success": True,
                "title": f"Test workflow {number}",
                "description": f"Sends an email of kind {number}",
                "use_case": "Email automation",
                "author": {"name": "Ada", "url": "https://n8n.io/creators/ada"},
                "categories": ["Sales", "Marketing"],
                "tags": ["email", "automation"],
                "views": 100 + number,
                "shares": 10,
                "created_at": "2025-01-01T00:00:00",
                "updated_at": "2025-02-01T12:30:00",
                "extraction_time": 2.5,
            },
            "layer2": {
                "success": True,
                "node_count": 5,
                "connection_count": 4,
                "node_types": ["start", "httpRequest"],
                "extraction_type": "full",
                "fallback_used": False,
                "data": {"nodes": [{"name": "Start", "type": "start"}], "connections": {}},
            },
            "layer3": {
                "success": True,
                "explainer_text": "How it works",
                "explainer_html": "<p>How it works</p>",
                "setup_instructions": "Set it up",
                "use_instructions": "Use it",
                "has_videos": True,
                "videos": [
                    {
                        "url": "https://youtu.be/abc123",
                        "video_id": "abc123",
                        "platform": "youtube",
                        "transcript": {"text": "Hello and welcome", "duration": 300, "language": "en"},
                    }
                ],
                "has_iframes": True,
                "iframe_count": 1,
            },
        },
    }
    return result | changes


def failed_result(*names: str, **changes: Any) -> dict[str, Any]:
    """A result of which the named layers failed."""
    result = flat_result(**changes)
    for name in names:
        result["layers"][name] = {"success": False, "error": f"{name} timed out"}
    return result


def nested_result(number: int = 1, **changes: Any) -> dict[str, Any]:
    """The shape that the whole pipeline returns."""
    result: dict[str, Any] = {
        "success": True,
        "workflow_id": str(number),
        "url": f"https://n8n.io/workflows/{number}",
        "layers": {
            "layer1": {
                "success": True,
                "data": {
                    "title": f"Nested workflow {number}",
                    "description": "Answers questions",
                    "author": "Grace",
                    "use_case": "Support",
                    "primary_category": "AI",
                    "secondary_categories": ["Support"],
                    "node_tags": ["telegram"],
                    "general_tags": ["chat"],
                    "views": 4_567,
                    "upvotes": 12,
                    "created_date": "2025-03-04T05:06:07Z",
                    "updated_date": "2025-03-05",
                },
                "extraction_time": 2.5,
                "error": None,
            },
            "layer2": {
                "success": True,
                "data": {
                    "id": number,
                    "name": "Nested",
                    "workflow": {
                        "nodes": [{"name": "A", "type": "telegram"}, {"name": "B", "type": "agent"}],
                        "connections": {
                            "A": {"main": [[{"node": "B", "type": "main", "index": 0}]]},
                            "B": {"main": [[{"node": "A"}, {"node": "B"}], []], "ai_tool": [[{"node": "A"}]]},
                        },
                    },
                },
                "extraction_type": "full",
                "fallback_used": False,
                "error": None,
            },
            "layer3": {
                "success": True,
                "data": {"introduction": "First", "tutorial_text": "Then", "video_urls": ["https://youtu.be/xyz"]},
                "errors": [],
                "metadata": {},
            },
        },
        "multimodal": {"images_found": 0, "images_processed": 0, "video_urls": ["https://youtu.be/xyz"]},
        "transcripts": {
            "videos_found": 1,
            "videos_successful": 1,
            "results": [
                {
                    "video_id": "xyz",
                    "video_url": "https://youtu.be/xyz",
                    "success": True,
                    "transcript": "Spoken words",
                    "error": None,
                }
            ],
        },
        "validation": {"layer1": {"score": 90.0, "issues": []}},
        "quality": {"overall_score": 87.5, "classification": "Good", "total_issues": 0},
        "extraction_time": 31.2,
        "errors": [],
        "timestamp": "2025-10-11T12:13:14.000015",
    }
    return result | changes


def extracted(result: dict[str, Any], workflow_id: str = "1") -> Workflow:
    """What the store is given of a result."""
    return Workflow.from_extraction_result(workflow_id, f"https://n8n.io/workflows/{workflow_id}", result)
