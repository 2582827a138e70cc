// The AI SDK of Vercel with its providers for OpenAI (Chat Completions and Responses), for what is compatible with OpenAI,
// and for Anthropic: answers, streams, objects, agents that call tools, and reasoning.
//
//     target/javascript/node --preserve-symlinks --preserve-symlinks-main \
//       target/javascript/programs/vercel.mjs http://127.0.0.1:4000 MODEL…
//
// Nothing here knows which provider answers.

import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { Output, ToolLoopAgent, generateText, stepCountIs, streamText, tool } from "ai";
import { z } from "zod";
import { ONE, REPORTS, SAY, TWO, URL, assert, holds, run } from "./check.mjs";

// What the SDK warns of is what it does not know: the names of our models, and reasoning that nobody signed.
globalThis.AI_SDK_LOG_WARNINGS = false;

const COMPATIBLE = { includeUsage: true, supportsStructuredOutputs: true };
const ENCRYPTED = { store: false, include: ["reasoning.encrypted_content"] };
const baseURL = `${URL}/v1`;
const openai = createOpenAI({ baseURL, apiKey: "anything" });
const compatible = createOpenAICompatible({ name: "house", baseURL, apiKey: "anything", ...COMPATIBLE });
const anthropic = createAnthropic({ baseURL, apiKey: "anything" });

const PROVIDERS = [
  { name: "openai, chat", of: (model) => openai.chat(model), thinks: { openai: { reasoningEffort: "low" } } },
  {
    name: "openai, responses",
    of: (model) => openai.responses(model),
    always: { openai: { store: false } },
    thinks: { openai: { ...ENCRYPTED, reasoningEffort: "low", reasoningSummary: "auto", forceReasoning: true } },
  },
  { name: "compatible", of: (model) => compatible(model), thinks: { house: { reasoningEffort: "low" } } },
  {
    name: "anthropic",
    of: (model) => anthropic(model),
    thinks: { anthropic: { thinking: { type: "enabled", budgetTokens: 2000 } } },
  },
];

function weather(asked) {
  return tool({
    description: "The weather in a city, now.",
    inputSchema: z.object({ city: z.string() }),
    execute: async ({ city }) => {
      asked.push(city);
      return REPORTS[city];
    },
  });
}

for (const { name, of, always, thinks } of PROVIDERS) {
  const request = (model, prompt) => ({ model: of(model), prompt, maxRetries: 0, providerOptions: always });

  holds(`${name}: a stream says what a whole answer says`, async (model) => {
    const whole = await generateText(request(model, SAY));
    assert.match(whole.text, /lighthouse/);
    assert.equal(whole.finishReason, "stop");
    assert.ok(whole.usage.inputTokens > 0 && whole.usage.outputTokens > 0, JSON.stringify(whole.usage));
    const errors = [];
    const stream = streamText({ ...request(model, SAY), onError: ({ error }) => errors.push(error) });
    let told = "";
    for await (const delta of stream.textStream) told += delta;
    assert.deepEqual(errors, []);
    assert.equal(told, whole.text);
    assert.equal((await stream.usage).outputTokens, whole.usage.outputTokens);
  });

  holds(`${name}: an answer has the shape that was asked for`, async (model) => {
    const output = Output.object({ schema: z.object({ name: z.string(), rivers: z.array(z.string()) }) });
    const place = (await generateText({ ...request(model, "Describe Lyon"), output })).output;
    assert.ok(place.name && place.rivers.length, JSON.stringify(place));
  });

  holds(`${name}: an agent calls tools until it is done`, async (model) => {
    for (const [question, cities] of [
      [ONE, ["Paris"]],
      [TWO, ["Paris", "Oslo"]],
    ]) {
      const asked = [];
      const agent = new ToolLoopAgent({
        model: of(model),
        instructions: "You know the weather.",
        tools: { get_weather: weather(asked) },
        stopWhen: stepCountIs(4),
        providerOptions: always,
      });
      const { text } = await agent.generate({ prompt: question });
      assert.deepEqual(asked, cities);
      for (const city of cities) assert.ok(text.includes(REPORTS[city]), text);
    }
  });

  holds(`${name}: reasoning goes back while tools are called`, async (model) => {
    const asked = [];
    const loop = { tools: { get_weather: weather(asked) }, stopWhen: stepCountIs(4), providerOptions: thinks };
    const whole = await generateText({ ...request(model, TWO), ...loop });
    const errors = [];
    const streamed = streamText({ ...request(model, TWO), ...loop, onError: ({ error }) => errors.push(error) });
    for (const text of [whole.text, await streamed.text]) {
      for (const report of Object.values(REPORTS)) assert.ok(text.includes(report), text);
    }
    assert.deepEqual(errors, []);
    assert.deepEqual(asked, ["Paris", "Oslo", "Paris", "Oslo"]);
  });
}

await run();
