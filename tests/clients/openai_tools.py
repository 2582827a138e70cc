"""OpenAI's SDK gives a model tools, runs what it calls, and gives it the results.

    target/python/bin/python tests/clients/openai_tools.py http://127.0.0.1:4000/v1 MODEL

Nothing here knows which provider answers. What the model says goes back into the conversation as the SDK hands it out,
with whatever else its provider put into it.
"""

import json

from openai import OpenAI, pydantic_function_tool
from pydantic import BaseModel

from check import arguments, holds, run

URL, MODEL = arguments()
client = OpenAI(base_url=URL, api_key="anything")

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city, now.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
ONE = [{"role": "user", "content": "What is the weather in Paris?"}]
TWO = [{"role": "user", "content": "Ask in parallel: what is the weather in Paris and in Oslo?"}]
REPORTS = {"Paris": "18 degrees and rain", "Oslo": "4 degrees and snow"}


class GetWeather(BaseModel):
    """The weather in a city, now."""

    city: str


def create(messages, **options):
    return client.chat.completions.create(model=MODEL, messages=messages, tools=[WEATHER], **options).choices[0]


def stream(messages, **options):
    with client.chat.completions.stream(model=MODEL, messages=messages, tools=[WEATHER], **options) as events:
        assert [event for event in events if event.type == "chunk"]
        return events.get_final_completion().choices[0]


def results(calls, reports=REPORTS):
    """A tool message for each call, the last first: their order is the application's business."""
    said = [(call.id, reports[json.loads(call.function.arguments)["city"]]) for call in calls]
    return [{"role": "tool", "tool_call_id": id, "content": text} for id, text in reversed(said)]


def echo(message):
    """What goes back; the SDK's own additions to a streamed message, which are null here, stay out."""
    return message.model_dump(exclude_none=True)


def called(choice):
    """The cities that are asked about, in order."""
    assert choice.finish_reason == "tool_calls", choice
    calls = choice.message.tool_calls
    assert all(call.type == "function" and call.function.name == "get_weather" for call in calls), calls
    assert len({call.id for call in calls}) == len(calls), calls
    return [json.loads(call.function.arguments)["city"] for call in calls]


def loop(say, question, cities):
    """A whole loop, and another one on top of it."""
    conversation = list(question)
    for _ in range(2):
        choice = say(conversation)
        assert called(choice) == cities, choice
        conversation += [echo(choice.message), *results(choice.message.tool_calls)]
        choice = say(conversation)
        assert choice.finish_reason == "stop", choice
        assert all(REPORTS[city] in choice.message.content for city in cities), choice
        conversation += [echo(choice.message), *question]


@holds
def one_call_is_answered():
    loop(create, ONE, ["Paris"])


@holds
def calls_in_parallel_are_answered_together():
    loop(create, TWO, ["Paris", "Oslo"])


@holds
def a_streamed_call_is_put_together():
    loop(stream, ONE, ["Paris"])


@holds
def streamed_calls_in_parallel_are_put_together():
    loop(stream, TWO, ["Paris", "Oslo"])


@holds
def a_tool_that_failed_says_so():
    choice = create(ONE)
    failed = results(choice.message.tool_calls, {"Paris": "error: the station does not answer"})
    choice = create([*ONE, choice.message, *failed])
    assert "the station does not answer" in choice.message.content, choice


@holds
def a_tool_is_forced_or_forbidden():
    smalltalk = [{"role": "user", "content": "Good morning"}]
    for choice in ("required", {"type": "function", "function": {"name": "get_weather"}}):
        message = create(smalltalk, tool_choice=choice).message
        assert [call.function.name for call in message.tool_calls] == ["get_weather"], message
    silent = create(ONE, tool_choice="none")
    assert silent.message.tool_calls is None and silent.finish_reason == "stop", silent


@holds
def calls_can_be_kept_apart():
    assert called(create(TWO, parallel_tool_calls=False)) == ["Paris"]


@holds
def arguments_are_parsed_into_a_type():
    tools = [pydantic_function_tool(GetWeather, name="get_weather")]
    parsed = client.chat.completions.parse(model=MODEL, messages=ONE, tools=tools)
    [call] = parsed.choices[0].message.tool_calls
    assert call.function.parsed_arguments == GetWeather(city="Paris"), call
    with client.chat.completions.stream(model=MODEL, messages=ONE, tools=tools) as events:
        kinds = [event.type for event in events]
        [call] = events.get_final_completion().choices[0].message.tool_calls
    assert "tool_calls.function.arguments.done" in kinds, kinds
    assert call.function.parsed_arguments == GetWeather(city="Paris"), call


run()
