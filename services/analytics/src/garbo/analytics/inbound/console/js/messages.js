/** The list of the latest messages. */

import { at, el } from "./dom.js";
import { ago, sentence } from "./time.js";

/** Where a message stands: the chip's word and tone. */
const STATES = {
  asked: ["Asked", "plain"],
  allowed: ["Allowed", "good"],
  held: ["Held back", "held"],
  put_off: ["Put off", "held"],
  unknown: ["Unclear", "unsure"],
  sent: ["Sent", "good"],
  delivered: ["Delivered", "good"],
  read: ["Read", "good"],
  replied: ["Replied", "good"],
  failed: ["Failed", "bad"],
};
const NOTHING = {
  all: ["Nothing yet", "A message shows up here the moment a service asks for one."],
  chosen: ["None like this", "No message fits this choice. Try another lane or verdict."],
};

let known = new Set();

/** Make the chip of a state. */
export function chip(state) {
  const [word, tone] = STATES[state] || [state, "plain"];
  return el("span", { class: `chip chip-${tone}` }, word);
}

/** Give the address of a message's story. */
export function storyAddress({ request_id: id, client }) {
  return `#/m/${id}?client=${encodeURIComponent(client || "")}`;
}

/** Say what a message is about, in pieces. */
export function about(message) {
  const kind = message.class || message.purpose;
  return [kind && kind[0].toUpperCase() + kind.slice(1), message.campaign, message.template, message.client && `from ${message.client}`].filter(Boolean);
}

/** Draw the list; messages that were not there before shine once. The focused row stays focused. */
export function drawMessages(messages, { chosen }) {
  const focused = document.activeElement?.getAttribute("data-message");
  const first = known.size === 0;
  at("rows").replaceChildren(...messages.map((message) => row(message, first || known.has(message.message_id))));
  known = new Set(messages.map((message) => message.message_id));
  if (focused) document.querySelector(`[data-message="${CSS.escape(focused)}"]`)?.focus();
  at("empty").hidden = messages.length > 0;
  [at("empty-title").textContent, at("empty-text").textContent] = NOTHING[chosen ? "chosen" : "all"];
}

/** Forget what was there, so that another choice does not shine as new. */
export function forgetMessages() {
  known = new Set();
}

function row(message, seen) {
  const href = message.request_id ? storyAddress(message) : null;
  return el("li", {},
    el("a", { class: seen ? "row" : "row row-new", href, "data-message": message.message_id },
      chip(message.state),
      el("span", { class: "row-words" }, ...sentence(message.words_parts)),
      ago(message.at),
      el("span", { class: "row-about" }, ...about(message).map((piece) => el("span", {}, piece)))));
}
