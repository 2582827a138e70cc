"""OpenAI's SDK speaks Responses to a model that reasons, and gives the reasoning back with the results of a tool.

    target/python/bin/python tests/clients/openai_responses_reasoning.py http://127.0.0.1:4000/v1 MODEL
"""

import json

from openai import OpenAI

from check import arguments, holds, run

URL, MODEL = arguments()
client = OpenAI(base_url=URL, api_key="anything")

WEATHER = {
    "type": "function",
    "name": "get_weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    "strict": False,
}
QUESTION = [{"role": "user", "content": "What is the weather in Paris?"}]
OPTIONS = {
    "model": MODEL,
    "store": False,
    "tools": [WEATHER],
    "reasoning": {"effort": "low", "summary": "auto"},
    "include": ["reasoning.encrypted_content"],
}


def create(input):
    return client.responses.create(input=input, **OPTIONS)


def stream(input):
    with client.responses.stream(input=input, **OPTIONS) as events:
        seen = list(events)
        final = events.get_final_response()
    told = "".join(event.delta for event in seen if event.type == "response.reasoning_summary_text.delta")
    shown = "".join(part.text for item in final.output if item.type == "reasoning" for part in item.summary)
    assert told == shown, (told, final)
    return final


def loop(say):
    response = say(QUESTION)
    kinds = [item.type for item in response.output]
    assert kinds[0] == "reasoning" and "function_call" in kinds, response
    assert response.output[0].summary[0].text, response
    [call] = [item for item in response.output if item.type == "function_call"]
    assert json.loads(call.arguments) == {"city": "Paris"}, call
    echoed = [item.model_dump(exclude_none=True) for item in response.output]
    for item in echoed:
        item.pop("parsed_arguments", None)
    result = {"type": "function_call_output", "call_id": call.call_id, "output": "18 degrees and rain"}
    answer = say([*QUESTION, *echoed, result])
    assert "18 degrees and rain" in answer.output_text, answer


@holds
def reasoning_is_shown_and_given_back():
    loop(create)


@holds
def streamed_reasoning_is_shown_and_given_back():
    loop(stream)


run()
