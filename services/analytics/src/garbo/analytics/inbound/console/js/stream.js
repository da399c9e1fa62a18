/** The live funnel: an EventSource that says how it fares. */

import { streamAddress } from "./api.js";

const AGAIN_MS = 3000;
const SILENT_MS = 25000;

/** Watches one funnel at a time; calls `funnel(data)` and `state("live" | "connecting" | "lost" | "paused")`. */
export class Stream {
  #source = null;
  #again = 0;
  #silent = 0;
  #query = {};

  constructor({ funnel, state }) {
    this.funnel = funnel;
    this.state = state;
  }

  watch(query) {
    this.#query = query;
    this.#close();
    const source = new EventSource(streamAddress(query));
    this.#source = source;
    this.#listenOrLose();
    source.addEventListener("funnel", (event) => {
      this.#listenOrLose();
      this.state("live");
      this.funnel(JSON.parse(event.data));
    });
    source.addEventListener("lost", () => this.state("lost"));
    source.addEventListener("alive", () => this.#listenOrLose());
    source.addEventListener("error", () => this.#lost(source));
  }

  pause() {
    this.#close();
    this.state("paused");
  }

  #lost(source) {
    this.state("lost");
    if (source.readyState !== EventSource.CLOSED) return; // the browser tries again by itself
    clearTimeout(this.#again);
    this.#again = setTimeout(() => this.watch(this.#query), AGAIN_MS);
  }

  #listenOrLose() {
    clearTimeout(this.#silent);
    this.#silent = setTimeout(() => {
      this.state("lost");
      this.watch(this.#query);
    }, SILENT_MS);
  }

  #close() {
    clearTimeout(this.#again);
    clearTimeout(this.#silent);
    this.#source?.close();
    this.#source = null;
  }
}
