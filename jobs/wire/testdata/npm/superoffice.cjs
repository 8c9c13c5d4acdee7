// Drives the SuperOffice API with the vendor's own client, unchanged. The
// environment says where: BASE, TOKEN with its CREATOR, TARGET, and INSECURE, a
// target that must be refused. It ends with status 0 when every answer was what it should be.
const assert = require("node:assert/strict");
const axios = require("axios");
const { WebhookAgent, WebApiStatus, WebhookState } = require("@superoffice/webapi");

const { BASE, TOKEN, CREATOR, TARGET, INSECURE } = process.env;

// refused runs a call that must fail, and returns what the server said.
async function refused(status, call) {
  const error = await call().then(
    () => assert.fail("it was not refused"),
    (error) => error,
  );
  assert.equal(error.response?.status, status, error.message);
  const { Error, ErrorType, Message } = error.response.data;
  assert.equal(Error, true);
  assert.ok(ErrorType && Message);
  return Message;
}

// until calls until the answer is good enough.
async function until(call, good) {
  for (let i = 0; i < 300; i++) {
    const answer = await call();
    if (good(answer)) return answer;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.fail("it did not come");
}

async function main() {
  await refused(401, () => new WebhookAgent(BASE, "en").createDefaultWebhookAsync());
  await refused(401, () => new WebhookAgent(BASE, { headers: { Authorization: "Bearer wrong" } }, "en").createDefaultWebhookAsync());
  axios.defaults.headers.common.Authorization = `Bearer ${TOKEN}`;
  const agent = new WebhookAgent(BASE, "en");

  const blank = await agent.createDefaultWebhookAsync();
  assert.equal(blank.webhookId, 0);
  assert.equal(blank.state, WebhookState.Active);
  assert.equal(blank.type, "webhook");
  assert.deepEqual(blank.events, []);
  assert.equal(blank.registeredAssociate, null);

  const wanted = {
    ...blank,
    name: "Tonys window handler",
    events: ["window.closed", "contact.created"],
    targetUrl: TARGET,
    secret: "a shared secret",
    headers: { "X-Api-Key": "very private" },
    properties: { source: "npm", nested: { deep: [1, 2.5, null] } },
    errorsEmail: "ops@example.com",
  };
  assert.match(await refused(400, () => agent.saveWebhookAsync({ ...wanted, targetUrl: INSECURE })), /TargetUrl/);
  assert.match(await refused(400, () => agent.saveWebhookAsync({ ...wanted, events: ["contact.exploded"] })), /Events/);
  const saved = await agent.saveWebhookAsync(wanted);
  assert.ok(saved.webhookId > 0);
  assert.equal(saved.state, WebhookState.Active);
  assert.equal(saved.secret, null);
  assert.deepEqual(saved.headers, { "X-Api-Key": null });
  assert.deepEqual(saved.properties, wanted.properties);
  assert.ok(saved.registered instanceof Date && Math.abs(Date.now() - saved.registered) < 60_000);
  assert.equal(saved.registeredAssociate.name, CREATOR);

  const options = { requestStatus: 0 };
  assert.deepEqual(await agent.getWebhookAsync(saved.webhookId, options), saved);
  assert.equal(options.requestStatus, WebApiStatus.Completed);
  assert.deepEqual(await agent.getAllWebhooksAsync(null, null, 0), [saved]);
  assert.deepEqual(await agent.getAllWebhooksAsync(null, null, WebhookState.Unknown), [saved]);
  assert.deepEqual(await agent.getAllWebhooksAsync({ nameFilter: saved.name, eventFilter: "window.closed", statusFilter: WebhookState.Active }), [saved]);
  assert.deepEqual(await agent.getAllWebhooksAsync("nobody", undefined, undefined), []);

  const tried = await agent.testWebhookAsync(saved);
  assert.equal(tried.success, true, tried.message);
  assert.match(tried.message, /thanks for test/);

  // Read, changed, saved: what is secret stays.
  const renamed = await agent.saveWebhookAsync({ ...saved, name: "Renamed" });
  assert.equal(renamed.webhookId, saved.webhookId);
  assert.equal(renamed.name, "Renamed");
  assert.deepEqual(renamed.headers, saved.headers);

  // The receiver fails the first attempt of this one.
  assert.equal(await agent.getLastErrorAsync(saved.webhookId), "");
  await agent.signalEventAsync("window.closed", 7, { windowName: "foo", widgets: 123 });
  assert.match(await until(() => agent.getLastErrorAsync(saved.webhookId), Boolean), /500[^]*thanks for window\.closed/);

  const stopped = await agent.saveWebhookAsync({ ...renamed, state: WebhookState.Stopped });
  assert.equal(stopped.state, WebhookState.Stopped);
  assert.equal((await agent.getAllWebhooksAsync(null, null, WebhookState.Stopped)).length, 1);
  const resumed = await agent.saveWebhookAsync({ ...stopped, state: WebhookState.Active });
  assert.equal(resumed.state, WebhookState.Active);

  // What stands in the other's way is a delivery that is tried again.
  await agent.signalEventAsync({ eventName: "contact.created", primaryKey: 0, data: null });
  process.stdout.write("signalled\n");
  process.stdin.resume();
  await new Promise((resolve) => process.stdin.once("end", resolve));

  await agent.deleteWebhookAsync(saved.webhookId);
  await refused(404, () => agent.getWebhookAsync(saved.webhookId));
  assert.deepEqual(await agent.getAllWebhooksAsync(null, null, 0), []);
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
