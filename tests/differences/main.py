"""LiteLLM and the sidecar, given the same requests before the same upstream: where they differ, and why.

    target/litellm/bin/python tests/differences/main.py target/debug/pilotfish target/differences/probes.json [--write]

Fails on a difference that `docs/differences-litellm.md` has no row for, on a row of which there is none any more, and
where the page's counts are not these; `--write` writes the counts, and what is unexplained as rows to be explained.
"""

import json
import pathlib
import sys

import corpus
import normal
import theirs
from ours import Ours
from report import Page
from upstream import Upstream

PAGE = pathlib.Path(__file__).parents[2] / "docs/differences-litellm.md"
BEDROCK = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"

# What each answer goes with: the others follow each other through the made conversations.
ANSWERS = ["text", "tool call", "parallel tool calls", "text, then a tool call", "reasoning", "finish: output cap",
           "finish: content filter", "finish: at a stop sequence", "refusal in words"]


def upstreams(base):
    """By our name for the dialect: how each of the two is told of it."""
    url = f"endpoint: {{url: \"{base}\"}}"
    return {
        "messages": (
            {"provider": "Anthropic", "model": "claude-sonnet-4-5", "more": url},
            ("anthropic/claude-sonnet-4-5", base, {}),
        ),
        "gemini": (
            {"provider": "Gemini", "model": "gemini-2.5-flash", "more": url},
            ("gemini/gemini-2.5-flash", f"{base}/models/gemini-2.5-flash", {}),
        ),
        "converse": (
            {"provider": "Bedrock", "model": f'"{BEDROCK}"', "more": f"bedrock: {{region: us-east-1}}\n  {url}"},
            (f"bedrock/converse/{BEDROCK}", None, {"aws_bedrock_runtime_endpoint": base, "aws_region_name": "us-east-1"}),
        ),
        "cohere": (
            {"provider": "Cohere", "model": "command-a-plus-05-2026", "more": f"endpoint: {{dialects: [{{name: Cohere, url: \"{base}\"}}]}}"},
            ("cohere_chat/command-a-plus-05-2026", f"{base}/v2/chat", {}),
        ),
        "ollama": (
            {"provider": "Ollama", "model": "qwen3", "more": f"endpoint: {{dialects: [{{name: Ollama, url: \"{base}\"}}]}}"},
            ("ollama_chat/qwen3", base, {}),
        ),
        "responses": (
            {"provider": "OpenAI", "model": "gpt-5.1", "more": f"endpoint: {{dialects: [{{name: Responses, url: \"{base}/v1\"}}]}}"},
            ("openai/responses/gpt-5.1", f"{base}/v1", {}),
        ),
    }


def compare(page, upstream, side, mine, yours, name):
    """Counts what only one has, and what both have otherwise."""
    for path in sorted(mine.keys() | yours.keys()):
        if mine.get(path) == yours.get(path):
            continue
        kind = "ours alone" if path not in yours else "theirs alone" if path not in mine else "other value"
        page.found(upstream, f"{side}: {kind}", path, (name, mine.get(path), yours.get(path)))


def refusals(page, upstream, mine, yours, name):
    """Whether one of the two did not call at all; true when there is nothing to compare."""
    for refused, other, side in ((mine, yours, "ours"), (yours, mine, "theirs")):
        if refused and not other:
            page.found(upstream, f"refused: {side}", name.split(":")[0] + ": " + name.split(": ", 1)[1].strip("0123456789"), (name, refused))
    return bool(mine or yours)


def one(page, fake, ours, upstream, row, answer, name, body):
    """One request through both. Gives back whether there was something to compare."""
    model, base, more = row
    fake.expect(upstream, answer)
    status, bytes_ = ours.ask(upstream, body)
    my_body = fake.body
    fake.expect(upstream, answer)
    your_answer, your_error = theirs.ask(model, base, body, more)
    your_body = fake.body
    my_error = None if my_body is not None else bytes_[:300]
    if refusals(page, upstream, my_error, your_error if your_body is None else None, name):
        return
    compare(page, upstream, "request", normal.request(my_body, upstream), normal.request(your_body, upstream), name)
    side = "streamed answer" if body.get("stream") else "answer"
    mine = read(lambda: normal.folded(bytes_) if body.get("stream") else json.loads(bytes_), status != 200 and bytes_)
    yours = read(lambda: your_answer, your_error)
    for failed, whose in ((mine, "ours"), (yours, "theirs")):
        if isinstance(failed, str):
            page.found(upstream, f"{side} failed: {whose}", answer["name"], (name, failed))
    if not isinstance(mine, str) and not isinstance(yours, str):
        compare(page, upstream, side, normal.leaves(mine), normal.leaves(yours), name)


def read(body, error):
    """An answer as a client reads it, or why it cannot be read."""
    try:
        return str(error)[:300] if error else normal.answer(body())
    except ValueError as unreadable:
        return str(unreadable)


def main(program, probes, *flags):
    probes = json.loads(pathlib.Path(probes).read_text())
    fake = Upstream()
    rows = upstreams(fake.url)
    ours = Ours(program, {name: row for name, (row, _) in rows.items()})
    page = Page(PAGE)
    requests = corpus.requests(probes)
    try:
        for upstream, (_, row) in rows.items():
            answers = [{**probes["answers"][upstream][name], "name": name} for name in ANSWERS if name in probes["answers"][upstream]]
            for number, (name, body) in enumerate(requests):
                # Every third is a stream.
                streamed = {**body, "stream": True, "stream_options": {"include_usage": True}} if number % 3 == 2 else body
                one(page, fake, ours, upstream, row, answers[number % len(answers)], name, streamed)
    finally:
        ours.close()
    before = PAGE.read_text()
    page.write(f"Compared: {len(requests)} requests, each to {len(rows)} upstreams ({', '.join(rows)}), with LiteLLM {theirs.version()}.")
    stale = page.stale()
    changed = PAGE.read_text() != before
    if "--write" not in flags and changed:
        PAGE.write_text(before)
    for where, count in sorted(page.unexplained.items()):
        print(f"unexplained: {count} × {where}: {str(page.examples[where])[:400]}")
    for path in stale:
        print(f"there is no such difference any more: {path}")
    if page.unexplained or stale or (changed and "--write" not in flags):
        raise SystemExit("docs/differences-litellm.md is not what was found; `make differences` writes the counts")


if __name__ == "__main__":
    main(*sys.argv[1:])
