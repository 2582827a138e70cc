// OpenAI's and Google's SDKs for JavaScript ask for embeddings.
//
//     target/javascript/node --preserve-symlinks --preserve-symlinks-main \
//       target/javascript/programs/embeddings.mjs http://127.0.0.1:4000 MODEL…
//
// Nothing here knows which provider answers.

import { GoogleGenAI } from "@google/genai";
import OpenAI from "openai";
import { URL, assert, holds, run } from "./check.mjs";

const openai = new OpenAI({ baseURL: `${URL}/v1`, apiKey: "anything" });
const google = new GoogleGenAI({ apiKey: "anything", httpOptions: { baseUrl: URL } });
const TEXTS = ["lighthouse", "harbour"];

const vectors = async (model, options) =>
  (await openai.embeddings.create({ model, input: TEXTS, ...options })).data.map((entry) => entry.embedding);

function near(one, other) {
  assert.equal(one.length, other.length);
  one.forEach((value, at) => assert.ok(Math.abs(value - other[at]) < 1e-6));
}

holds("a vector is the same in numbers and in base64", async (model) => {
  // The SDK itself asks for base64 and decodes it, unless told otherwise.
  const [packed, plain] = [await vectors(model), await vectors(model, { encoding_format: "float" })];
  assert.equal(packed.length, 2);
  packed.forEach((vector, at) => near(vector, plain[at]));
});

holds("a vector is as long as asked", async (model) => {
  for (const vector of await vectors(model, { dimensions: 64 })) assert.equal(vector.length, 64);
});

holds("Google's SDK gets the same vectors", async (model) => {
  const plain = await vectors(model, { encoding_format: "float" });
  const { embeddings } = await google.models.embedContent({ model, contents: TEXTS });
  assert.equal(embeddings.length, 2);
  embeddings.forEach((entry, at) => near(entry.values, plain[at]));
});

await run();
