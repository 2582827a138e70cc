"""OpenAI's SDK, when something goes wrong: what it raises, and what it repeats.

    target/python/bin/python tests/clients/openai_failures.py http://127.0.0.1:4000/v1 MODEL

It needs a provider that fails on certain phrases, in the ways that `tests/tests/sdk.rs` scripts: one deployment, nothing
to fail over to. After each failure the same client is served again.
"""

from openai import (
    APIError,
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    InternalServerError,
    NotFoundError,
    OpenAI,
    RateLimitError,
)

from check import arguments, holds, raises, run

URL, MODEL = arguments()
client = OpenAI(base_url=URL, api_key="anything")


def ask(phrase, on=client, **options):
    options = {"model": MODEL, "messages": [{"role": "user", "content": phrase}], **options}
    return on.chat.completions.create(**options)


def works_again():
    assert "lighthouse" in ask("Say the word lighthouse").choices[0].message.content


def first_try(error):
    """The SDK did not repeat the request."""
    return error.response.request.headers["x-stainless-retry-count"] == "0"


@holds
def an_unknown_model_is_not_found_and_the_error_says_what_is():
    error = raises(NotFoundError, lambda: ask("Hello", model="no-such-model"))
    assert (error.status_code, error.code, error.param) == (404, "model_not_found", "model"), error
    assert MODEL in error.message and error.request_id and first_try(error), error


@holds
def a_wrong_key_of_ours_is_refused():
    stranger = OpenAI(base_url=URL, api_key="sk-pf-0123456789abcdef")
    error = raises(AuthenticationError, lambda: ask("Hello", on=stranger))
    assert (error.status_code, error.code) == (401, "invalid_api_key") and first_try(error), error


@holds
def a_request_that_is_wrong_is_the_applications_own_fault():
    for messages in ([], [{"role": "narrator", "content": "Hello"}]):
        error = raises(BadRequestError, lambda: ask("", messages=messages))
        assert error.type == "invalid_request_error" and first_try(error), error
        assert "messages" in str(error.body), error
    works_again()


@holds
def a_prompt_that_is_too_long_is_told_from_other_mistakes():
    error = raises(BadRequestError, lambda: ask("too long for it"))
    assert error.code == "context_length_exceeded" and first_try(error), error
    works_again()


@holds
def a_short_limit_is_waited_out_before_the_application_sees_it():
    answer = client.chat.completions.with_raw_response.create(
        model=MODEL, messages=[{"role": "user", "content": "limited for a moment"}]
    )
    assert answer.parse().choices[0].finish_reason == "stop"
    assert answer.retries_taken == 0 and answer.headers["x-pilotfish-attempts"] == "2", answer.headers


@holds
def a_failure_that_was_repeated_already_is_not_repeated_by_the_sdk():
    error = raises(InternalServerError, lambda: ask("broken both times"))
    assert error.response.headers["x-should-retry"] == "false" and first_try(error), error
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
        assert any(chunk.choices[0].delta.content for chunk in seen), (phrase, seen)
        assert all(chunk.choices[0].finish_reason is None for chunk in seen), (phrase, seen)
        assert error.message, (phrase, error)
        works_again()


@holds
def a_failure_before_the_first_word_is_not_in_the_stream():
    error = raises(InternalServerError, lambda: ask("broken both times as a stream", stream=True))
    assert error.status_code == 502 and first_try(error), error
    works_again()


@holds
def a_model_that_never_answers_is_given_up():
    impatient = client.with_options(timeout=0.5, max_retries=0)
    raises(APITimeoutError, lambda: ask("never answers", on=impatient))
    works_again()


@holds
def a_refusal_is_told():
    whole = ask("please refuse").choices[0]
    assert whole.finish_reason == "content_filter" or whole.message.refusal, whole
    streamed = [chunk.choices[0] for chunk in ask("please refuse", stream=True)]
    refusal = "".join(getattr(choice.delta, "refusal", None) or "" for choice in streamed)
    assert streamed[-1].finish_reason == whole.finish_reason, streamed
    assert refusal == (whole.message.refusal or ""), streamed


@holds
def a_long_limit_reaches_the_application_at_once():
    for _ in range(2):
        error = raises(RateLimitError, lambda: ask("limited for an hour"))
        assert error.status_code == 429 and first_try(error), error
        assert 3500 < float(error.response.headers["retry-after"]) <= 3600, error.response.headers


run()
