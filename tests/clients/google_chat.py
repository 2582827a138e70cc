"""Google's SDK talks to a model: whole answers, streams, formats, pictures, the list of models.

    target/python/bin/python tests/clients/google_chat.py http://127.0.0.1:4000 MODEL

Nothing here knows which provider answers.
"""

import base64

from google import genai
from google.genai import errors, types
from pydantic import BaseModel

from check import arguments, holds, raises, run
from picture import RED_SQUARE

URL, MODEL = arguments()
client = genai.Client(api_key="anything", http_options=types.HttpOptions(base_url=URL))

QUESTION = "Say the words lighthouse and harbour"


class Place(BaseModel):
    name: str
    rivers: list[str]


def ask(contents=QUESTION, **config):
    return client.models.generate_content(
        model=MODEL, contents=contents, config=types.GenerateContentConfig(**config)
    )


def stream(contents=QUESTION, **config):
    return client.models.generate_content_stream(
        model=MODEL, contents=contents, config=types.GenerateContentConfig(**config)
    )


def adds_up(usage):
    parts = [usage.prompt_token_count, usage.candidates_token_count, usage.thoughts_token_count]
    assert usage.prompt_token_count > 0, usage
    assert usage.total_token_count == sum(part or 0 for part in parts), usage


@holds
def an_answer_is_whole():
    answer = ask()
    assert "lighthouse" in answer.text, answer
    assert answer.candidates[0].finish_reason == types.FinishReason.STOP, answer
    assert answer.model_version and answer.response_id, answer
    adds_up(answer.usage_metadata)


@holds
def a_stream_says_what_a_whole_answer_says():
    chunks = list(stream())
    assert len(chunks) > 2, chunks
    assert "".join(chunk.text or "" for chunk in chunks) == ask().text, chunks
    assert chunks[-1].candidates[0].finish_reason == types.FinishReason.STOP, chunks[-1]
    assert len({(chunk.response_id, chunk.model_version) for chunk in chunks}) == 1, chunks
    adds_up(chunks[-1].usage_metadata)


@holds
def instructions_and_earlier_turns_are_read():
    chat = client.chats.create(model=MODEL, config={"system_instruction": "You are the keeper of a lighthouse."})
    first = chat.send_message("Say the word pier")
    assert "pier" in first.text, first
    second = chat.send_message(QUESTION)
    assert "harbour" in second.text, second
    assert second.usage_metadata.prompt_token_count > first.usage_metadata.prompt_token_count, second
    pieces = [chunk.text or "" for chunk in chat.send_message_stream("Say the word quay")]
    assert "quay" in "".join(pieces), pieces


@holds
def a_cap_ends_an_answer():
    for answer in (ask(max_output_tokens=3), list(stream(max_output_tokens=3))[-1]):
        assert answer.candidates[0].finish_reason == types.FinishReason.MAX_TOKENS, answer


@holds
def a_stop_sequence_ends_an_answer_before_it():
    answer = ask(stop_sequences=["harbour"])
    assert "lighthouse" in answer.text and "harbour" not in answer.text, answer


@holds
def a_picture_is_looked_at():
    picture = types.Part.from_bytes(data=base64.b64decode(RED_SQUARE), mime_type="image/png")
    seen, unseen = ask(["What do you see?", picture]), ask(["What do you see?"])
    counts = [answer.usage_metadata.prompt_token_count for answer in (seen, unseen)]
    assert counts[0] > counts[1] + 50, counts


@holds
def an_answer_is_parsed_into_a_type():
    answer = ask("Describe Lyon", response_mime_type="application/json", response_schema=Place)
    assert isinstance(answer.parsed, Place) and answer.parsed.name and answer.parsed.rivers, answer


@holds
def the_models_on_offer_are_listed():
    assert f"models/{MODEL}" in [model.name for model in client.models.list()]
    assert client.models.get(model=MODEL).name == f"models/{MODEL}"


@holds
def tokens_are_counted_by_who_can_and_guessed_by_nobody():
    try:
        counted = client.models.count_tokens(model=MODEL, contents=QUESTION)
    except errors.ClientError as error:
        assert error.code == 400 and "counts no tokens" in error.message, error
    else:
        assert counted.total_tokens > 0, counted


@holds
def what_is_not_served_is_said():
    error = raises(errors.ClientError, lambda: client.models.generate_content(model="nobody", contents="?"))
    assert error.code == 404 and error.status == "NOT_FOUND" and MODEL in error.message, error


@holds
def a_stream_that_breaks_off_raises():
    # What breaks is the caller's: the first time a script breaks it, afterwards nobody does.
    said = []

    def read():
        for chunk in stream("This one closes in the middle, word by word by word"):
            said.append(chunk.text)

    error = raises(errors.APIError, read)
    assert said and error.code >= 500, (said, error)


@holds
def a_stream_can_be_left():
    for chunk in stream("Tell me a long story"):
        if chunk.text:
            break
    assert "lighthouse" in ask().text


run()
