// Reads requests from standard input and lets the vendors' packages judge them:
// [{name, referee, secret, headers, body}], headers in lower case. Writes
// {name: "" or why it was refused}.
const { isDeepStrictEqual } = require("node:util");

const referees = {
  svix: ({ secret, headers, body }) => {
    const { Webhook } = require("svix");
    sameData(new Webhook(secret).verify(body, headers), body);
  },
  // Receivers written for the specification read other names.
  standardwebhooks: ({ secret, headers, body }) => {
    const { Webhook } = require("standardwebhooks");
    const renamed = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.replace(/^svix-/, "webhook-"), value]));
    sameData(new Webhook(secret).verify(body, renamed), body);
  },
  // A key that is the secret's own characters.
  "standardwebhooks raw": ({ secret, headers, body }) => {
    const { Webhook } = require("standardwebhooks");
    sameData(new Webhook(secret, { format: "raw" }).verify(body, headers), body);
  },
  // Slack's client, given the message, sends what we send, and takes "ok".
  slack: async ({ headers, body }) => {
    const { IncomingWebhook } = require("@slack/webhook");
    let sent;
    const client = new IncomingWebhook("https://hooks.slack.example/services/T/B/X", {
      fetch: async (_, init) => {
        sent = init;
        return new Response("ok");
      },
    });
    const { text } = await client.send(JSON.parse(body));
    if (text !== "ok") throw new Error(`it took ok for ${text}`);
    if (sent.headers["Content-Type"] !== headers["content-type"]) throw new Error("it sends another content type");
    sameData(JSON.parse(sent.body), body);
  },
};

function sameData(read, body) {
  if (!isDeepStrictEqual(read, JSON.parse(body))) throw new Error("it read something else");
}

async function main() {
  const chunks = [];
  for await (const chunk of process.stdin) chunks.push(chunk);
  const verdicts = {};
  for (const request of JSON.parse(Buffer.concat(chunks).toString("utf8"))) {
    try {
      await referees[request.referee](request);
      verdicts[request.name] = "";
    } catch (error) {
      verdicts[request.name] = `${error.name}: ${error.message}`;
    }
  }
  process.stdout.write(JSON.stringify(verdicts));
}

main();
