// OpenAI's SDK for JavaScript: answers, streams, formats, tools that it runs itself, reasoning, and Responses.
//
//     target/javascript/node --preserve-symlinks --preserve-symlinks-main \
//       target/javascript/programs/openai.mjs http://127.0.0.1:4000 MODEL…
//
// Nothing here knows which provider answers.

import OpenAI from "openai";
import { zodResponseFormat, zodFunction, zodTextFormat } from "openai/helpers/zod";
import { z } from "zod";
import { ONE, REPORTS, SAY, TWO, URL, assert, holds, run } from "./check.mjs";

const client = new OpenAI({ baseURL: `${URL}/v1`, apiKey: "anything" });
const Place = z.object({ name: z.string(), rivers: z.array(z.string()) });

const user = (content) => [{ role: "user", content }];
const ask = (model, messages, options) => client.chat.completions.create({ model, messages, ...options });

/** A tool that tells of what it was asked. */
function weather(asked) {
  return zodFunction({
    name: "get_weather",
    description: "The weather in a city, now.",
    parameters: z.object({ city: z.string() }),
    function: ({ city }) => {
      asked.push(city);
      return REPORTS[city];
    },
  });
}

holds("a stream says what a whole answer says", async (model) => {
  const whole = await ask(model, user(SAY));
  assert.match(whole.choices[0].message.content, /lighthouse/);
  assert.equal(whole.choices[0].finish_reason, "stop");
  assert.equal(whole.usage.total_tokens, whole.usage.prompt_tokens + whole.usage.completion_tokens);
  assert.ok(whole._request_id);
  const stream = client.chat.completions.stream({ model, messages: user(SAY), stream_options: { include_usage: true } });
  let told = "";
  stream.on("content", (delta) => (told += delta));
  const final = await stream.finalChatCompletion();
  assert.equal(told, whole.choices[0].message.content);
  assert.equal(final.usage.total_tokens, whole.usage.total_tokens);
});

holds("an answer is parsed into a type", async (model) => {
  const format = zodResponseFormat(Place, "place");
  const completion = await client.chat.completions.parse({
    model,
    messages: user("Describe Lyon"),
    response_format: format,
  });
  assert.ok(Place.parse(completion.choices[0].message.parsed).rivers.length);
});

holds("the SDK calls functions by itself", async (model) => {
  for (const [question, cities] of [
    [ONE, ["Paris"]],
    [TWO, ["Paris", "Oslo"]],
  ]) {
    for (const stream of [false, true]) {
      const asked = [];
      const runner = client.chat.completions.runTools({
        model,
        stream,
        messages: user(question),
        tools: [weather(asked)],
      });
      const text = await runner.finalContent();
      assert.deepEqual(asked, cities);
      for (const city of cities) assert.ok(text.includes(REPORTS[city]), text);
    }
  }
});

holds("what a thinking model said goes back as it came", async (model) => {
  const tools = [{ type: "function", function: { ...weather([]).function, strict: undefined } }];
  const thinking = { reasoning_effort: "low", max_completion_tokens: 8000, tools };
  const messages = user(ONE);
  for (let turn = 0; turn < 2; turn++) {
    const asked = (await ask(model, messages, thinking)).choices[0].message;
    const results = asked.tool_calls.map(({ id }) => ({ role: "tool", tool_call_id: id, content: REPORTS.Paris }));
    messages.push(asked, ...results);
    const answered = (await ask(model, messages, thinking)).choices[0];
    assert.ok(answered.message.content.includes(REPORTS.Paris), answered.message.content);
    messages.push(answered.message, ...user(ONE));
  }
});

holds("Responses are spoken", async (model) => {
  const request = { model, input: SAY, store: false };
  const whole = await client.responses.create(request);
  assert.match(whole.output_text, /harbour/);
  const stream = client.responses.stream(request);
  let told = "";
  for await (const event of stream) if (event.type === "response.output_text.delta") told += event.delta;
  assert.equal(told, whole.output_text);
  assert.equal((await stream.finalResponse()).status, "completed");
  const parsed = await client.responses.parse({
    ...request,
    input: "Describe Lyon",
    text: { format: zodTextFormat(Place, "place") },
  });
  assert.ok(parsed.output_parsed.rivers.length);
});

holds("a tool loop goes through Responses", async (model) => {
  const tools = [
    {
      type: "function",
      name: "get_weather",
      parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
      strict: false,
    },
  ];
  const request = { model, tools, store: false, include: ["reasoning.encrypted_content"], reasoning: { effort: "low" } };
  const input = user(TWO);
  const asked = await client.responses.create({ ...request, input });
  const calls = asked.output.filter((item) => item.type === "function_call");
  assert.deepEqual(
    calls.map((call) => JSON.parse(call.arguments).city),
    ["Paris", "Oslo"],
  );
  input.push(...asked.output);
  for (const { call_id, arguments: json } of calls)
    input.push({ type: "function_call_output", call_id, output: REPORTS[JSON.parse(json).city] });
  const answered = await client.responses.create({ ...request, input });
  for (const report of Object.values(REPORTS)) assert.ok(answered.output_text.includes(report), answered.output_text);
});

holds("an error is the SDK's own", async () => {
  const lost = ask("nobody", user("?"));
  await assert.rejects(lost, (error) => error instanceof OpenAI.NotFoundError && error.code === "model_not_found");
});

await run();
