"""OpenAI's SDK talks to a model: whole answers, streams, formats, pictures.

    target/python/bin/python tests/clients/openai_chat.py http://127.0.0.1:4000/v1 MODEL

Nothing here knows which provider answers.
"""

import asyncio

from openai import AsyncOpenAI, OpenAI
from pydantic import BaseModel

from check import arguments, holds, run
from picture import RED_SQUARE

URL, MODEL = arguments()
client = OpenAI(base_url=URL, api_key="anything")
pedant = OpenAI(base_url=URL, api_key="anything", _strict_response_validation=True)

QUESTION = [{"role": "user", "content": "Say the words lighthouse and harbour"}]


class Place(BaseModel):
    name: str
    rivers: list[str]


def ask(messages=QUESTION, **options):
    return client.chat.completions.create(model=MODEL, messages=messages, **options)


def adds_up(usage):
    assert usage.prompt_tokens > 0, usage
    assert usage.completion_tokens > 0, usage
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens, usage


@holds
def an_answer_is_whole():
    completion = ask()
    [choice] = completion.choices
    assert choice.message.role == "assistant", choice
    assert "lighthouse" in choice.message.content, choice
    assert choice.message.tool_calls is None, choice
    assert choice.message.refusal is None, choice
    assert choice.finish_reason == "stop", choice
    assert completion.object == "chat.completion", completion
    assert completion.model, completion
    assert completion._request_id, "the SDK finds no x-request-id"
    adds_up(completion.usage)


@holds
def a_stream_says_what_a_whole_answer_says():
    chunks = list(ask(stream=True))
    pieces = [chunk.choices[0].delta.content or "" for chunk in chunks]
    assert len([piece for piece in pieces if piece]) > 2, pieces
    assert "".join(pieces) == ask().choices[0].message.content, pieces
    assert chunks[0].choices[0].delta.role == "assistant", chunks[0]
    reasons = [chunk.choices[0].finish_reason for chunk in chunks]
    assert reasons == [None] * (len(chunks) - 1) + ["stop"], reasons
    assert len({(chunk.id, chunk.created, chunk.model) for chunk in chunks}) == 1, chunks


@holds
def a_stream_tells_its_usage_only_if_asked():
    silent = list(ask(stream=True))
    assert all(chunk.usage is None and len(chunk.choices) == 1 for chunk in silent), silent
    *chunks, last = ask(stream=True, stream_options={"include_usage": True})
    assert all(chunk.usage is None and len(chunk.choices) == 1 for chunk in chunks), chunks
    assert last.choices == [], last
    adds_up(last.usage)
    assert last.usage.total_tokens == ask().usage.total_tokens, last


@holds
def the_answers_are_exactly_of_the_types():
    pedant.chat.completions.create(model=MODEL, messages=QUESTION)
    options = {"stream": True, "stream_options": {"include_usage": True}}
    assert list(pedant.chat.completions.create(model=MODEL, messages=QUESTION, **options))


@holds
def instructions_and_earlier_turns_are_read():
    history = [
        {"role": "system", "content": "You are the keeper of a lighthouse."},
        {"role": "developer", "content": "Answer in one sentence."},
        {"role": "user", "content": "Who are you?"},
        {"role": "assistant", "content": "I keep the light."},
        {"role": "user", "content": [{"type": "text", "text": "Say the word harbour"}]},
    ]
    completion = ask(history)
    assert "harbour" in completion.choices[0].message.content, completion
    assert completion.usage.prompt_tokens > ask(history[-1:]).usage.prompt_tokens + 15, completion
    answered = [*history, completion.choices[0].message, *QUESTION]
    assert "lighthouse" in ask(answered).choices[0].message.content


@holds
def a_cap_ends_an_answer():
    for cap in ({"max_completion_tokens": 3}, {"max_tokens": 3}):
        [choice] = ask(**cap).choices
        assert choice.finish_reason == "length", choice
        assert choice.message.content, choice
        *_, last = ask(stream=True, **cap)
        assert last.choices[0].finish_reason == "length", last


@holds
def a_stop_sequence_ends_an_answer_before_it():
    for stop in ("harbour", ["harbour", "pier"]):
        [choice] = ask(stop=stop).choices
        assert choice.finish_reason == "stop", choice
        assert "harbour" not in choice.message.content, choice
        pieces = [chunk.choices[0].delta.content or "" for chunk in ask(stop=stop, stream=True)]
        assert "".join(pieces) == choice.message.content, pieces


@holds
def a_picture_is_looked_at():
    def about(*pictures):
        return [{"role": "user", "content": [{"type": "text", "text": "What do you see?"}, *pictures]}]

    picture = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{RED_SQUARE}", "detail": "low"}}
    seen, unseen = ask(about(picture)), ask(about())
    assert seen.choices[0].finish_reason == "stop", seen
    assert seen.usage.prompt_tokens > unseen.usage.prompt_tokens + 50, seen


@holds
def an_answer_is_parsed_into_a_type():
    messages = [{"role": "user", "content": "Describe Lyon"}]
    completion = client.chat.completions.parse(model=MODEL, messages=messages, response_format=Place)
    place = completion.choices[0].message.parsed
    assert isinstance(place, Place) and place.name and place.rivers, completion
    with client.chat.completions.stream(model=MODEL, messages=messages, response_format=Place) as stream:
        events = [event.type for event in stream]
        assert stream.get_final_completion().choices[0].message.parsed == place, events
    assert {"content.delta", "content.done"} <= set(events), events


@holds
def the_models_on_offer_are_listed():
    models = {model.id: model for model in client.models.list()}
    assert models[MODEL].object == "model", models
    assert client.models.retrieve(MODEL) == models[MODEL]


@holds
async def two_streams_at_once_stay_apart():
    async with AsyncOpenAI(base_url=URL, api_key="anything") as patient:

        async def said(word):
            messages = [{"role": "user", "content": f"Say the word {word}"}]
            stream = await patient.chat.completions.create(model=MODEL, messages=messages, stream=True)
            return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])

        left, right = await asyncio.gather(said("port"), said("starboard"))
    assert "port" in left and "starboard" not in left, left
    assert "starboard" in right, right


@holds
def a_stream_can_be_left():
    with ask([{"role": "user", "content": "Tell me a long story"}], stream=True) as stream:
        for chunk in stream:
            if chunk.choices[0].delta.content:
                break
    assert "lighthouse" in ask().choices[0].message.content


run()
