"""The requests that both are given: the probes of the conformance matrix, and conversations made of their pieces."""

import json
import random

# How many conversations are made beside the probes; with these there are more than three hundred requests.
MADE = 270

WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather in a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
CLOCK = {
    "type": "function",
    "function": {"name": "clock", "parameters": {"type": "object", "properties": {}}},
}
PICTURE = "data:image/png;base64,iVBORw0KGgo="
SAYINGS = ["Hello", "Zwölf Boxkämpfer", "A line\nand another", 'He said "no".', "日本語 🐟", "x" * 400]

# What may stand beside the conversation: each with a half of the chance.
SETTINGS = [
    {"temperature": 0.3},
    {"top_p": 0.9},
    {"max_completion_tokens": 900},
    {"max_tokens": 900},
    {"stop": ["END"]},
    {"stop": "END"},
    {"seed": 7},
    {"user": "someone"},
    {"response_format": {"type": "json_object"}},
    {"parallel_tool_calls": True},
    {"tool_choice": "auto"},
    {"tool_choice": "required"},
    {"tool_choice": "none"},
    {"tool_choice": {"type": "function", "function": {"name": "weather"}}},
]


def requests(probes):
    """Names and bodies, the same ones each time."""
    named = [(f"probe: {name}", body) for name, body in sorted(probes["requests"]["chat"].items())]
    chance = random.Random(1)
    return named + [(f"made: {number}", made(chance)) for number in range(MADE)]


def made(chance):
    """A conversation, perhaps with tools and settings."""
    body = {"model": "asked-model", "messages": []}
    if chance.random() < 0.5:
        body["messages"].append({"role": "system", "content": chance.choice(SAYINGS)})
    if chance.random() < 0.5:
        body["tools"] = [WEATHER, CLOCK][: chance.randint(1, 2)]
    for turn in range(chance.randint(0, 4)):
        body["messages"] += exchange(chance, turn, "tools" in body)
    body["messages"].append(user(chance))
    for setting in chance.sample(SETTINGS, chance.randint(0, 3)):
        of_tools = set(setting) & {"tool_choice", "parallel_tool_calls"}
        if not of_tools or "tools" in body:
            body.update(setting)
    return body


def user(chance):
    """What the user says, sometimes with a picture."""
    said = chance.choice(SAYINGS)
    if chance.random() < 0.8:
        return {"role": "user", "content": said}
    parts = [{"type": "text", "text": said}, {"type": "image_url", "image_url": {"url": PICTURE}}]
    return {"role": "user", "content": parts}


def exchange(chance, turn, calls):
    """What the user says, and what the model answers, perhaps after calls."""
    said = [user(chance)]
    if calls and chance.random() < 0.6:
        ids = [f"call_{turn}_{index}" for index in range(chance.randint(1, 3))]
        content = chance.choice([None, "Let me see."])
        said.append({"role": "assistant", "content": content, "tool_calls": [call(chance, id) for id in ids]})
        said += [{"role": "tool", "tool_call_id": id, "content": chance.choice(SAYINGS)} for id in ids]
    said.append({"role": "assistant", "content": chance.choice(SAYINGS)})
    return said


def call(chance, id):
    arguments = json.dumps({"city": chance.choice(["Rome", "Köln"])})
    return {"id": id, "type": "function", "function": {"name": "weather", "arguments": arguments}}
