"""Anthropic's SDK talks to a model that thinks, and gives its thinking back within a tool loop.

    target/python/bin/python tests/clients/anthropic_reasoning.py http://127.0.0.1:4000 MODEL

Nothing here knows which provider answers.
"""

from anthropic import Anthropic

from check import arguments, holds, run

URL, MODEL = arguments()
client = Anthropic(base_url=URL, api_key="anything")

WEATHER = {
    "name": "get_weather",
    "description": "The weather in a city, now.",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
QUESTION = {"role": "user", "content": "What is the weather in Paris?"}
PRIVATE = {"role": "user", "content": "Please think in private: what is the weather in Paris?"}


def request(messages):
    thinking = {"type": "enabled", "budget_tokens": 2000}
    return {"model": MODEL, "max_tokens": 8000, "messages": messages, "tools": [WEATHER], "thinking": thinking}


def create(messages):
    return client.messages.create(**request(messages))


def stream(messages):
    with client.messages.stream(**request(messages)) as events:
        pieces = "".join(event.thinking for event in events if event.type == "thinking")
        message = events.get_final_message()
    assert pieces == "".join(block.thinking for block in message.content if block.type == "thinking"), message
    return message


def kinds(message):
    return [block.type for block in message.content]


def loop(say, question, shown):
    """A whole loop, and another one on top of it; what is shown comes first."""
    conversation = [question]
    for _ in range(2):
        asked = say(conversation)
        assert asked.stop_reason == "tool_use", asked
        assert not shown or kinds(asked)[0] == "thinking", asked
        [call] = [block for block in asked.content if block.type == "tool_use"]
        result = {"type": "tool_result", "tool_use_id": call.id, "content": "18 degrees and rain"}
        conversation += [
            {"role": "assistant", "content": asked.content},
            {"role": "user", "content": [result]},
        ]
        answered = say(conversation)
        assert answered.stop_reason == "end_turn", answered
        assert not shown or kinds(answered)[0] == "thinking", answered
        assert "18 degrees" in answered.content[-1].text, answered
        conversation += [{"role": "assistant", "content": answered.content}, question]


@holds
def thinking_comes_back_within_a_tool_loop():
    loop(create, QUESTION, shown=True)


@holds
def streamed_thinking_comes_back_within_a_tool_loop():
    loop(stream, QUESTION, shown=True)


@holds
def thinking_that_is_not_shown_comes_back_too():
    loop(create, PRIVATE, shown=False)
    loop(stream, PRIVATE, shown=False)


@holds
def what_is_shown_is_the_same_streamed_or_not():
    whole, streamed = create([QUESTION]), stream([QUESTION])
    assert whole.content[0].thinking == streamed.content[0].thinking, streamed
    assert kinds(whole) == kinds(streamed), streamed


run()
