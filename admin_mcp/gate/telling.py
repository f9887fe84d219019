"""What a model may be told of changes that were asked or made before, be it through another server. Pure."""

from collections.abc import Mapping

from admin_mcp.endpoints.arguments import parse_arguments
from admin_mcp.errors import CallError
from admin_mcp.gate.assessment import Assessment
from admin_mcp.gate.plan import with_tokens
from admin_mcp.gate.reads import plan_reads


def may_be_told(assessment: Assessment, tool: str, arguments: Mapping[str, object]) -> bool:
    """Whether the model could read by itself all that a change is about. What makes no sense is not told."""
    if tool not in assessment.catalog:
        return False
    try:
        call = parse_arguments(assessment.catalog.endpoint(tool), with_tokens(arguments))
        assessment.require_readable(call)
        reads = plan_reads(call, assessment.catalog).every()
    except (CallError, ValueError):
        return False
    return all(assessment.may_tell(read) for read in reads)
