"""OpenAI's SDK speaks Responses: plain answers, streams, pictures, structured output, and a whole loop of tools.

    target/python/bin/python tests/clients/openai_responses.py http://127.0.0.1:4000/v1 MODEL

Nothing here knows which provider answers. What comes back goes into the next request as the SDK hands it out; nothing
is asked to be stored.
"""

import json

from openai import BadRequestError, NotFoundError, OpenAI
from pydantic import BaseModel

from check import arguments, holds, raises, run

URL, MODEL = arguments()
client = OpenAI(base_url=URL, api_key="anything")

WEATHER = {
    "type": "function",
    "name": "get_weather",
    "description": "The weather in a city, now.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    "strict": False,
}
ONE = [{"role": "user", "content": "What is the weather in Paris?"}]
TWO = [{"role": "user", "content": "Ask in parallel: what is the weather in Paris and in Oslo?"}]
REPORTS = {"Paris": "18 degrees and rain", "Oslo": "4 degrees and snow"}


class City(BaseModel):
    """A city."""

    name: str


def create(input, **options):
    return client.responses.create(model=MODEL, input=input, store=False, **options)


def stream(input, **options):
    """The final response of a stream, whose events must be those that its types promise."""
    with client.responses.stream(model=MODEL, input=input, store=False, **options) as events:
        seen = list(events)
        final = events.get_final_response()
    assert [event.sequence_number for event in seen] == list(range(len(seen))), seen
    assert seen[0].type == "response.created" and seen[-1].type == "response.completed", seen
    told = "".join(event.delta for event in seen if event.type == "response.output_text.delta")
    assert told == final.output_text, (told, final)
    return final


def echo(response):
    """What goes back. The SDK adds what it parsed, which no provider knows."""
    items = [item.model_dump(exclude_none=True) for item in response.output]
    for item in items:
        item.pop("parsed_arguments", None)
        for part in item.get("content", []):
            part.pop("parsed", None)
    return items


def loop(say, question, cities):
    """A whole loop, and another one on top of it."""
    conversation = list(question)
    for _ in range(2):
        response = say(conversation, tools=[WEATHER])
        calls = [item for item in response.output if item.type == "function_call"]
        assert [json.loads(call.arguments)["city"] for call in calls] == cities, response
        assert len({call.call_id for call in calls}) == len(calls), calls
        conversation += echo(response)
        conversation += [
            {
                "type": "function_call_output",
                "call_id": call.call_id,
                "output": REPORTS[json.loads(call.arguments)["city"]],
            }
            for call in reversed(calls)
        ]
        response = say(conversation, tools=[WEATHER])
        assert response.status == "completed", response
        assert all(REPORTS[city] in response.output_text for city in cities), response
        conversation += [*echo(response), *question]


@holds
def a_string_is_answered():
    response = create("Good morning", instructions="Be brief.", metadata={"a": "b"})
    assert response.status == "completed" and response.error is None, response
    assert "Good morning" in response.output_text, response
    assert response.instructions == "Be brief." and response.metadata == {"a": "b"}, response
    assert response.usage.total_tokens == response.usage.input_tokens + response.usage.output_tokens, response
    assert response.usage.input_tokens > 0 and response.usage.output_tokens > 0, response
    assert response.object == "response" and response.tools == [] and response.parallel_tool_calls, response


@holds
def a_stream_is_put_together():
    response = stream("Tell me of a red fox")
    assert "red fox" in response.output_text, response
    assert response.usage.output_tokens > 0, response


@holds
def raw_events_name_and_number_themselves():
    events = list(create("Count to three", stream=True))
    kinds = [event.type for event in events]
    assert kinds[:2] == ["response.created", "response.in_progress"], kinds
    for kind in ("output_item.added", "content_part.added", "output_text.done", "content_part.done", "output_item.done"):
        assert kinds.count(f"response.{kind}") == 1, kinds
    assert kinds[-1] == "response.completed", kinds


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
def a_tool_is_forced_or_forbidden():
    for choice in ("required", {"type": "function", "name": "get_weather"}):
        response = create("Good morning", tools=[WEATHER], tool_choice=choice)
        assert [item.name for item in response.output if item.type == "function_call"] == ["get_weather"], response
    silent = create(ONE, tools=[WEATHER], tool_choice="none")
    assert silent.output_text and all(item.type != "function_call" for item in silent.output), silent


@holds
def an_answer_is_parsed_into_a_type():
    response = client.responses.parse(model=MODEL, input="Name a city.", text_format=City, store=False)
    assert isinstance(response.output_parsed, City), response


@holds
def an_answer_that_is_cut_says_so():
    response = create("Tell me a story that is longer than sixteen tokens, about a fox and a crow.", max_output_tokens=16)
    assert response.status == "incomplete", response
    assert response.incomplete_details.reason == "max_output_tokens", response


@holds
def a_refusal_is_told():
    response = create("please refuse")
    said = [part.type for item in response.output for part in item.content]
    # Some models refuse in so many words, others in a part of its own.
    assert said and set(said) <= {"refusal", "output_text"}, response


@holds
def what_nobody_keeps_is_refused_by_name():
    error = raises(BadRequestError, lambda: create("Go on", previous_response_id="resp_0"))
    assert error.param == "previous_response_id" or "previous_response_id" in str(error), error
    error = raises(NotFoundError, lambda: client.responses.retrieve("resp_0"))
    assert "POST /v1/responses" in str(error), error


run()
