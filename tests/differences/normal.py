"""What remains of a body or an answer when what may differ has been taken out."""

import json

def camel(key):
    """Google takes both spellings."""
    head, *rest = key.split("_")
    return head + "".join(word[:1].upper() + word[1:] for word in rest) if head else key


def request(body, upstream):
    """A request without what says nothing, in one spelling."""
    if upstream == "gemini":
        body = spelt(body)
    return {path: value for path, value in leaves(body).items() if value not in ({}, [], None)}


def spelt(value):
    if isinstance(value, dict):
        return {camel(key): spelt(inner) for key, inner in value.items()}
    return [spelt(item) for item in value] if isinstance(value, list) else value


def leaves(value, path=""):
    """Every leaf by its path; a string that holds a JSON object is what it holds."""
    if isinstance(value, str) and value[:1] == "{":
        try:
            value = json.loads(value)
        except ValueError:
            pass
    if isinstance(value, dict):
        return {leaf: v for key in value for leaf, v in leaves(value[key], f"{path}.{key}".lstrip(".")).items()} or {path: {}}
    if isinstance(value, list):
        return {leaf: v for i, item in enumerate(value) for leaf, v in leaves(item, f"{path}[{i}]").items()} or {path: []}
    return {path: value}


def answer(body):
    """What a chat client reads: the message, why it ended, what it cost."""
    if not body:
        return {}
    choice = body["choices"][0]
    message = choice["message"]
    calls = [call["function"] for call in message.get("tool_calls") or []]
    usage = body.get("usage") or {}
    cached = (usage.get("prompt_tokens_details") or {}).get("cached_tokens")
    thought = (usage.get("completion_tokens_details") or {}).get("reasoning_tokens")
    return {
        "content": message.get("content") or "",
        "refusal": message.get("refusal") or (message.get("provider_specific_fields") or {}).get("refusal") or "",
        "reasoning": message.get("reasoning_content") or "",
        "calls": [{"name": call["name"], "arguments": json.loads(call["arguments"] or "{}")} for call in calls],
        "finish": choice["finish_reason"],
        "usage": {
            "input": usage.get("prompt_tokens"),
            "output": usage.get("completion_tokens"),
            "cached": cached or 0,
            "reasoning": thought or 0,
        },
    }


def folded(stream):
    """A chat stream as the answer that it makes."""
    message = {"content": "", "refusal": "", "reasoning_content": "", "tool_calls": []}
    body = {"choices": [{"message": message, "finish_reason": None}], "usage": None}
    for line in stream.decode().splitlines():
        if not line.startswith("data: ") or line == "data: [DONE]":
            continue
        chunk = json.loads(line[6:])
        if "error" in chunk:
            raise ValueError(chunk["error"]["message"])
        body["usage"] = chunk.get("usage") or body["usage"]
        for choice in chunk["choices"]:
            body["choices"][0]["finish_reason"] = choice["finish_reason"] or body["choices"][0]["finish_reason"]
            add(message, choice["delta"])
    return body


def add(message, delta):
    for key in ("content", "refusal", "reasoning_content"):
        message[key] += delta.get(key) or ""
    for call in delta.get("tool_calls") or []:
        while len(message["tool_calls"]) <= call["index"]:
            message["tool_calls"].append({"function": {"name": "", "arguments": ""}})
        function = message["tool_calls"][call["index"]]["function"]
        function["name"] += call["function"].get("name") or ""
        function["arguments"] += call["function"].get("arguments") or ""
