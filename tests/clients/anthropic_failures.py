"""Anthropic's SDK, when something goes wrong: what it raises, and what it repeats.

    target/python/bin/python tests/clients/anthropic_failures.py http://127.0.0.1:4000 MODEL

It needs a provider that fails on certain phrases, in the ways that `tests/tests/sdk.rs` scripts: one deployment, nothing
to fail over to. After each failure the same client is served again.
"""

from anthropic import (
    Anthropic,
    APIError,
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    InternalServerError,
    NotFoundError,
    RateLimitError,
)

from check import arguments, holds, raises, run

URL, MODEL = arguments()
client = Anthropic(base_url=URL, api_key="anything")


def ask(phrase, on=client, **options):
    options = {"model": MODEL, "max_tokens": 500, "messages": [{"role": "user", "content": phrase}], **options}
    return on.messages.create(**options)


def works_again():
    assert "lighthouse" in ask("Say the word lighthouse").content[0].text


def first_try(error):
    """The SDK did not repeat the request."""
    return error.response.request.headers["x-stainless-retry-count"] == "0"


def said(error, kind):
    """The error is in Anthropic's shape, and of this type."""
    return error.body["type"] == "error" and error.body["error"]["type"] == kind


@holds
def an_unknown_model_is_not_found_and_the_error_says_what_is():
    error = raises(NotFoundError, lambda: ask("Hello", model="no-such-model"))
    assert error.status_code == 404 and said(error, "not_found_error") and first_try(error), error
    assert MODEL in error.message and error.request_id, error


@holds
def a_wrong_key_of_ours_is_refused():
    stranger = Anthropic(base_url=URL, api_key="sk-pf-0123456789abcdef")
    error = raises(AuthenticationError, lambda: ask("Hello", on=stranger))
    assert error.status_code == 401 and said(error, "authentication_error") and first_try(error), error


@holds
def a_request_that_is_wrong_is_the_applications_own_fault():
    for messages in ([], [{"role": "narrator", "content": "Hello"}]):
        error = raises(BadRequestError, lambda: ask("", messages=messages))
        assert said(error, "invalid_request_error") and first_try(error), error
        assert "messages" in str(error.body), error
    works_again()


@holds
def a_prompt_that_is_too_long_is_told_from_other_mistakes():
    error = raises(BadRequestError, lambda: ask("too long for it"))
    assert said(error, "invalid_request_error") and first_try(error), error
    works_again()


@holds
def a_short_limit_is_waited_out_before_the_application_sees_it():
    answer = client.messages.with_raw_response.create(
        model=MODEL, max_tokens=500, messages=[{"role": "user", "content": "limited for a moment"}]
    )
    assert answer.parse().stop_reason == "end_turn"
    assert answer.retries_taken == 0 and answer.headers["x-pilotfish-attempts"] == "2", answer.headers


@holds
def a_failure_that_was_repeated_already_is_not_repeated_by_the_sdk():
    error = raises(InternalServerError, lambda: ask("broken both times"))
    assert said(error, "api_error") and first_try(error), error
    assert error.response.headers["x-should-retry"] == "false", error.response.headers
    assert error.response.headers["x-pilotfish-attempts"] == "2", error.response.headers
    works_again()


@holds
def what_the_sdk_repeats_is_not_repeated_once_more():
    repeats = {"x-stainless-retry-count": "1"}
    error = raises(InternalServerError, lambda: ask("broken once", extra_headers=repeats))
    assert error.response.headers["x-pilotfish-attempts"] == "1", error.response.headers
    works_again()


@holds
def a_stream_that_breaks_off_never_looks_complete():
    for phrase in ("resets in the middle", "closes in the middle", "fails in the middle"):
        seen = []
        error = raises(APIError, lambda: seen.extend(ask(phrase, stream=True)))
        kinds = [event.type for event in seen]
        assert "content_block_delta" in kinds and "message_stop" not in kinds, (phrase, seen)
        assert error.body["type"] == "error" and error.message, (phrase, error)
        works_again()


@holds
def a_failure_before_the_first_word_is_not_in_the_stream():
    error = raises(InternalServerError, lambda: ask("broken both times as a stream", stream=True))
    assert error.status_code == 502 and first_try(error), error
    works_again()


@holds
def a_model_that_never_answers_is_given_up():
    # The sidecar reads the SDK's timeout too: whoever is first.
    impatient = client.with_options(timeout=0.5, max_retries=0)
    raises((APITimeoutError, InternalServerError), lambda: ask("never answers", on=impatient))
    works_again()


@holds
def a_refusal_is_told():
    assert ask("please refuse").stop_reason == "refusal"
    reasons = [event.delta.stop_reason for event in ask("please refuse", stream=True) if event.type == "message_delta"]
    assert reasons == ["refusal"], reasons


@holds
def a_long_limit_reaches_the_application_at_once():
    for _ in range(2):
        error = raises(RateLimitError, lambda: ask("limited for an hour"))
        assert error.status_code == 429 and said(error, "rate_limit_error") and first_try(error), error
        assert 3500 < float(error.response.headers["retry-after"]) <= 3600, error.response.headers


run()
