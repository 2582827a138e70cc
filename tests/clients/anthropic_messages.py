"""Anthropic's SDK talks to a model: whole answers, streams, formats, pictures, a cached prompt.

    target/python/bin/python tests/clients/anthropic_messages.py http://127.0.0.1:4000 MODEL

Nothing here knows which provider answers.
"""

import asyncio

from anthropic import Anthropic, AsyncAnthropic
from pydantic import BaseModel

from check import arguments, holds, run
from picture import RED_SQUARE

URL, MODEL = arguments()
client = Anthropic(base_url=URL, api_key="anything")
pedant = Anthropic(base_url=URL, api_key="anything", _strict_response_validation=True)

QUESTION = [{"role": "user", "content": "Say the words lighthouse and harbour"}]


class Place(BaseModel):
    name: str
    rivers: list[str]


def request(messages=QUESTION, **options):
    return {"model": MODEL, "max_tokens": 500, "messages": messages, **options}


def ask(messages=QUESTION, **options):
    return client.messages.create(**request(messages, **options))


def stream(messages=QUESTION, **options):
    with client.messages.stream(**request(messages, **options)) as events:
        return events.get_final_message()


def text(message):
    return "".join(block.text for block in message.content if block.type == "text")


def read(usage):
    """All input tokens, cached or not."""
    return usage.input_tokens + (usage.cache_read_input_tokens or 0) + (usage.cache_creation_input_tokens or 0)


@holds
def an_answer_is_whole():
    message = ask()
    assert (message.type, message.role) == ("message", "assistant"), message
    assert [block.type for block in message.content] == ["text"], message
    assert "lighthouse" in text(message), message
    assert (message.stop_reason, message.stop_sequence) == ("end_turn", None), message
    assert message.id and message.model, message
    assert message._request_id, "the SDK finds no request-id"
    assert message.usage.input_tokens > 0 and message.usage.output_tokens > 0, message.usage


@holds
def a_stream_says_what_a_whole_answer_says():
    with client.messages.stream(**request()) as events:
        pieces = list(events.text_stream)
        message = events.get_final_message()
    whole = ask()
    assert len(pieces) > 2, pieces
    assert "".join(pieces) == text(message) == text(whole), pieces
    assert message.stop_reason == "end_turn", message
    assert read(message.usage) == read(whole.usage), message.usage
    assert message.usage.output_tokens == whole.usage.output_tokens, message.usage


@holds
def the_events_of_a_stream_are_in_order():
    events = [event for event in ask(stream=True) if event.type != "ping"]
    first, begin, *deltas, end, ending, last = events
    assert (first.type, begin.type, begin.index) == ("message_start", "content_block_start", 0), events
    assert {(delta.type, delta.index) for delta in deltas} == {("content_block_delta", 0)}, events
    assert (end.type, end.index) == ("content_block_stop", 0), events
    assert (ending.type, ending.delta.stop_reason) == ("message_delta", "end_turn"), events
    assert ending.usage.output_tokens > 0, ending
    assert last.type == "message_stop", events


@holds
def the_answers_are_exactly_of_the_types():
    pedant.messages.create(**request())
    assert list(pedant.messages.create(**request(stream=True)))
    assert pedant.models.retrieve(MODEL)


@holds
def instructions_and_earlier_turns_are_read():
    history = [
        {"role": "user", "content": "Who are you?"},
        {"role": "assistant", "content": "I keep the light."},
        {"role": "user", "content": [{"type": "text", "text": "Say the word harbour"}]},
    ]
    keeper = "You are the keeper of a lighthouse. Answer in one sentence."
    for system in (keeper, [{"type": "text", "text": keeper}]):
        message = ask(history, system=system)
        assert "harbour" in text(message), message
        assert message.usage.input_tokens > ask(history[-1:]).usage.input_tokens + 15, message
        answered = [*history, {"role": "assistant", "content": message.content}, *QUESTION]
        assert "lighthouse" in text(ask(answered, system=system))


@holds
def a_cap_ends_an_answer():
    for message in (ask(max_tokens=3), stream(max_tokens=3)):
        assert message.stop_reason == "max_tokens", message
        assert text(message), message


@holds
def a_stop_sequence_ends_an_answer_before_it():
    for message in (ask(stop_sequences=["harbour", "pier"]), stream(stop_sequences=["harbour", "pier"])):
        assert "lighthouse" in text(message) and "harbour" not in text(message), message
        # Not every provider says which one it met.
        assert (message.stop_reason, message.stop_sequence) in [("stop_sequence", "harbour"), ("end_turn", None)], message


@holds
def a_picture_is_looked_at():
    def about(*pictures):
        return [{"role": "user", "content": [*pictures, {"type": "text", "text": "What do you see?"}]}]

    picture = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": RED_SQUARE}}
    seen, unseen = ask(about(picture)), ask(about())
    assert seen.stop_reason == "end_turn", seen
    assert seen.usage.input_tokens > unseen.usage.input_tokens + 5, seen


@holds
def an_answer_is_parsed_into_a_type():
    messages = [{"role": "user", "content": "Describe Lyon"}]
    place = client.messages.parse(**request(messages), output_format=Place).parsed_output
    assert isinstance(place, Place) and place.name and place.rivers, place
    assert stream(messages, output_format=Place).parsed_output == place


@holds
def a_long_prompt_is_cached():
    handbook = "The lamp is lit at dusk and put out at dawn. " * 500
    system = [{"type": "text", "text": handbook, "cache_control": {"type": "ephemeral"}}]
    first, second = ask(system=system), ask(system=system)
    assert read(first.usage) == read(second.usage), (first.usage, second.usage)
    assert second.usage.cache_read_input_tokens > 1000, second.usage
    assert read(stream(system=system).usage) == read(first.usage)


@holds
def the_models_on_offer_are_listed():
    models = {model.id: model for model in client.models.list()}
    assert models[MODEL].type == "model" and models[MODEL].created_at, models
    assert client.models.retrieve(MODEL) == models[MODEL]


@holds
async def two_streams_at_once_stay_apart():
    async with AsyncAnthropic(base_url=URL, api_key="anything") as patient:

        async def said(word):
            messages = [{"role": "user", "content": f"Say the word {word}"}]
            async with patient.messages.stream(**request(messages)) as events:
                return await events.get_final_text()

        left, right = await asyncio.gather(said("port"), said("starboard"))
    assert "port" in left and "starboard" not in left, left
    assert "starboard" in right, right


@holds
def a_stream_can_be_left():
    with client.messages.stream(**request([{"role": "user", "content": "Tell me a long story"}])) as events:
        for piece in events.text_stream:
            if piece:
                break
    assert "lighthouse" in text(ask())


run()
