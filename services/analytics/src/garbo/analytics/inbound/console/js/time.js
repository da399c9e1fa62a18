/** Instants in the reader's own zone: near ones relative, all of them exact on hover. */

import { el } from "./dom.js";

const EXACT = new Intl.DateTimeFormat("en-GB", {
  weekday: "short", day: "numeric", month: "short", year: "numeric",
  hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3, timeZoneName: "short",
});
const CLOCK = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const CLOCK_S = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });

export const clock = (iso) => CLOCK.format(new Date(iso));

/** Make a `<time>` that says how long ago; `freshen` keeps it true. */
export function ago(iso) {
  const made = el("time", { datetime: iso, title: EXACT.format(new Date(iso)), "data-ago": "" });
  made.textContent = since(iso);
  return made;
}

/** Make a `<time>` with hours, minutes, seconds. */
export function clockTime(iso) {
  return el("time", { datetime: iso, title: EXACT.format(new Date(iso)) }, CLOCK_S.format(new Date(iso)));
}

/** Say how long after the first each instant came. The platform's are whole seconds: none may seem to go back. */
export function delays(isos) {
  let most = 0;
  return isos.map((iso, index) => {
    most = Math.max(most, (Date.parse(iso) - Date.parse(isos[0])) / 1000);
    return index ? later(most) : "";
  });
}

function later(seconds) {
  if (seconds < 10) return `+${seconds.toFixed(1)} s`;
  if (seconds < 120) return `+${Math.round(seconds)} s`;
  return seconds < 7200 ? `+${Math.round(seconds / 60)} min` : `+${Math.round(seconds / 3600)} h`;
}

/** Make a `<time>` as it stands in a sentence: the clock, and the day when it is not today. */
export function inSentence(iso) {
  const instant = new Date(iso);
  const words = `${CLOCK.format(instant)}${dayOf(instant)}`;
  return el("time", { class: "instant", datetime: iso, title: EXACT.format(instant) }, words);
}

function dayOf(instant) {
  const today = new Date();
  const tomorrow = new Date(today.getFullYear(), today.getMonth(), today.getDate() + 1);
  if (instant.toDateString() === today.toDateString()) return "";
  return instant.toDateString() === tomorrow.toDateString() ? " tomorrow" : ` on ${DAY.format(instant)}`;
}

/** Write a sentence whose instants came apart. */
export function sentence(parts) {
  return parts.map((part) => (typeof part === "string" ? part : inSentence(part.at)));
}

/** Bring all relative times up to date. */
export function freshen() {
  for (const time of document.querySelectorAll("time[data-ago]")) time.textContent = since(time.dateTime);
}

function since(iso) {
  const seconds = Math.max(0, Math.round((Date.now() - Date.parse(iso)) / 1000));
  if (seconds < 5) return "now";
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86400)} d ago`;
}
