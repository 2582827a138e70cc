"""OpenAI's SDK talks to a model that thinks, and gives its reasoning back within a tool loop.

    target/python/bin/python tests/clients/openai_reasoning.py http://127.0.0.1:4000/v1 MODEL

Nothing here knows which provider answers, nor looks at what form its reasoning has: the application appends the
messages that it got.
"""

from openai import OpenAI

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
QUESTION = {"role": "user", "content": "What is the weather in Paris?"}
PRIVATE = {"role": "user", "content": "Please think in private: what is the weather in Paris?"}


def request(messages):
    options = {"reasoning_effort": "low", "max_completion_tokens": 8000}
    return {"model": MODEL, "messages": messages, "tools": [WEATHER], **options}


def create(messages):
    return client.chat.completions.create(**request(messages))


def stream(messages):
    with client.chat.completions.stream(**request(messages), stream_options={"include_usage": True}) as events:
        return events.get_final_completion()


def thought(completion):
    usage = completion.usage
    assert 0 < usage.completion_tokens_details.reasoning_tokens <= usage.completion_tokens, usage
    return completion.choices[0]


def loop(say, question):
    conversation = [question]
    for _ in range(2):
        asked = thought(say(conversation))
        [call] = asked.message.tool_calls
        assert asked.finish_reason == "tool_calls", asked
        result = {"role": "tool", "tool_call_id": call.id, "content": "18 degrees and rain"}
        # What the SDK itself adds to a streamed message is null here and stays out.
        conversation += [asked.message.model_dump(exclude_none=True), result]
        answered = thought(say(conversation))
        assert answered.finish_reason == "stop", answered
        assert "18 degrees" in answered.message.content, answered
        conversation += [answered.message.model_dump(exclude_none=True), question]


@holds
def reasoning_comes_back_within_a_tool_loop():
    loop(create, QUESTION)


@holds
def streamed_reasoning_comes_back_within_a_tool_loop():
    loop(stream, QUESTION)


@holds
def reasoning_that_is_not_shown_comes_back_too():
    loop(create, PRIVATE)
    loop(stream, PRIVATE)


@holds
def what_is_shown_is_the_same_streamed_or_not():
    whole, streamed = thought(create([QUESTION])).message, thought(stream([QUESTION])).message
    assert getattr(whole, "reasoning_content", None) == getattr(streamed, "reasoning_content", None), streamed


run()
