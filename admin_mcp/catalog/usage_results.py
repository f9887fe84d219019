"""What usage and costs reports hold: pages of time buckets, each with results per group. No endpoints here."""

from typing import Literal, TypeAlias

from admin_mcp.endpoints.base import ApiObject
from admin_mcp.endpoints.fields import UNSET, Open

ApiSource: TypeAlias = Open[Literal["agents_api", "unlabeled"]]


class TokenUsage(ApiObject):
    """Tokens and requests of one group; what completions and decisions have in common."""

    input_tokens: int
    num_model_requests: int
    object: str
    output_tokens: int
    api_key_id: str | None = None
    api_source: ApiSource | None = None
    batch: bool | None = None
    input_audio_tokens: int = UNSET
    input_cache_write_12h_tokens: int | None = None
    input_cache_write_30m_tokens: int | None = None
    input_cache_write_tokens: int = UNSET
    input_cached_audio_tokens: int = UNSET
    input_cached_image_tokens: int = UNSET
    input_cached_text_tokens: int = UNSET
    input_cached_tokens: int = UNSET
    input_image_tokens: int = UNSET
    input_text_tokens: int = UNSET
    input_uncached_tokens: int = UNSET
    model: str | None = None
    output_audio_tokens: int = UNSET
    output_image_tokens: int = UNSET
    output_text_tokens: int = UNSET
    project_id: str | None = None
    service_tier: str | None = None
    user_id: str | None = None


class CompletionsUsage(TokenUsage):
    """Completions of one group."""

    object: Open[Literal["organization.usage.completions.result"]]


class DecisionsUsage(TokenUsage):
    """Decisions of one group."""

    object: Open[Literal["organization.usage.decisions.result"]]


class EmbeddingsUsage(ApiObject):
    """Embeddings of one group."""

    input_tokens: int
    num_model_requests: int
    object: Open[Literal["organization.usage.embeddings.result"]]
    api_key_id: str | None = None
    model: str | None = None
    project_id: str | None = None
    user_id: str | None = None


class ModerationsUsage(ApiObject):
    """Moderations of one group."""

    input_tokens: int
    num_model_requests: int
    object: Open[Literal["organization.usage.moderations.result"]]
    api_key_id: str | None = None
    model: str | None = None
    project_id: str | None = None
    user_id: str | None = None


class ImagesUsage(ApiObject):
    """Images of one group."""

    images: int
    num_model_requests: int
    object: Open[Literal["organization.usage.images.result"]]
    api_key_id: str | None = None
    model: str | None = None
    project_id: str | None = None
    size: str | None = None
    source: str | None = None
    user_id: str | None = None


class AudioSpeechesUsage(ApiObject):
    """Speech made for one group."""

    characters: int
    num_model_requests: int
    object: Open[Literal["organization.usage.audio_speeches.result"]]
    api_key_id: str | None = None
    model: str | None = None
    project_id: str | None = None
    user_id: str | None = None


class AudioTranscriptionsUsage(ApiObject):
    """Speech transcribed for one group."""

    num_model_requests: int
    object: Open[Literal["organization.usage.audio_transcriptions.result"]]
    seconds: int
    api_key_id: str | None = None
    model: str | None = None
    project_id: str | None = None
    user_id: str | None = None


class VectorStoresUsage(ApiObject):
    """Bytes stored for one group."""

    object: Open[Literal["organization.usage.vector_stores.result"]]
    usage_bytes: int
    project_id: str | None = None


class CodeInterpreterSessionsUsage(ApiObject):
    """Code interpreter sessions of one group."""

    num_sessions: int
    object: Open[Literal["organization.usage.code_interpreter_sessions.result"]]
    project_id: str | None = None


class FileSearchCallsUsage(ApiObject):
    """File searches of one group."""

    num_requests: int
    object: Open[Literal["organization.usage.file_searches.result"]]
    api_key_id: str | None = None
    project_id: str | None = None
    user_id: str | None = None
    vector_store_id: str | None = None


class WebSearchCallsUsage(ApiObject):
    """Web searches of one group."""

    num_model_requests: int
    num_requests: int
    object: Open[Literal["organization.usage.web_searches.result"]]
    api_key_id: str | None = None
    api_source: ApiSource | None = None
    context_level: str | None = None
    model: str | None = None
    project_id: str | None = None
    user_id: str | None = None


class CostAmount(ApiObject):
    """An amount of money, in whole units of its currency."""

    currency: str = UNSET
    value: float = UNSET


class Cost(ApiObject):
    """What one group cost."""

    object: Open[Literal["organization.costs.result"]]
    amount: CostAmount = UNSET
    api_key_id: str | None = None
    api_source: ApiSource | None = None
    line_item: str | None = None
    project_id: str | None = None
    quantity: float | None = None
    quantity_unit: (
        Open[
            Literal[
                "tokens",
                "1000_tokens",
                "duration_seconds",
                "duration_minutes",
                "duration_hours",
                "gibibyte_hours",
                "images",
                "characters",
            ]
        ]
        | None
    ) = None
    user_id: str | None = None


UsageResult: TypeAlias = (
    CompletionsUsage
    | EmbeddingsUsage
    | ModerationsUsage
    | ImagesUsage
    | AudioSpeechesUsage
    | AudioTranscriptionsUsage
    | VectorStoresUsage
    | CodeInterpreterSessionsUsage
    | FileSearchCallsUsage
    | WebSearchCallsUsage
    | Cost
)


class UsageBucket(ApiObject):
    """A span of time and the results in it."""

    end_time: int
    object: Open[Literal["bucket"]]
    results: list[UsageResult]
    start_time: int


class UsagePage(ApiObject):
    """A page of buckets; ``next_page`` is the cursor of the page after it."""

    data: list[UsageBucket]
    has_more: bool
    next_page: str | None
    object: Open[Literal["page"]]


class DecisionsBucket(ApiObject):
    """A span of time and the decisions in it."""

    end_time: int
    object: Open[Literal["bucket"]]
    results: list[DecisionsUsage]
    start_time: int


class DecisionsPage(ApiObject):
    """A page of buckets; ``next_page`` is the cursor of the page after it."""

    data: list[DecisionsBucket]
    has_more: bool
    next_page: str | None
    object: Open[Literal["page"]]
