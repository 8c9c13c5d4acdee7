// Writes requests that the vendors' packages signed, as a Go test reads them:
// [{name, kind, secret, headers, body}]. Standard input has the secrets by
// signer, and the bodies for those that have no payloads of their own.
const { randomUUID } = require("node:crypto");

async function github(secret) {
  const { sign } = await import("@octokit/webhooks-methods");
  const requests = [];
  const add = async (name, event, payload) => {
    const body = JSON.stringify(payload);
    requests.push({
      name, kind: "github", secret, body,
      headers: { "X-GitHub-Event": event, "X-GitHub-Delivery": randomUUID(), "X-Hub-Signature-256": await sign(secret, body) },
    });
  };
  for (const { name, examples } of require("@octokit/webhooks-examples/api.github.com/index.json")) {
    if (!name.startsWith("discussion")) continue;
    for (const [i, example] of examples.entries()) {
      await add(`${name} ${i} ${example.action}`, name, example);
      const question = structuredClone(example); // most of them are of a category without answers
      question.discussion.category.is_answerable = true;
      await add(`${name} ${i} ${example.action} of a question`, name, question);
    }
  }
  return requests;
}

function standard(kind, prefix, secret, webhook, bodies) {
  const now = new Date();
  return bodies.map((body, i) => ({
    name: `${kind} ${prefix}${i}`, kind, secret, body,
    headers: {
      [`${prefix}id`]: `msg_${i}`,
      [`${prefix}timestamp`]: String(Math.floor(now.getTime() / 1000)),
      [`${prefix}signature`]: webhook.sign(`msg_${i}`, now, body),
    },
  }));
}

async function main() {
  const chunks = [];
  for await (const chunk of process.stdin) chunks.push(chunk);
  const { github: secret, svix, raw, bodies } = JSON.parse(Buffer.concat(chunks).toString("utf8"));
  const svixPackage = require("svix");
  const standardPackage = require("standardwebhooks");
  process.stdout.write(JSON.stringify([
    ...await github(secret),
    ...standard("stackauth", "svix-", svix, new svixPackage.Webhook(svix), bodies.stackauth),
    ...standard("stackauth", "webhook-", svix, new standardPackage.Webhook(svix), bodies.stackauth),
    ...standard("generic", "webhook-", raw, new standardPackage.Webhook(raw, { format: "raw" }), bodies.generic),
  ]));
}

main();
