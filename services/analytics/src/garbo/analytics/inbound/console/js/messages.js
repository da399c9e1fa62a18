/** The list of the latest messages. */

import { at, el } from "./dom.js";
import { ago, sentence } from "./time.js";

/** Where a message stands: the chip's word and tone. */
const STATES = {
  asked: ["Asked", "plain"],
  allowed: ["Allowed", "good"],
  held: ["Held back", "held"],
  waiting: ["Waiting", "wait"],
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

/** The lines on the page, by message. */
let lines = new Map();

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
  return [kind && kind[0].toUpperCase() + kind.slice(1), message.campaign || message.template, message.client && `from ${message.client}`].filter(Boolean);
}

/** Bring the list up to date. Lines that stay are the same elements, so a click or focus is never lost. */
export function drawMessages(messages, { chosen }) {
  const first = lines.size === 0;
  const before = lines;
  lines = new Map();
  let place = at("rows").firstChild;
  for (const message of messages) {
    const line = before.get(message.message_id) || { node: el("li", {}, el("a", { class: first ? "row" : "row row-new", "data-message": message.message_id })) };
    before.delete(message.message_id);
    lines.set(message.message_id, line);
    fill(line, message);
    if (line.node === place) place = place.nextSibling;
    else at("rows").insertBefore(line.node, place);
  }
  for (const { node } of before.values()) node.remove();
  at("empty").hidden = messages.length > 0;
  [at("empty-title").textContent, at("empty-text").textContent] = NOTHING[chosen ? "chosen" : "all"];
}

/** Forget what was there, so that another choice does not shine as new. */
export function forgetMessages() {
  for (const { node } of lines.values()) node.remove();
  lines = new Map();
}

function fill(line, message) {
  const text = JSON.stringify(message);
  if (line.text === text) return;
  line.text = text;
  const link = line.node.firstChild;
  if (message.request_id) link.setAttribute("href", storyAddress(message));
  link.replaceChildren(
    chip(message.state),
    el("span", { class: "row-words" }, ...sentence(message.words_parts)),
    ago(message.at),
    el("span", { class: "row-about" }, ...about(message).map((piece) => el("span", {}, piece))),
  );
}
