/** Light or dark: the system's choice until the reader makes one. */

import { at } from "./dom.js";

const KEPT = "garbo.theme";
const dark = matchMedia("(prefers-color-scheme: dark)");

const current = () => document.documentElement.dataset.theme || (dark.matches ? "dark" : "light");

function name() {
  at("theme").setAttribute("aria-label", current() === "dark" ? "Switch to light" : "Switch to dark");
}

/** Wire the toggle. */
export function startTheme() {
  const kept = localStorage.getItem(KEPT);
  if (kept === "dark" || kept === "light") document.documentElement.dataset.theme = kept;
  name();
  dark.addEventListener("change", name);
  at("theme").addEventListener("click", () => {
    const next = current() === "dark" ? "light" : "dark";
    document.documentElement.dataset.theme = next;
    localStorage.setItem(KEPT, next);
    name();
  });
}
