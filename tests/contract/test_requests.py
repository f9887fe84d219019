"""The request built for a call is the documented one, and the one the official SDK makes of the same arguments."""

from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from tests.contract.cases import Case, every_tool
from tests.contract.examples import Arguments, all_null, fullest, smallest, variants
from tests.contract.strategies import arguments
from tests.contract.wire import Sdk, documented, ours

CALLS = settings(
    max_examples=settings().max_examples // 4,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.differing_executors],
)


@pytest.fixture(scope="module")
def sdk() -> Iterator[Sdk]:
    client = Sdk()
    yield client
    client.close()


def for_generated_calls(case: Case, check: Callable[[Arguments], None]) -> None:
    """Run a check on 25 calls drawn from what the endpoint documents."""
    CALLS(given(arguments(case.documented))(check))()


@every_tool
def test_a_generated_call_makes_the_documented_request(case: Case) -> None:
    def check(call: Arguments) -> None:
        assert ours(case.implemented, call) == documented(case.documented, call)

    for_generated_calls(case, check)


@every_tool
def test_a_generated_call_makes_the_request_the_official_sdk_makes(case: Case, sdk: Sdk) -> None:
    def check(call: Arguments) -> None:
        assert ours(case.implemented, call) == sdk.send(case.documented, call)

    for_generated_calls(case, check)


@every_tool
def test_the_smallest_call_makes_the_request_the_official_sdk_makes(case: Case, sdk: Sdk) -> None:
    for variant in variants(case.documented):
        call = smallest(case.documented, variant)
        assert ours(case.implemented, call) == sdk.send(case.documented, call)


@every_tool
def test_the_fullest_call_makes_the_request_the_official_sdk_makes(case: Case, sdk: Sdk) -> None:
    for variant in variants(case.documented):
        call = fullest(case.documented, variant)
        assert ours(case.implemented, call) == sdk.send(case.documented, call)


@every_tool
def test_null_for_all_that_is_optional_makes_the_request_the_official_sdk_makes_of_what_is_meant(
    case: Case, sdk: Sdk
) -> None:
    for variant in variants(case.documented):
        call = all_null(case.documented, variant)
        assert ours(case.implemented, call) == sdk.send(case.documented, call)
