"""LiteLLM as a client: its routes for OpenAI (Chat Completions and Responses), Anthropic and Google, with another base URL.

    target/litellm/bin/python tests/clients/litellm_client.py http://127.0.0.1:4000 MODEL…

Nothing here knows which provider answers.
"""

import asyncio
import json
import os

# What it would otherwise fetch from the network when it is imported.
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"

import litellm

from check import holds, raises, run, sidecar
from weather import ONE, REPORTS, SAY, TWO

URL = sidecar()
litellm.telemetry = False
litellm.suppress_debug_info = True
litellm.drop_params = True
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city, now.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


def routes(model):
    """The name by which LiteLLM chooses a route, and where it leads."""
    return [
        {"model": f"openai/{model}", "api_base": f"{URL}/v1"},
        {"model": f"anthropic/{model}", "api_base": URL},
        {"model": f"gemini/{model}", "api_base": f"{URL}/v1beta"},
    ]


def user(text):
    return [{"role": "user", "content": text}]


def complete(route, messages, **options):
    options = {"max_completion_tokens": 8000, "num_retries": 0, "api_key": "anything", **route, **options}
    return litellm.completion(messages=messages, **options)


def stream(route, messages, **options):
    """The answer that LiteLLM puts together of a stream's pieces."""
    chunks = list(complete(route, messages, stream=True, stream_options={"include_usage": True}, **options))
    return litellm.stream_chunk_builder(chunks, messages=messages)


def echo(message):
    """What goes back; OpenAI refuses the field of LiteLLM's own."""
    return message.model_dump(exclude_none=True, exclude={"provider_specific_fields"})


def loop(route, say, question, cities, **options):
    conversation = user(question)
    for _ in range(2):
        asked = say(route, conversation, tools=[WEATHER], **options).choices[0].message
        assert [json.loads(call.function.arguments)["city"] for call in asked.tool_calls] == cities, asked
        results = [
            {
                "role": "tool",
                "tool_call_id": call.id,
                "content": REPORTS[json.loads(call.function.arguments)["city"]],
            }
            for call in asked.tool_calls
        ]
        conversation += [echo(asked), *results]
        answered = say(route, conversation, tools=[WEATHER], **options).choices[0].message
        assert all(REPORTS[city] in answered.content for city in cities), answered
        conversation += [echo(answered), *user(question)]


@holds
def a_stream_says_what_a_whole_answer_says(model):
    for route in routes(model):
        whole, streamed = complete(route, user(SAY)), stream(route, user(SAY))
        text = whole.choices[0].message.content
        assert "lighthouse" in text and streamed.choices[0].message.content == text, (whole, streamed)
        for usage in (whole.usage, streamed.usage):
            assert usage.prompt_tokens > 0 and usage.completion_tokens > 0, usage


@holds
def tools_are_called(model):
    for route in routes(model):
        for say in (complete, stream):
            loop(route, say, TWO, ["Paris", "Oslo"])


@holds
def a_model_that_thinks_calls_tools(model):
    for route in routes(model):
        for say in (complete, stream):
            loop(route, say, ONE, ["Paris"], reasoning_effort="low")


@holds
def responses_are_spoken(model):
    route = {"model": f"openai/{model}", "api_base": f"{URL}/v1", "api_key": "anything"}
    answer = litellm.responses(input=SAY, store=False, **route)
    assert "harbour" in answer.output[-1].content[0].text, answer


@holds
async def answers_come_while_others_are_awaited(model):
    [route, *_] = routes(model)
    words = ["port", "starboard"]
    said = [litellm.acompletion(messages=user(f"Say the word {word}"), api_key="anything", **route) for word in words]
    for word, answer in zip(words, await asyncio.gather(*said)):
        assert word in answer.choices[0].message.content, answer


@holds
def an_error_is_the_librarys_own():
    for route in routes("nobody"):
        raises(litellm.NotFoundError, lambda: complete(route, user("?")))


# Its own types warn of each other.
run(except_for=".*ReadOnly.*")
