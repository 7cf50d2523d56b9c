// Asks a gateway for a chat answer, a streamed one and the list of models.
//
// BASE_URL, API_KEY and MODEL come from the environment. Prints one line of JSON
// with what arrived; ends with 1, and a line on what was odd, otherwise.

import assert from "node:assert/strict";
import OpenAI from "openai";
import { VERSION } from "openai/version";

const messages = [{ role: "user", content: "Say hello." }];

function usageOf(usage) {
  return { input_tokens: usage.prompt_tokens, output_tokens: usage.completion_tokens };
}

async function chat(client, model) {
  const answer = await client.chat.completions.create({ model, messages });
  assert.equal(answer.choices.length, 1, "one choice");
  const [choice] = answer.choices;
  assert.equal(choice.message.role, "assistant", "role");
  assert.ok(choice.message.content, "empty answer");
  assert.equal(answer.model, model, "the answer's model");
  return {
    content: choice.message.content,
    finish_reason: choice.finish_reason,
    model: answer.model,
    usage: usageOf(answer.usage),
  };
}

async function streamedChat(client, model) {
  const events = await client.chat.completions.create({
    model,
    messages,
    stream: true,
    stream_options: { include_usage: true },
  });
  const got = { content: "", events: 0, finish_reason: null, model, usage: null };
  for await (const event of events) {
    got.events += 1;
    assert.equal(event.model, model, "the event's model");
    got.usage = event.usage ? usageOf(event.usage) : got.usage;
    for (const choice of event.choices) {
      got.content += choice.delta.content ?? "";
      got.finish_reason = choice.finish_reason ?? got.finish_reason;
    }
  }
  assert.ok(got.content, "empty stream");
  assert.ok(got.finish_reason, "the stream has no finish_reason");
  assert.ok(got.usage, "the stream has no usage");
  return got;
}

async function models(client, model) {
  const names = [];
  for await (const entry of client.models.list()) names.push(entry.id);
  assert.ok(names.includes(model), `${model} is not among ${names}`);
  return names;
}

function setting(name) {
  assert.ok(process.env[name], `${name} is not set`);
  return process.env[name];
}

async function main() {
  const model = setting("MODEL");
  const client = new OpenAI({
    baseURL: setting("BASE_URL"),
    apiKey: setting("API_KEY"),
    maxRetries: 0,
    timeout: 30_000,
  });
  const got = {
    sdk: `openai-node ${VERSION}`,
    chat: await chat(client, model),
    stream: await streamedChat(client, model),
    models: await models(client, model),
  };
  console.log(JSON.stringify(got));
}

main().catch((odd) => {
  console.error(`chat.mjs: ${odd.name}: ${odd.message}`);
  process.exitCode = 1;
});
