// Google's SDK for JavaScript: answers, streams, a chat, tools that it runs itself, and signed thoughts.
//
//     target/javascript/node --preserve-symlinks --preserve-symlinks-main \
//       target/javascript/programs/google.mjs http://127.0.0.1:4000 MODEL…
//
// Nothing here knows which provider answers.

import { ApiError, FinishReason, GoogleGenAI, Type } from "@google/genai";
import { ONE, REPORTS, SAY, TWO, URL, assert, holds, run } from "./check.mjs";

const client = new GoogleGenAI({ apiKey: "anything", httpOptions: { baseUrl: URL } });

const WEATHER = {
  functionDeclarations: [
    {
      name: "get_weather",
      description: "The weather in a city, now.",
      parameters: { type: Type.OBJECT, properties: { city: { type: Type.STRING } }, required: ["city"] },
    },
  ],
};

const said = (content) => content.parts.filter((part) => part.text && !part.thought).map((part) => part.text).join("");

async function whole(request) {
  return [(await client.models.generateContent(request)).candidates[0].content];
}

async function streamed(request) {
  const contents = [];
  for await (const chunk of await client.models.generateContentStream(request)) {
    const content = chunk.candidates?.[0]?.content;
    if (content?.parts?.length) contents.push(content);
  }
  return contents;
}

holds("a stream says what a whole answer says", async (model) => {
  const request = { model, contents: SAY };
  const answer = await client.models.generateContent(request);
  assert.match(answer.text, /lighthouse/);
  assert.equal(answer.candidates[0].finishReason, FinishReason.STOP);
  assert.ok(answer.usageMetadata.promptTokenCount > 0);
  assert.equal((await streamed(request)).map(said).join(""), answer.text);
});

holds("a chat remembers", async (model) => {
  const chat = client.chats.create({ model, config: { systemInstruction: "You keep a lighthouse." } });
  const first = await chat.sendMessage({ message: "Say the word pier" });
  assert.match(first.text, /pier/);
  let told = "";
  for await (const chunk of await chat.sendMessageStream({ message: SAY })) told += chunk.text ?? "";
  assert.match(told, /harbour/);
});

holds("an answer has the shape that was asked for", async (model) => {
  const responseSchema = {
    type: Type.OBJECT,
    properties: { name: { type: Type.STRING }, rivers: { type: Type.ARRAY, items: { type: Type.STRING } } },
    required: ["name", "rivers"],
  };
  const config = { responseMimeType: "application/json", responseSchema };
  const answer = await client.models.generateContent({ model, contents: "Describe Lyon", config });
  assert.ok(JSON.parse(answer.text).rivers.length);
});

holds("thoughts and their signatures go back within a tool loop", async (model) => {
  const thinkingConfig = { includeThoughts: true, thinkingBudget: 2000 };
  const config = { tools: [WEATHER], thinkingConfig, maxOutputTokens: 8000 };
  for (const say of [whole, streamed]) {
    const contents = [{ role: "user", parts: [{ text: TWO }] }];
    const asked = await say({ model, contents, config });
    const calls = asked.flatMap((content) => content.parts).flatMap((part) => part.functionCall ?? []);
    assert.deepEqual(
      calls.map((call) => call.args.city),
      ["Paris", "Oslo"],
    );
    const results = calls.map(({ id, name, args }) => ({
      functionResponse: { id, name, response: { result: REPORTS[args.city] } },
    }));
    contents.push(...asked, { role: "user", parts: results });
    const answered = (await say({ model, contents, config })).map(said).join("");
    for (const report of Object.values(REPORTS)) assert.ok(answered.includes(report), answered);
  }
});

holds("the SDK calls functions by itself", async (model) => {
  const asked = [];
  const callable = {
    tool: async () => WEATHER,
    callTool: async (calls) =>
      calls.map(({ id, name, args }) => {
        asked.push(args.city);
        return { functionResponse: { id, name, response: { result: REPORTS[args.city] } } };
      }),
  };
  const answer = await client.models.generateContent({ model, contents: ONE, config: { tools: [callable] } });
  assert.deepEqual(asked, ["Paris"]);
  assert.ok(answer.text.includes(REPORTS.Paris), answer.text);
});

holds("an error is the SDK's own", async () => {
  const lost = client.models.generateContent({ model: "nobody", contents: "?" });
  await assert.rejects(lost, (error) => error instanceof ApiError && error.status === 404);
});

await run();
