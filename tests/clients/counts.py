"""Anthropic's and Google's SDKs have tokens counted.

    target/python/bin/python tests/clients/counts.py http://127.0.0.1:4000 MODEL…

Nothing here knows which provider answers, and not all of them count.
"""

import anthropic
from google import genai
from google.genai import errors, types

from check import holds, run, sidecar

claude = anthropic.Anthropic(base_url=sidecar(), api_key="anything")
google = genai.Client(api_key="anything", http_options=types.HttpOptions(base_url=sidecar()))

SHORT, LONG = "How is the harbour?", "How is the harbour? " * 40
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


def by_claude(model, text, **options):
    messages = [{"role": "user", "content": text}]
    return claude.messages.count_tokens(model=model, messages=messages, **options).input_tokens


def by_google(model, text):
    return google.models.count_tokens(model=model, contents=text).total_tokens


def counts(count, *refusals):
    """The count, or `None` where nobody counts, and it is said."""
    try:
        return count()
    except refusals as error:
        assert "counts no tokens" in str(error), error
        assert getattr(error, "status_code", getattr(error, "code", None)) == 400, error
        return None


@holds
def more_is_counted_as_more_or_nothing_is_counted(model):
    for by, refusal in ((by_claude, anthropic.BadRequestError), (by_google, errors.ClientError)):
        short, long = (counts(lambda: by(model, text), refusal) for text in (SHORT, LONG))
        assert (short is None) == (long is None), (short, long)
        assert short is None or 0 < short < long, (short, long)


@holds
def instructions_and_tools_count(model):
    bare = counts(lambda: by_claude(model, SHORT), anthropic.BadRequestError)
    if bare is None:
        return
    tool = {"name": "get_weather", "description": "The weather in a city, now.", "input_schema": SCHEMA}
    assert by_claude(model, SHORT, system="You keep a lighthouse.") > bare
    assert by_claude(model, SHORT, tools=[tool]) > bare


@holds
async def the_asynchronous_clients_count_the_same(model):
    asynchronous = anthropic.AsyncAnthropic(base_url=sidecar(), api_key="anything")
    messages = [{"role": "user", "content": SHORT}]
    expected = counts(lambda: by_claude(model, SHORT), anthropic.BadRequestError)
    if expected is not None:
        assert (await asynchronous.messages.count_tokens(model=model, messages=messages)).input_tokens == expected
        counted = await google.aio.models.count_tokens(model=model, contents=SHORT)
        assert counted.total_tokens == by_google(model, SHORT), counted


run()
