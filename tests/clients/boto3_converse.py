"""AWS's own SDK before a Bedrock, with nothing in between: it signs, and reads what comes, whole and event by event.

    target/boto3/bin/python tests/clients/boto3_converse.py http://127.0.0.1:PORT MODEL

It judges the fake Bedrock of the tests: a stream must say, in AWS's framing, what a whole answer says in JSON.
"""

import json

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, EventStreamError

from check import arguments, holds, raises, run
from weather import ONE, SAY, TWO

URL, MODEL = arguments()
client = boto3.client(
    "bedrock-runtime",
    region_name="us-east-1",
    endpoint_url=URL,
    # Those of AWS's own examples.
    aws_access_key_id="AKIDEXAMPLE",
    aws_secret_access_key="wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
    config=Config(retries={"total_max_attempts": 1}),
)

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER = {"toolSpec": {"name": "get_weather", "description": "The weather now.", "inputSchema": {"json": SCHEMA}}}
TOOLS = {"toolConfig": {"tools": [WEATHER]}}
THINKING = {
    "additionalModelRequestFields": {"thinking": {"type": "enabled", "budget_tokens": 2000}},
    "inferenceConfig": {"maxTokens": 8000},
}
# What a stream may consist of; the SDK knows each by its model of the service.
ORDER = ["messageStart", "contentBlockStart", "contentBlockDelta", "contentBlockStop", "messageStop", "metadata"]


def request(text, **options):
    return {"modelId": MODEL, "messages": [{"role": "user", "content": [{"text": text}]}], **options}


def events(text, **options):
    answer = client.converse_stream(**request(text, **options))
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200, answer
    return answer["stream"]


def named(stream):
    """Each event's name and what it holds."""
    for event in stream:
        assert len(event) == 1, event
        [(name, data)] = event.items()
        assert name in ORDER, name
        yield name, data


def folded(stream):
    """A whole answer, made of the events of a stream."""
    blocks, answer = {}, {}
    for name, data in named(stream):
        block = blocks.setdefault(data["contentBlockIndex"], {}) if "contentBlockIndex" in data else None
        match name:
            case "messageStart":
                answer["role"] = data["role"]
            case "contentBlockStart":
                block["toolUse"] = {**data["start"]["toolUse"], "input": ""}
            case "contentBlockDelta":
                add(block, data["delta"])
            case "contentBlockStop":
                if "toolUse" in block:
                    block["toolUse"]["input"] = json.loads(block["toolUse"]["input"])
            case "messageStop":
                answer["stopReason"] = data["stopReason"]
            case "metadata":
                answer["usage"] = data["usage"]
    return {**answer, "content": [blocks[index] for index in sorted(blocks)]}


def add(block, delta):
    for kind, piece in delta.items():
        if kind == "text":
            block["text"] = block.get("text", "") + piece
        elif kind == "toolUse":
            block["toolUse"]["input"] += piece["input"]
        elif "redactedContent" in piece:
            block["reasoningContent"] = piece
        else:
            thought = block.setdefault("reasoningContent", {}).setdefault("reasoningText", {"text": ""})
            thought["text"] += piece.get("text", "")
            thought.update({"signature": piece["signature"]} if "signature" in piece else {})


def whole(text, **options):
    answer = client.converse(**request(text, **options))
    message = answer["output"]["message"]
    return {key: answer[key] for key in ("stopReason", "usage")} | message


def without_ids(answer):
    """Each answer has calls and signatures of its own."""
    answer = json.loads(json.dumps(answer, default=bytes.hex))
    for block in answer["content"]:
        block.get("toolUse", {}).pop("toolUseId", None)
        block.get("reasoningContent", {}).get("reasoningText", {}).pop("signature", None)
        if "redactedContent" in block.get("reasoningContent", {}):
            block["reasoningContent"]["redactedContent"] = "hidden"
    return answer


def same(text, **options):
    one, other = whole(text, **options), folded(events(text, **options))
    assert without_ids(one) == without_ids(other), (one, other)
    return one


@holds
def a_stream_says_what_a_whole_answer_says():
    answer = same(SAY)
    assert "lighthouse" in answer["content"][0]["text"] and answer["stopReason"] == "end_turn", answer
    usage = answer["usage"]
    assert usage["totalTokens"] == usage["inputTokens"] + usage["outputTokens"] > 0, usage


@holds
def letters_of_any_length_survive_the_framing():
    assert "Zwölf Boxkämpfer 日本語 🐟" in same("Say Zwölf Boxkämpfer 日本語 🐟")["content"][0]["text"]


@holds
def calls_come_in_blocks_of_their_own():
    for text, cities in ((ONE, ["Paris"]), (TWO, ["Paris", "Oslo"])):
        answer = same(text, **TOOLS)
        calls = [block["toolUse"] for block in answer["content"] if "toolUse" in block]
        assert [call["input"]["city"] for call in calls] == cities, answer
        assert answer["stopReason"] == "tool_use", answer


@holds
def thoughts_are_signed_or_hidden():
    [thought, *_] = same(SAY, **THINKING)["content"]
    assert thought["reasoningContent"]["reasoningText"]["signature"], thought
    [hidden, *_] = same("think in private about tides", **THINKING)["content"]
    assert isinstance(hidden["reasoningContent"]["redactedContent"], bytes), hidden


@holds
def a_cap_and_a_stop_sequence_end_an_answer():
    assert same(SAY, inferenceConfig={"maxTokens": 3})["stopReason"] == "max_tokens"
    assert same(SAY, inferenceConfig={"stopSequences": ["harbour"]})["stopReason"] == "stop_sequence"


@holds
def events_come_in_their_order():
    names = [name for name, _ in named(events(SAY))]
    assert names[0] == "messageStart" and names[-2:] == ["messageStop", "metadata"], names
    assert set(names[1:-3]) == {"contentBlockDelta"} and names[-3] == "contentBlockStop", names


@holds
def a_failure_within_a_stream_is_the_service_s_own():
    # The caller has the fake fail once for each of these.
    for kind in ("throttlingException", "serviceUnavailableException", "internalServerException"):
        said = []

        def read():
            for name, data in named(events(f"This one ends in {kind} word by word by word")):
                said.append(name)

        error = raises(EventStreamError, read)
        assert said.count("contentBlockDelta") >= 2, said
        assert error.response["Error"]["Code"] == kind and error.response["Error"]["Message"], error.response


@holds
def a_broken_sum_is_noticed():
    # The caller has the fake send an event whose bytes were changed on the way.
    from botocore.eventstream import ChecksumMismatch

    raises(ChecksumMismatch, lambda: list(events("This one is changed on the way")))


@holds
def a_refusal_is_a_client_error_with_its_code():
    for text, code, status in (
        ("limited for a moment", "ThrottlingException", 429),
        ("too long for it", "ValidationException", 400),
        ("not to be had", "ServiceUnavailableException", 503),
    ):
        error = raises(ClientError, lambda: client.converse(**request(text)))
        said = error.response
        assert (said["Error"]["Code"], said["ResponseMetadata"]["HTTPStatusCode"]) == (code, status), said
        assert said["Error"]["Message"], said


run()
