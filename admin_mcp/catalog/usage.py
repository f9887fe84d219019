"""Usage: what the organization's API keys consumed, counted per time bucket."""

from typing import Annotated, Final, Literal, TypeAlias

from pydantic import AfterValidator, Field, ValidationInfo
from pydantic_core import PydanticCustomError

from admin_mcp.catalog.usage_results import DecisionsPage, UsagePage
from admin_mcp.endpoints.fields import INTEGRAL, UNIX_SECONDS, UNSET, ApiDefault, ResourceId, UnixSeconds
from admin_mcp.endpoints.paging import LARGEST_PAGE, PaginatedEndpoint, SelectsFields

_MOST_BUCKETS: Final = {"1m": 1440, "1h": 168, "1d": 31}


def _fits_bucket_width(limit: int, info: ValidationInfo) -> int:
    # Fields are validated in order, and ``bucket_width`` stands before ``limit``; it is missing if it was invalid.
    if "bucket_width" not in info.data:
        return limit
    width = info.data["bucket_width"] or "1d"
    most = _MOST_BUCKETS[width]
    if limit > most:
        raise PydanticCustomError(
            "too_many_buckets",
            "must be at most {most} with bucket_width {width}; page on with `page`, or take wider buckets",
            {"most": most, "width": width},
        )
    return limit


StartTime = UnixSeconds
EndTime = Annotated[int, Field(description="Unix seconds, exclusive."), UNIX_SECONDS]
BucketWidth = Annotated[Literal["1m", "1h", "1d"], ApiDefault("1d")]
Buckets = Annotated[
    int,
    Field(le=1440, description="Default/max: 7/31 days, 24/168 hours, 60/1440 minutes."),
    AfterValidator(_fits_bucket_width),
    INTEGRAL,
]
NextPage = str

ByCaller: TypeAlias = Literal["project_id", "user_id", "api_key_id", "model"]
ByCall: TypeAlias = Literal["project_id", "user_id", "api_key_id", "model", "batch", "service_tier", "api_source"]


class UsageListing(PaginatedEndpoint, abstract=True):
    """Base of the usage endpoints, whose pages are as long as their buckets let them be."""

    def largest_page(self) -> int:
        """Return the most buckets of this width that the API gives at once, within reason."""
        return min(LARGEST_PAGE, _MOST_BUCKETS[getattr(self, "bucket_width", None) or "1d"])


class GetUsageCompletions(UsageListing, SelectsFields, get="/organization/usage/completions", returns=UsagePage):
    """Get text generation usage: input, cached, output and audio tokens, and requests, in total unless grouped. Money:
    get_costs.
    """

    start_time: StartTime
    api_key_ids: list[ResourceId] = UNSET
    batch: bool = Field(UNSET, description="Only batch calls, or only others.")
    bucket_width: BucketWidth = UNSET
    end_time: EndTime = UNSET
    group_by: list[ByCall] = UNSET
    limit: Buckets = UNSET
    models: list[str] = UNSET
    page: NextPage = UNSET
    project_ids: list[ResourceId] = UNSET
    user_ids: list[ResourceId] = UNSET


class GetUsageEmbeddings(UsageListing, get="/organization/usage/embeddings", returns=UsagePage):
    """Get embeddings usage: input tokens and requests."""

    start_time: StartTime
    api_key_ids: list[ResourceId] = UNSET
    bucket_width: BucketWidth = UNSET
    end_time: EndTime = UNSET
    group_by: list[ByCaller] = UNSET
    limit: Buckets = UNSET
    models: list[str] = UNSET
    page: NextPage = UNSET
    project_ids: list[ResourceId] = UNSET
    user_ids: list[ResourceId] = UNSET


class GetUsageModerations(UsageListing, get="/organization/usage/moderations", returns=UsagePage):
    """Get moderations usage: input tokens and requests."""

    start_time: StartTime
    api_key_ids: list[ResourceId] = UNSET
    bucket_width: BucketWidth = UNSET
    end_time: EndTime = UNSET
    group_by: list[ByCaller] = UNSET
    limit: Buckets = UNSET
    models: list[str] = UNSET
    page: NextPage = UNSET
    project_ids: list[ResourceId] = UNSET
    user_ids: list[ResourceId] = UNSET


