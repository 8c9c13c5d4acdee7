// Does what programs do with a client that was made from the description of the
// APIs. The test says where: BASE, TOKEN, INGEST_TOKEN and TARGET. It fails by
// ending with an error.
import createClient from "openapi-fetch";
import type { components, paths } from "./api.js";

declare const process: { env: Record<string, string | undefined> };

function env(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
}

function client(token: string) {
  return createClient<paths>({ baseUrl: env("BASE"), headers: { Authorization: `Bearer ${token}` } });
}

const api = client(env("TOKEN"));
const site = client(env("INGEST_TOKEN"));

// got is what an answer carries.
function got<T>(what: string, a: { data?: T; error?: unknown; response: Response }): T {
  if (a.data === undefined) throw new Error(`${what}: ${a.response.status} ${JSON.stringify(a.error)}`);
  return a.data;
}

function must(what: string, is: boolean, seen: unknown) {
  if (!is) throw new Error(`${what}: ${JSON.stringify(seen)}`);
}

// until asks again until there is an answer that counts. The test ends a wait
// that is in vain.
async function until<T>(ask: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const usual: components["schemas"]["WebhookInput"] = {
  type: "generic", key: "typescript", name: "TypeScript", events: ["question.created"], tags: ["typescript"], url: env("TARGET"), secret_1: { generate: true },
};
const created = got("create", await api.POST("/api/v1/webhooks", { body: usual }));
must("the new secret", typeof created.secret_1 === "string" && created.secrets[0] !== null, created);
for (const key of ["typescript-2", "typescript-3"]) {
  got("create", await api.POST("/api/v1/webhooks", { body: { ...usual, key, name: key } }));
}

const keys: (string | null)[] = [];
let pages = 0;
for (let cursor: string | undefined; ; ) {
  const page = got("list", await api.GET("/api/v1/webhooks", { params: { query: { limit: 2, q: "TypeScript", cursor } } }));
  keys.push(...page.data.map((w) => w.key));
  pages++;
  if (page.next === null) break;
  cursor = page.next;
}
must("pages", pages === 2 && keys.join() === "typescript,typescript-2,typescript-3", { pages, keys });

// A null of its own meaning: all tags. A stale version is refused.
const path = { webhook: "typescript" };
const read = await api.GET("/api/v1/webhooks/{webhook}", { params: { path } });
must("tags", got("get", read).tags?.join() === "typescript", read.data);
const header = { "If-Match": read.response.headers.get("ETag") ?? "" };
const patched = got("patch", await api.PATCH("/api/v1/webhooks/{webhook}", { params: { path, header }, body: { name: "TypeScript too", tags: null } }));
if ("changes" in patched) throw new Error("a dry run was not asked for");
must("patched", patched.tags === null && patched.name === "TypeScript too" && patched.key === "typescript", patched);
const stale = await api.PATCH("/api/v1/webhooks/{webhook}", { params: { path, header }, body: { name: "Late" } });
must("stale", stale.response.status === 412 && stale.error?.status === 412, stale.error);

must("paused", got("pause", await api.POST("/api/v1/webhooks/{webhook}/pause", { params: { path } })).state === "stopped", "");
must("resumed", got("resume", await api.POST("/api/v1/webhooks/{webhook}/resume", { params: { path }, body: {} })).state === "active", "");
const tested = got("test", await api.POST("/api/v1/webhooks/{webhook}/test", { params: { path } }));
must("tested", tested.delivered && tested.code === 200, tested);

const question = { question_id: 7, title: "How do clients work?", link: "https://site.example/questions/7", tags: ["clients"] };
const reported = got("report", await site.POST("/api/v1/events", { body: { type: "question.created", id: "typescript-event", community: null, question } }));
must("reported", reported.accepted === 1, reported);
const delivery = await until(async () => {
  const page = got("deliveries", await api.GET("/api/v1/deliveries", { params: { query: { webhook: "typescript", state: "delivered" } } }));
  return page.data[0];
});
must("delivery", delivery.webhook_key === "typescript" && delivery.event_types.join() === "question.created", delivery);

const found = got("events", await api.GET("/api/v1/events", { params: { query: { id: "typescript-event" } } }));
const event = found.data[0]?.number ?? 0;
const why = got("explanation", await api.GET("/api/v1/events/{event}", { params: { path: { event: String(event) } } }));
const mine = why.webhooks.find((w) => w.webhook_key === "typescript");
const other = why.webhooks.find((w) => w.webhook_key === "typescript-2");
must("explained", mine?.matched === true && mine.delivery === delivery.id && other?.matched === false && other.reason !== "", why.webhooks);

const one = { delivery: delivery.id };
got("resend", await api.POST("/api/v1/deliveries/{delivery}/resend", { params: { path: one } }));
const attempts = await until(async () => {
  const detail = got("delivery", await api.GET("/api/v1/deliveries/{delivery}", { params: { path: one } }));
  return detail.attempts.length > 1 ? detail.attempts : undefined;
});
must("attempts", attempts.every((a) => a.delivered) && attempts[1]?.manual === true, attempts);

const removed = await api.DELETE("/api/v1/webhooks/{webhook}", { params: { path } });
must("deleted", removed.response.status === 204, removed.error);
const gone = await api.GET("/api/v1/webhooks/{webhook}", { params: { path } });
must("gone", gone.response.status === 404 && gone.error?.detail === "There is no such webhook.", gone.error);
