// Anthropic's and Google's SDKs for JavaScript have tokens counted.
//
//     target/javascript/node --preserve-symlinks --preserve-symlinks-main \
//       target/javascript/programs/counts.mjs http://127.0.0.1:4000 MODEL…
//
// Nothing here knows which provider answers, and not all of them count.

import Anthropic from "@anthropic-ai/sdk";
import { GoogleGenAI } from "@google/genai";
import { URL, assert, holds, run } from "./check.mjs";

const claude = new Anthropic({ baseURL: URL, apiKey: "anything" });
const google = new GoogleGenAI({ apiKey: "anything", httpOptions: { baseUrl: URL } });

const SHORT = "How is the harbour?";
const LONG = "How is the harbour? ".repeat(40);

const byClaude = async (model, content) =>
  (await claude.messages.countTokens({ model, messages: [{ role: "user", content }] })).input_tokens;
const byGoogle = async (model, contents) => (await google.models.countTokens({ model, contents })).totalTokens;

/** The count, or `null` where nobody counts, and it is said. */
async function counts(count) {
  try {
    return await count;
  } catch (error) {
    assert.equal(error.status, 400, error);
    assert.match(error.message, /counts no tokens/);
    return null;
  }
}

holds("more is counted as more, or nothing is counted", async (model) => {
  for (const by of [byClaude, byGoogle]) {
    const [short, long] = [await counts(by(model, SHORT)), await counts(by(model, LONG))];
    assert.equal(short === null, long === null);
    assert.ok(short === null || (0 < short && short < long), `${short}, ${long}`);
  }
});

await run();