class GetUsageImages(UsageListing, get="/organization/usage/images", returns=UsagePage):
    """Get image usage: images and requests."""

    start_time: StartTime
    api_key_ids: list[ResourceId] = UNSET
    bucket_width: BucketWidth = UNSET
    end_time: EndTime = UNSET
    group_by: list[Literal["project_id", "user_id", "api_key_id", "model", "size", "source"]] = UNSET
    limit: Buckets = UNSET
    models: list[str] = UNSET
    page: NextPage = UNSET
    project_ids: list[ResourceId] = UNSET
    sizes: list[Literal["256x256", "512x512", "1024x1024", "1792x1792", "1024x1792"]] = UNSET
    sources: list[Literal["image.generation", "image.edit", "image.variation"]] = UNSET
    user_ids: list[ResourceId] = UNSET


class GetUsageAudioSpeeches(UsageListing, get="/organization/usage/audio_speeches", returns=UsagePage):
    """Get text-to-speech usage: characters and requests."""

    start_time: StartTime
    api_key_ids: list[ResourceId] = UNSET
    bucket_width: BucketWidth = UNSET
    end_time: EndTime = UNSET
    group_by: list[ByCaller] = UNSET
    limit: Buckets = UNSET
    models: list[str] = UNSET
    page: NextPage = UNSET
    project_ids: list[ResourceId] = UNSET
    user_ids: list[ResourceId] = UNSET


class GetUsageAudioTranscriptions(UsageListing, get="/organization/usage/audio_transcriptions", returns=UsagePage):
    """Get transcription usage: seconds of audio and requests."""

    start_time: StartTime
    api_key_ids: list[ResourceId] = UNSET
    bucket_width: BucketWidth = UNSET
    end_time: EndTime = UNSET
    group_by: list[ByCaller] = UNSET
    limit: Buckets = UNSET
    models: list[str] = UNSET
    page: NextPage = UNSET
    project_ids: list[ResourceId] = UNSET
    user_ids: list[ResourceId] = UNSET


class GetUsageVectorStores(UsageListing, get="/organization/usage/vector_stores", returns=UsagePage):
    """Get how many bytes vector stores held."""

    start_time: StartTime
    bucket_width: BucketWidth = UNSET
    end_time: EndTime = UNSET
    group_by: list[Literal["project_id"]] = UNSET
    limit: Buckets = UNSET
    page: NextPage = UNSET
    project_ids: list[ResourceId] = UNSET


class GetUsageCodeInterpreterSessions(
    UsageListing, get="/organization/usage/code_interpreter_sessions", returns=UsagePage
):
    """Get how many code interpreter sessions there were."""

    start_time: StartTime
    bucket_width: BucketWidth = UNSET
    end_time: EndTime = UNSET
    group_by: list[Literal["project_id"]] = UNSET
    limit: Buckets = UNSET
    page: NextPage = UNSET
    project_ids: list[ResourceId] = UNSET


class GetUsageFileSearchCalls(UsageListing, get="/organization/usage/file_search_calls", returns=UsagePage):
    """Get how many file search calls there were."""

    start_time: StartTime
    api_key_ids: list[ResourceId] = UNSET
    bucket_width: BucketWidth = UNSET
    end_time: EndTime = UNSET
    group_by: list[Literal["project_id", "user_id", "api_key_id", "vector_store_id"]] = UNSET
    limit: Buckets = UNSET
    page: NextPage = UNSET
    project_ids: list[ResourceId] = UNSET
    user_ids: list[ResourceId] = UNSET
    vector_store_ids: list[ResourceId] = UNSET


class GetUsageWebSearchCalls(UsageListing, get="/organization/usage/web_search_calls", returns=UsagePage):
    """Get web search usage: searches and model requests."""

    start_time: StartTime
    api_key_ids: list[ResourceId] = UNSET
    bucket_width: BucketWidth = UNSET
    context_levels: list[Literal["low", "medium", "high"]] = UNSET
    end_time: EndTime = UNSET
    group_by: list[Literal["project_id", "user_id", "api_key_id", "model", "context_level", "api_source"]] = UNSET
    limit: Buckets = UNSET
    models: list[str] = UNSET
    page: NextPage = UNSET
    project_ids: list[ResourceId] = UNSET
    user_ids: list[ResourceId] = UNSET


class GetUsageDecisions(UsageListing, get="/organization/usage/decisions", returns=DecisionsPage):
    """Get decisions usage: input and output tokens and requests."""

    start_time: StartTime
    api_key_ids: list[ResourceId] | None = UNSET
    batch: bool | None = UNSET
    bucket_width: BucketWidth | None = UNSET
    end_time: EndTime | None = UNSET
    group_by: list[ByCall] | None = UNSET
    limit: Buckets | None = UNSET
    models: list[str] | None = UNSET
    page: NextPage | None = UNSET
    project_ids: list[ResourceId] | None = UNSET
    user_ids: list[ResourceId] | None = UNSET
