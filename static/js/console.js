// What the pages do better with a script; all of it works without.
import { showCopy, serveCopy } from "./copy.js";
import { servePopups } from "./popups.js";
import { serveBulk } from "./bulk.js";
import { serveFresh } from "./fresh.js";
import { serveSourceForm } from "./source-form.js";
import { serveSuggestions } from "./suggestions.js";
import { serveTicks } from "./ticks.js";
import { serveTimes } from "./times.js";
import { serveDialog } from "./webhook-dialog.js";
import { showVerdict } from "./verdict.js";
import { serveForm } from "./webhook-form.js";

serveCopy();
showCopy(document);
servePopups();
for (const form of document.querySelectorAll("form[data-bulk]")) serveBulk(form);
for (const form of document.querySelectorAll("form[data-webhook-form]")) serveForm(form, (to) => location.assign(to));
for (const form of document.querySelectorAll("form[data-source-form]")) serveSourceForm(form);
for (const list of document.querySelectorAll("[data-fresh]")) serveFresh(list);
serveSuggestions();
serveTicks();
serveTimes();
serveDialog();

// The error summary, or the outcome of a test, is where a reader goes on.
const first = document.querySelector("[data-focus]");
if (first) {
  first.focus({ preventScroll: true });
  showVerdict(first);
}
