// Checks whose names are sentences, and the run of all that a program has, for each model it is told of.
//
// A program is an application beside the sidecar. It is told the sidecar's URL and models, runs every check with each of
// them, says a line about each, and ends with 1 if one failed.

import assert from "node:assert/strict";

const [url, ...models] = process.argv.slice(2);
if (!models.length) {
  console.error(`usage: ${process.argv[1]} URL MODEL…`);
  process.exit(1);
}

/** Where the sidecar is. */
export const URL = url;

/** A city's weather, as the application's tool tells it. */
export const REPORTS = { Paris: "18 degrees and rain", Oslo: "4 degrees and snow" };
export const ONE = "What is the weather in Paris?";
export const TWO = "Ask in parallel: what is the weather in Paris and in Oslo?";
export const SAY = "Say the words lighthouse and harbour";

/** What one check may take, milliseconds. */
const PATIENCE = 45_000;

const checks = [];

/** Makes a function of the model one of the program's checks. */
export function holds(sentence, check) {
  checks.push([sentence, check]);
}

/** Runs every check with every model, the models at the same time. */
export async function run() {
  const passed = await Promise.all(models.map(runWith));
  process.exit(passed.every((passed) => passed) ? 0 : 1);
}

async function runWith(model) {
  let all = true;
  for (const [sentence, check] of checks) {
    try {
      await inTime(check(model));
      console.log(`ok      ${model}: ${sentence}`);
    } catch (error) {
      all = false;
      console.log(`FAILED  ${model}: ${sentence}\n${error.stack}`);
    }
  }
  return all;
}

function inTime(promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error("does not end")), PATIENCE);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

export { assert };
