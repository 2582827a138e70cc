"""LangChain talks to models with each of its classes for OpenAI and Anthropic: answers, streams, types, tools, reasoning.

    target/langchain/bin/python tests/clients/langchain_chat.py http://127.0.0.1:4000 MODEL…

Nothing here knows which provider answers. What the model says goes back as LangChain made it, which is without whatever
it does not know.
"""

from langchain_anthropic import ChatAnthropic
from langchain_core.messages import HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from pydantic import BaseModel

from check import holds, run, sidecar
from weather import ONE, REPORTS, SAY, TWO

URL = sidecar()
OPENAI = {"base_url": f"{URL}/v1", "api_key": "anything", "max_retries": 0}
THINKING = {"type": "enabled", "budget_tokens": 2000}


class Place(BaseModel):
    """A place."""

    name: str
    rivers: list[str]


@tool
def get_weather(city: str) -> str:
    """The weather in a city, now."""
    return REPORTS[city]


def chat(model, **options):
    return ChatOpenAI(model=model, stream_usage=True, **OPENAI, **options)


def responses(model, **options):
    return ChatOpenAI(model=model, use_responses_api=True, store=False, **OPENAI, **options)


def anthropic(model, **options):
    return ChatAnthropic(model=model, base_url=URL, api_key="anything", max_retries=0, **{"max_tokens": 8000, **options})


def each(model):
    return [chat(model), responses(model), anthropic(model)]


def joined(chunks):
    """One message of a stream's pieces, as LangChain adds them."""
    whole = None
    for chunk in chunks:
        whole = chunk if whole is None else whole + chunk
    return whole


def whole(llm, messages):
    return llm.invoke(messages)


def streamed(llm, messages):
    return joined(llm.stream(messages))


def loop(llm, say, question, cities):
    """A whole loop, and another one on top of it."""
    llm = llm.bind_tools([get_weather])
    conversation = [HumanMessage(question)]
    for _ in range(2):
        asked = say(llm, conversation)
        assert [call["args"]["city"] for call in asked.tool_calls] == cities, asked
        results = [ToolMessage(REPORTS[call["args"]["city"]], tool_call_id=call["id"]) for call in asked.tool_calls]
        answered = say(llm, [*conversation, asked, *results])
        assert not answered.tool_calls, answered
        assert all(REPORTS[city] in answered.text for city in cities), answered
        conversation += [asked, *results, answered, HumanMessage(question)]


@holds
def a_stream_says_what_a_whole_answer_says(model):
    for llm in each(model):
        answer, stream = whole(llm, SAY), streamed(llm, SAY)
        assert "lighthouse" in answer.text and stream.text == answer.text, (answer, stream)
        for told in (answer.usage_metadata, stream.usage_metadata):
            assert told["input_tokens"] > 0 and told["output_tokens"] > 0, (llm, told)
            assert told["total_tokens"] == told["input_tokens"] + told["output_tokens"], told


@holds
def instructions_and_earlier_turns_are_read(model):
    for llm in each(model):
        conversation = [SystemMessage("You are the keeper of a lighthouse."), HumanMessage("Say the word pier")]
        conversation += [whole(llm, conversation), HumanMessage("Say the word quay")]
        assert "quay" in whole(llm, conversation).text


@holds
async def answers_come_while_others_are_awaited(model):
    for llm in each(model):
        told = [message.text for message in await llm.abatch(["Say the word port", "Say the word starboard"])]
        assert "port" in told[0] and "starboard" in told[1], told
        pieces = [chunk.text async for chunk in llm.astream(SAY)]
        assert "harbour" in "".join(pieces) and len(pieces) > 2, pieces


@holds
def an_answer_is_parsed_into_a_type(model):
    for llm in each(model):
        place = llm.with_structured_output(Place).invoke("Describe Lyon")
        assert isinstance(place, Place) and place.name and place.rivers, (llm, place)


@holds
def tools_are_called(model):
    for llm in each(model):
        for say in (whole, streamed):
            loop(llm, say, ONE, ["Paris"])
            loop(llm, say, TWO, ["Paris", "Oslo"])


@holds
def a_model_that_thinks_calls_tools(model):
    for llm in (
        chat(model, reasoning_effort="low"),
        responses(model, reasoning={"effort": "low", "summary": "auto"}, include=["reasoning.encrypted_content"]),
        anthropic(model, thinking=THINKING),
    ):
        for say in (whole, streamed):
            loop(llm, say, ONE, ["Paris"])


run()
