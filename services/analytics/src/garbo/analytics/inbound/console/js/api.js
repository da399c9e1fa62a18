/** The query API. Every question ends within `TIMEOUT_MS`. */

const TIMEOUT_MS = 8000;

/** An answer that is no answer: its problem detail, in words. */
export class Problem extends Error {
  constructor(status, body) {
    super(body.detail || "The server did not answer.");
    this.status = status;
    this.title = body.title || "No answer";
    this.clients = body.clients || [];
  }
}

async function ask(path, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value);
  const address = given.length ? `${path}?${new URLSearchParams(given)}` : path;
  let answer;
  try {
    answer = await fetch(address, { signal: AbortSignal.timeout(TIMEOUT_MS), headers: { accept: "application/json" } });
  } catch {
    throw new Problem(0, { title: "Connection lost", detail: "Garbo does not answer. Trying again." });
  }
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Problem(answer.status, body);
  return body;
}

export const messages = (query) => ask("v1/messages", query).then((body) => body.messages);
export const message = (id, client) => ask(`v1/messages/${encodeURIComponent(id)}`, { client });

/** Where the live funnel comes from. */
export const streamAddress = (query) =>
  `v1/stream?${new URLSearchParams(Object.entries(query).filter(([, value]) => value))}`;
