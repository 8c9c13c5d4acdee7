// Asks for a part of a page as HTML: {html, to, fault}. to is where the answer
// leads instead; fault is a sentence about what went wrong.
export async function ask(address, part, form, more = {}) {
  let response;
  try {
    response = await fetch(address, {
      method: form ? "POST" : "GET", body: form ? new URLSearchParams(form) : undefined,
      headers: { "X-Fragment": part, ...more }, credentials: "same-origin", redirect: "manual",
    });
  } catch {
    return { fault: "Sitehooks did not answer. Nothing was changed. Try again." };
  }
  const to = response.headers.get("X-Redirect");
  if (to?.startsWith("/login")) return { fault: "You've been logged out. Log in in another tab, then continue here." };
  if (to) return { to };
  const html = await response.text();
  if (response.headers.get("X-Fragment") === part) return { html };
  const page = new DOMParser().parseFromString(html, "text/html");
  return { fault: page.querySelector("main p")?.textContent ?? "This could not be done. Try again in a moment." };
}

// parsed is the first element of a piece of HTML.
export function parsed(html) {
  const piece = document.createElement("template");
  piece.innerHTML = html;
  return piece.content;
}

// locationDetails asks what a location is, for its communities, and its tags that begin
// with prefix.
export async function locationDetails(location, prefix = "") {
  try {
    const response = await fetch(`/admin/webhooks/location?${new URLSearchParams({ location, prefix })}`);
    return await response.json();
  } catch {
    return { communities: null, tags: [] };
  }
}
