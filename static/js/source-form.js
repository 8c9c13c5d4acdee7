import { livePreview } from "./webhook-preview.js";

// serveSourceForm lets the preview follow what is typed. Without a script the
// button does it.
export function serveSourceForm(form) {
  const changed = livePreview(form, "source-preview");
  form.addEventListener("input", changed);
  changed();
}
