"""Anthropic's SDK gives a model tools, runs what it calls, and gives it the results.

    target/python/bin/python tests/clients/anthropic_tools.py http://127.0.0.1:4000 MODEL

Nothing here knows which provider answers. What the model says goes back into the conversation exactly as the SDK made
it.
"""

from anthropic import Anthropic, beta_tool

from check import arguments, holds, run

URL, MODEL = arguments()
client = Anthropic(base_url=URL, api_key="anything")

WEATHER = {
    "name": "get_weather",
    "description": "The weather in a city, now.",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
ONE = {"role": "user", "content": "What is the weather in Paris?"}
TWO = {"role": "user", "content": "Ask in parallel: what is the weather in Paris and in Oslo?"}
REPORTS = {"Paris": "18 degrees and rain", "Oslo": "4 degrees and snow"}


def request(messages, **options):
    return {"model": MODEL, "max_tokens": 500, "messages": messages, "tools": [WEATHER], **options}


def create(messages, **options):
    return client.messages.create(**request(messages, **options))


def stream(messages, **options):
    with client.messages.stream(**request(messages, **options)) as events:
        snapshots = [event.snapshot for event in events if event.type == "input_json"]
        message = events.get_final_message()
    assert all(call.input in snapshots for call in calls(message)), snapshots
    return message


def calls(message):
    return [block for block in message.content if block.type == "tool_use"]


def text(message):
    return "".join(block.text for block in message.content if block.type == "text")


def results(message, reports=REPORTS, **options):
    """The results of all calls, the last first: their order is the application's business."""
    said = [(call.id, reports[call.input["city"]]) for call in calls(message)]
    blocks = [{"type": "tool_result", "tool_use_id": id, "content": text, **options} for id, text in reversed(said)]
    return {"role": "user", "content": blocks}


def called(message):
    """The cities that are asked about, in order."""
    assert message.stop_reason == "tool_use", message
    assert all(call.name == "get_weather" for call in calls(message)), message
    assert len({call.id for call in calls(message)}) == len(calls(message)), message
    return [call.input["city"] for call in calls(message)]


def loop(say, question, cities):
    """A whole loop, and another one on top of it."""
    conversation = [question]
    for _ in range(2):
        message = say(conversation)
        assert called(message) == cities, message
        conversation += [{"role": "assistant", "content": message.content}, results(message)]
        message = say(conversation)
        assert message.stop_reason == "end_turn", message
        assert all(REPORTS[city] in text(message) for city in cities), message
        conversation += [{"role": "assistant", "content": message.content}, question]


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
    message = create([ONE])
    failed = results(message, {"Paris": "the station does not answer"}, is_error=True)
    message = create([ONE, {"role": "assistant", "content": message.content}, failed])
    assert "the station does not answer" in text(message), message


@holds
def a_result_can_be_of_blocks_and_followed_by_a_question():
    message = create([ONE])
    answered = results(message, {"Paris": [{"type": "text", "text": "18 degrees"}, {"type": "text", "text": "and rain"}]})
    answered["content"].append({"type": "text", "text": "Say the word umbrella"})
    message = create([ONE, {"role": "assistant", "content": message.content}, answered])
    assert message.stop_reason == "end_turn" and text(message), message


@holds
def a_tool_is_forced_or_forbidden():
    smalltalk = [{"role": "user", "content": "Good morning"}]
    for choice in ({"type": "any"}, {"type": "tool", "name": "get_weather"}):
        assert [call.name for call in calls(create(smalltalk, tool_choice=choice))] == ["get_weather"]
    silent = create([ONE], tool_choice={"type": "none"})
    assert calls(silent) == [] and silent.stop_reason == "end_turn", silent


@holds
def calls_can_be_kept_apart():
    assert called(create([TWO], tool_choice={"type": "auto", "disable_parallel_tool_use": True})) == ["Paris"]


@holds
def the_runner_of_the_sdk_goes_on_to_the_end():
    asked = []

    @beta_tool
    def get_weather(city: str) -> str:
        """The weather in a city, now.

        Args:
            city: Where.
        """
        asked.append(city)
        return REPORTS[city]

    # By itself it has the provider hold the conversation, and goes on without that where nobody does.
    for streams in (False, True):
        options = {"model": MODEL, "max_tokens": 500, "messages": [TWO], "tools": [get_weather], "stream": streams}
        message = client.beta.messages.tool_runner(**options).until_done()
        assert all(report in text(message) for report in REPORTS.values()), message
    assert asked == ["Paris", "Oslo"] * 2, asked


run()
