"""Cohere's SDK before a Cohere, with nothing in between: chats whole and streamed, tools, embeddings, rankings.

    target/cohere/bin/python tests/clients/cohere_chat.py http://127.0.0.1:PORT MODEL

It judges the fake Cohere of the tests: every answer must be what the SDK's types say, and a stream must say what a whole
answer says.
"""

import json

import cohere

from check import arguments, holds, raises, run
from weather import ONE, REPORTS, SAY, TWO

URL, MODEL = arguments()
client = cohere.ClientV2(api_key="sk-up-upstream", base_url=URL)

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city, now.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


def user(text):
    return [{"role": "user", "content": text}]


def whole(messages, **options):
    answer = client.chat(model=MODEL, messages=messages, **options)
    known(answer)
    return answer


def known(value):
    """Nothing that the SDK's types do not name."""
    extra = getattr(value, "model_extra", None)
    assert not extra, (type(value).__name__, extra)
    for field in getattr(type(value), "model_fields", {}):
        inner = getattr(value, field)
        for item in inner if isinstance(inner, list) else [inner]:
            known(item)


def streamed(messages, **options):
    """The text, the plan, the calls, the reason and the cost that a stream's events make."""
    text, plan, calls, end, kinds = "", "", {}, None, []
    for event in client.chat_stream(model=MODEL, messages=messages, **options):
        # The API begins with an empty message, of which the types know the role alone.
        if event.type != "message-start":
            known(event)
        kinds.append(event.type)
        match event.type:
            case "content-delta":
                text += event.delta.message.content.text or ""
            case "tool-plan-delta":
                plan += event.delta.message.tool_plan
            case "tool-call-start":
                calls[event.index] = event.delta.message.tool_calls
            case "tool-call-delta":
                calls[event.index].function.arguments += event.delta.message.tool_calls.function.arguments
            case "message-end":
                end = event.delta
    assert kinds[0] == "message-start" and kinds[-1] == "message-end", kinds
    return text, plan, list(calls.values()), end


def arguments_of(calls):
    return [(call.function.name, json.loads(call.function.arguments)) for call in calls or []]


def same(messages, **options):
    answer = whole(messages, **options)
    text, plan, calls, end = streamed(messages, **options)
    message = answer.message
    said = "".join(part.text for part in message.content or [] if part.type == "text")
    assert (said, message.tool_plan or "") == (text, plan), (answer, text, plan)
    assert arguments_of(message.tool_calls) == arguments_of(calls), (answer, calls)
    assert (answer.finish_reason, answer.usage) == (end.finish_reason, end.usage), (answer, end)
    return answer


@holds
def a_stream_says_what_a_whole_answer_says():
    answer = same(user(SAY))
    assert "lighthouse" in answer.message.content[0].text and answer.finish_reason == "COMPLETE", answer
    assert answer.usage.tokens.input_tokens > 0 and answer.usage.billed_units.output_tokens > 0, answer


@holds
def a_cap_and_a_stop_sequence_end_an_answer():
    assert same(user(SAY), max_tokens=3).finish_reason == "MAX_TOKENS"
    assert same(user(SAY), stop_sequences=["harbour"]).finish_reason == "STOP_SEQUENCE"


@holds
def tools_are_called_and_answered():
    for text, cities in ((ONE, ["Paris"]), (TWO, ["Paris", "Oslo"])):
        asked = same(user(text), tools=[WEATHER])
        calls = asked.message.tool_calls
        assert asked.finish_reason == "TOOL_CALL", asked
        assert arguments_of(calls) == [("get_weather", {"city": city}) for city in cities], calls
        results = [
            {"role": "tool", "tool_call_id": call.id, "content": REPORTS[city]} for call, city in zip(calls, cities)
        ]
        answered = same([*user(text), asked.message, *results], tools=[WEATHER])
        assert all(REPORTS[city] in answered.message.content[0].text for city in cities), answered


@holds
def texts_are_embedded():
    options = {"input_type": "search_document", "embedding_types": ["float"], "output_dimension": 256}
    answer = client.embed(model=MODEL, texts=["one", "two"], **options)
    known(answer)
    one, two = answer.embeddings.float_
    assert len(one) == len(two) == 256 and one != two, answer
    assert answer.texts == ["one", "two"] and answer.meta.billed_units.input_tokens > 0, answer


@holds
def documents_are_ranked():
    documents = ["Paris is in France", "Oslo is the capital of Norway"]
    ranked = client.rerank(model=MODEL, query="capital of Norway", documents=documents)
    known(ranked)
    assert [result.index for result in ranked.results] == [1, 0], ranked


@holds
def a_refusal_is_the_sdk_s_own_error():
    for text, kind in (("limited for a moment", cohere.TooManyRequestsError), ("broken", cohere.InternalServerError)):
        error = raises(kind, lambda: client.chat(model=MODEL, messages=user(text), request_options={"max_retries": 0}))
        assert error.body["message"], error
    raises(cohere.NotFoundError, lambda: client.chat(model="nobody", messages=user(SAY)))


@holds
def a_failure_within_a_stream_ends_it_in_an_error():
    # The caller has the fake fail once.
    *_, end = streamed(user("This one fails in the middle, word by word by word"))
    assert end.finish_reason == "ERROR" and end.error, end


run()
