/** The console: what the reader chose, and what follows from it. */

import { messages } from "./api.js";
import { at, say } from "./dom.js";
import { drawFunnel } from "./funnel.js";
import { drawMessages, forgetMessages } from "./messages.js";
import { openStory, refreshStory, storyOf } from "./story.js";
import { Stream } from "./stream.js";
import { startTheme } from "./theme.js";
import { freshen } from "./time.js";

const WORDS = { live: "Live", connecting: "Connecting", lost: "No connection", paused: "Paused" };
const LOST = "Connection lost. What you see is from before; trying again.";
const LINES = matchMedia("(max-width: 640px)").matches ? 20 : 40;

const chosen = { lane: "", span: "15m", verdict: "" };
let paused = false;
let asking = false;
let againAfter = false;

const stream = new Stream({
  funnel(funnel) {
    drawFunnel(funnel, chosen);
    refresh();
  },
  state: showState,
});

function showState(state) {
  const live = at("live");
  if (live.dataset.state === state) return;
  if (state === "lost" || live.dataset.state === "lost") say(state === "lost" ? LOST : WORDS[state]);
  live.dataset.state = state;
  at("live-word").textContent = WORDS[state];
  at("banner").hidden = state !== "lost";
  at("banner").textContent = state === "lost" ? LOST : "";
  document.body.toggleAttribute("data-stale", state === "lost");
}

/** Ask for the list; while an answer is under way, ask once more after it. */
async function refresh() {
  if (asking) {
    againAfter = true;
    return;
  }
  asking = true;
  try {
    const { lane, verdict } = chosen;
    drawMessages(await messages({ limit: LINES, lane, verdict }), { chosen: lane || verdict });
    await refreshStory();
  } catch (problem) {
    if (problem.status === undefined) throw problem;
    if (problem.status === 0) showState("lost");
  } finally {
    asking = false;
    if (againAfter) {
      againAfter = false;
      refresh();
    }
  }
}

function watch() {
  if (!paused) stream.watch({ since: chosen.span, lane: chosen.lane });
}

function choose(group, { redraw }) {
  at(group).addEventListener("change", (event) => {
    chosen[group] = event.target.value;
    forgetMessages();
    if (redraw) stream.watch({ since: chosen.span, lane: chosen.lane });
    if (redraw && paused) setPaused(false);
    else refresh();
  });
}

function setPaused(now) {
  paused = now;
  at("pause").setAttribute("aria-pressed", String(now));
  at("pause").querySelector(".tool-word").textContent = now ? "Resume" : "Pause";
  say(now ? "Paused" : "Live again");
  if (now) stream.pause();
  else {
    showState("connecting");
    watch();
  }
}

function start() {
  startTheme();
  choose("lane", { redraw: true });
  choose("span", { redraw: true });
  choose("verdict", { redraw: false });
  at("pause").addEventListener("click", () => setPaused(!paused));
  at("search").addEventListener("submit", (event) => {
    event.preventDefault();
    const id = new FormData(event.target).get("id").trim();
    if (id) location.hash = `#/m/${encodeURIComponent(id)}`;
  });
  at("panel").addEventListener("close", () => storyOf(location.hash) && history.pushState(null, "", "#/"));
  at("panel").addEventListener("close", () => openStory(storyOf(location.hash)));
  at("panel").addEventListener("click", (event) => event.target === at("panel") && at("panel").close());
  addEventListener("hashchange", () => openStory(storyOf(location.hash)));
  addEventListener("popstate", () => openStory(storyOf(location.hash)));
  setInterval(freshen, 1000);
  openStory(storyOf(location.hash));
  watch();
  refresh();
}

start();
