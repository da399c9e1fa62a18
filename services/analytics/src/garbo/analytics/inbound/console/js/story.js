/** One message's story, in a panel with an address of its own: `#/m/<request id>`. */

import { Problem, message as ask } from "./api.js";
import { at, el, shape } from "./dom.js";
import { about, chip, storyAddress } from "./messages.js";
import { clockTime, delays, inSentence, sentence } from "./time.js";

let shown = null;
let drawn = "";

/** Read the address: the request id and client it names, or null. */
export function storyOf(hash) {
  const found = /^#\/m\/([^?]+)(?:\?(.*))?$/.exec(hash);
  return found && { id: decodeURIComponent(found[1]), client: new URLSearchParams(found[2] || "").get("client") || "" };
}

/** Open the panel on a message, close it with null. */
export async function openStory(wanted) {
  shown = wanted;
  drawn = "";
  const panel = at("panel");
  if (!wanted) return panel.open && panel.close();
  if (!panel.open) {
    panel.replaceChildren(frame(el("p", { class: "quiet", id: "panel-title" }, "Looking it up…")));
    panel.showModal();
  }
  await refreshStory();
}

/** Draw what is known now of the message the panel shows; what did not change stays, selected text too. */
export async function refreshStory() {
  const wanted = shown;
  if (!wanted) return;
  const answer = await ask(wanted.id, wanted.client).catch((problem) => problem);
  const lost = answer instanceof Problem && answer.status === 0 && drawn;
  const text = answer instanceof Problem ? answer.title : JSON.stringify(answer);
  if (shown !== wanted || text === drawn || lost) return;
  drawn = text;
  const inPanel = at("panel").contains(document.activeElement);
  at("panel").replaceChildren(frame(...(answer instanceof Problem ? problemView(answer, wanted) : storyView(answer))));
  if (inPanel) at("panel").querySelector(".panel-close").focus();
}

function frame(...content) {
  const cross = shape("svg", { viewBox: "0 0 16 16", "aria-hidden": "true" }, shape("path", { d: "m3 3 10 10M13 3 3 13" }));
  const close = el("button", { class: "panel-close", type: "button", "aria-label": "Close" }, cross);
  close.addEventListener("click", () => at("panel").close());
  const [first, ...rest] = content;
  const chipped = first.classList.contains("chip");
  return el("div", {}, el("div", { class: "panel-top" }, chipped ? first : el("span"), close), ...(chipped ? rest : content));
}

function storyView(told) {
  const after = delays(told.story.map((step) => step.at));
  const steps = told.story.map((step, index) =>
    el("li", { class: `told told-${step.tone}` },
      el("div", { class: "told-head" }, el("span", { class: "told-title" }, step.title), clockTime(step.at),
        el("span", { class: "told-later" }, after[index])),
      el("p", { class: "told-words" }, ...sentence(step.words_parts))));
  return [
    chip(told.state),
    el("h2", { class: "panel-title", id: "panel-title" }, ...sentence(told.words_parts)),
    el("p", { class: "panel-about" }, about(told).join(" · ")),
    el("ol", { "aria-label": "What happened" }, ...steps),
    ...(told.checks.length ? [el("h3", {}, "What the rules said"), checksView(told.checks)] : []),
    el("h3", {}, "By its names"),
    idsView(told),
  ];
}

function checksView(checks) {
  const head = el("tr", {}, ...["Rule", "Answer", "Used"].map((name, index) => el("th", { scope: "col", class: index === 2 ? "num" : null }, name)));
  const rows = checks.map((check) => el("tr", {},
    el("td", {}, check.rule),
    el("td", { class: check.ok ? "check-ok" : "check-held" }, check.ok ? "may go" : "not now", ...(check.free_at && !check.ok ? [", free ", inSentence(check.free_at)] : [])),
    el("td", { class: "num" }, check.limit === undefined ? "" : `${check.used} of ${check.limit}${check.window ? ` · ${check.window}` : ""}`)));
  return el("table", { class: "checks" }, el("thead", {}, head), el("tbody", {}, ...rows));
}

function idsView(told) {
  const ids = { Request: told.request_id, Client: told.client, Message: told.message_id, Contact: told.contact_id, Number: told.number, WhatsApp: told.platform_message_ref, Policy: told.policy_version };
  const known = Object.entries(ids).filter(([, id]) => id);
  return el("dl", { class: "ids" }, ...known.flatMap(([name, id]) => [el("dt", {}, name), el("dd", {}, id)]));
}

function problemView(problem, wanted) {
  const clients = problem.clients.map((client) =>
    el("a", { href: storyAddress({ request_id: wanted.id, client }) }, client));
  return [
    el("h2", { class: "panel-title", id: "panel-title" }, problem.title),
    el("p", { class: "panel-about" }, clients.length ? "Several clients use this id. Whose message do you mean?" : problem.message),
    el("div", { class: "clients" }, ...clients),
  ];
}
