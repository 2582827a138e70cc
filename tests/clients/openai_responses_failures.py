"""OpenAI's SDK speaks Responses to a provider that fails, before its answer and in the middle of it.

    target/python/bin/python tests/clients/openai_responses_failures.py http://127.0.0.1:4000/v1 MODEL
"""

from openai import APIError, BadRequestError, OpenAI

from check import arguments, holds, raises, run

URL, MODEL = arguments()
client = OpenAI(base_url=URL, api_key="anything", max_retries=0)


def stream(text):
    """The events until the SDK raises."""
    seen = []
    try:
        for event in client.responses.create(model=MODEL, input=text, stream=True, store=False):
            seen.append(event)
    except APIError as error:
        return seen, error
    raise AssertionError(f"ended as if nothing had been wrong: {seen[-1]!r}")


@holds
def a_prompt_that_is_too_long_is_told_by_its_code():
    error = raises(
        BadRequestError, lambda: client.responses.create(model=MODEL, input="This is too long for it", store=False)
    )
    assert error.code == "context_length_exceeded", error


@holds
def what_breaks_once_is_asked_again():
    response = client.responses.create(model=MODEL, input="This is broken once, and then well", store=False)
    assert "and then well" in response.output_text, response


@holds
def a_stream_that_breaks_off_never_looks_complete():
    for text in ("It resets in the middle", "It closes in the middle", "It fails in the middle"):
        seen, error = stream(text)
        assert any(event.type == "response.output_text.delta" for event in seen), seen
        assert all(event.type not in ("response.completed", "response.incomplete") for event in seen), seen
        assert error.message, error


run()
