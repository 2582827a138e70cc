// Anthropic's SDK for JavaScript: answers, streams, tools that it runs itself, and thinking within a tool loop.
//
//     target/javascript/node --preserve-symlinks --preserve-symlinks-main \
//       target/javascript/programs/anthropic.mjs http://127.0.0.1:4000 MODEL…
//
// Nothing here knows which provider answers.

import Anthropic from "@anthropic-ai/sdk";
import { betaZodTool } from "@anthropic-ai/sdk/helpers/beta/zod";
import { z } from "zod";
import { ONE, REPORTS, SAY, TWO, URL, assert, holds, run } from "./check.mjs";

const client = new Anthropic({ baseURL: URL, apiKey: "anything" });
const user = (content) => [{ role: "user", content }];
const text = (message) => message.content.filter((block) => block.type === "text").map((block) => block.text).join("");

const WEATHER = {
  name: "get_weather",
  description: "The weather in a city, now.",
  input_schema: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
};

holds("a stream says what a whole answer says", async (model) => {
  const request = { model, max_tokens: 256, messages: user(SAY) };
  const whole = await client.messages.create(request);
  assert.match(text(whole), /lighthouse/);
  assert.equal(whole.stop_reason, "end_turn");
  assert.ok(whole.usage.input_tokens > 0 && whole.usage.output_tokens > 0);
  const stream = client.messages.stream(request);
  let told = "";
  stream.on("text", (delta) => (told += delta));
  const final = await stream.finalMessage();
  assert.equal(told, text(whole));
  assert.equal(final.usage.output_tokens, whole.usage.output_tokens);
});

holds("the SDK calls tools by itself", async (model) => {
  for (const [question, cities] of [
    [ONE, ["Paris"]],
    [TWO, ["Paris", "Oslo"]],
  ]) {
    for (const stream of [false, true]) {
      const asked = [];
      const tool = betaZodTool({
        name: "get_weather",
        description: "The weather in a city, now.",
        inputSchema: z.object({ city: z.string() }),
        run: ({ city }) => {
          asked.push(city);
          return REPORTS[city];
        },
      });
      const request = { model, max_tokens: 1024, messages: user(question), tools: [tool], stream };
      const final = await client.beta.messages.toolRunner(request);
      assert.deepEqual(asked, cities);
      for (const city of cities) assert.ok(text(final).includes(REPORTS[city]), text(final));
    }
  }
});

holds("thinking goes back within a tool loop", async (model) => {
  const thinking = { type: "enabled", budget_tokens: 2000 };
  const request = { model, max_tokens: 8000, tools: [WEATHER], thinking };
  const whole = (messages) => client.messages.create({ ...request, messages });
  const stream = (messages) => client.messages.stream({ ...request, messages }).finalMessage();
  for (const say of [whole, stream]) {
    const messages = user(ONE);
    const asked = await say(messages);
    assert.equal(asked.stop_reason, "tool_use");
    const results = asked.content
      .filter((block) => block.type === "tool_use")
      .map(({ id }) => ({ type: "tool_result", tool_use_id: id, content: REPORTS.Paris }));
    messages.push({ role: "assistant", content: asked.content }, ...user(results));
    const answered = await say(messages);
    assert.ok(text(answered).includes(REPORTS.Paris), text(answered));
  }
});

holds("an error is the SDK's own", async () => {
  const lost = client.messages.create({ model: "nobody", max_tokens: 8, messages: user("?") });
  await assert.rejects(lost, (error) => error instanceof Anthropic.NotFoundError);
});

await run();
