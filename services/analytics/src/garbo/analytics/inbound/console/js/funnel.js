/** The picture of a span of time: headline, steps, flow, reasons, pace. */

import { at, el, number, percent, shape } from "./dom.js";
import { clock } from "./time.js";

const STEPS = [
  ["requested", "Asked for"],
  ["decided", "Decided"],
  ["accepted", "Accepted"],
  ["delivered", "Delivered"],
  ["read", "Read"],
  ["replied", "Replied"],
];
const SPANS = { "15m": "15 minutes", "60m": "hour", "6h": "6 hours", "24h": "24 hours" };
const HEIGHT = 120;
const MIDDLE = 54;
const THICKEST = 86;

/** Draw all of it. */
export function drawFunnel(funnel, { span, lane }) {
  at("headline").replaceChildren(...headline(funnel, span, lane));
  at("steps").replaceChildren(...STEPS.map(([step, name]) => stepView(funnel, step, name)));
  at("flow").replaceChildren(flow(funnel));
  drawReasons(funnel);
  drawFigures(funnel);
  at("pace").replaceChildren(...pace(funnel.series));
}

function headline({ steps, held_back: held, waiting }, span, lane) {
  const when = `In the last ${SPANS[span]}`;
  const kind = lane ? `${lane} message` : "message";
  if (!steps.requested) return [`${when} nobody asked for a ${kind}.`];
  const asked = [`${when} `, el("b", {}, number(steps.requested)), ` ${kind}${steps.requested === 1 ? " was" : "s were"} asked for`];
  const wait = waiting.total ? [waiting.total === 1 ? " One waits" : ` ${number(waiting.total)} wait`, " for a better moment."] : [];
  if (!held.total) return [...asked, ", and none had to be held back.", ...wait];
  return [...asked, "; ", el("b", { class: "tact" }, `${number(held.total)} held back`), ", out of tact.", ...wait];
}

function stepView({ steps, held_back: held, waiting }, step, name) {
  const count = steps[step];
  const share = percent(count, steps.requested);
  const away = [held.total && `${number(held.total)} held back`, waiting.total && `${number(waiting.total)} waiting`].filter(Boolean).join(", ");
  const note = step === "decided" && away ? el("span", { class: "step-held" }, away) : share && step !== "requested" ? share : "";
  const bar = el("i");
  bar.style.setProperty("--share", `${steps.requested ? (100 * count) / steps.requested : 0}%`);
  return el("li", { class: "step" },
    el("div", { class: "step-name" }, name),
    el("div", { class: "step-count", "data-step": step }, number(count)),
    el("div", { class: "step-share" }, note),
    el("div", { class: "step-bar" }, bar));
}

/** A stream that narrows from step to step; what is held back, or waits, leaves it below. */
function flow({ steps, held_back: held, waiting }) {
  const away = held.total + waiting.total;
  const whole = Math.max(1, steps.requested, steps.decided);
  const thick = (count) => (count ? Math.max(2, (THICKEST * count) / whole) : 0);
  const x = STEPS.map((_, index) => 100 * index);
  const picture = shape("svg", { viewBox: `0 0 ${100 * STEPS.length} ${HEIGHT}`, preserveAspectRatio: "none" },
    gradient("on", "stop-begin", "stop-end"), gradient("away", "stop-held", "stop-gone"));
  for (const line of x.slice(1)) picture.append(shape("path", { class: "flow-line", d: `M${line} 0V${HEIGHT}` }));
  if (!steps.requested) return picture;
  const levels = STEPS.map(([step]) => thick(step === "decided" ? steps.decided - away : steps[step]));
  const gone = thick(away);
  const tops = levels.map((level) => MIDDLE - level / 2);
  tops[1] = MIDDLE - (levels[1] + gone) / 2;
  const edges = levels.map((level, index) => [x[index], tops[index], tops[index] + level]);
  edges[1][2] = tops[1] + levels[1];
  picture.append(shape("path", { class: "flow-on", d: band([...edges, [600, tops[5], tops[5] + levels[5]]], gone) }));
  if (gone) {
    const top = edges[1][2];
    const d = `M100 ${top}C160 ${top} 200 ${HEIGHT * 0.86} 290 ${HEIGHT}H${290 - 60}C180 ${HEIGHT} 150 ${top + gone} 100 ${top + gone}Z`;
    picture.append(shape("path", { class: "flow-held", d }));
  }
  return picture;
}

function band(edges, gone) {
  const along = (points) => points.slice(1).map(([x, y], index) => {
    const [before, last] = points[index];
    const middle = (before + x) / 2;
    return `C${middle} ${last} ${middle} ${y} ${x} ${y}`;
  }).join("");
  const tops = edges.map(([x, top]) => [x, top]);
  const bottoms = edges.map(([x, , bottom]) => [x, bottom]);
  const under = [[bottoms[0][0], bottoms[0][1]], [bottoms[1][0], bottoms[1][1] + gone]];
  const [last] = tops.slice(-1);
  const back = bottoms.slice(1).reverse();
  return `M${tops[0][0]} ${tops[0][1]}${along(tops)}L${last[0]} ${back[0][1]}${along(back)}L100 ${under[1][1]}${along(under.reverse())}Z`;
}

function gradient(id, begin, end) {
  return shape("linearGradient", { id }, shape("stop", { class: begin, offset: "0" }), shape("stop", { class: end, offset: "1" }));
}

function drawReasons({ held_back: held, waiting, failed_by_code: failed }) {
  at("held-total").textContent = held.total ? number(held.total) : "";
  const rows = held.by_reason.map((reason) => reasonView(reason.label, reason.count, held.total));
  at("held").replaceChildren(...(rows.length ? rows : [el("li", { class: "quiet" }, "Nothing. Everybody's limits are far.")]));
  at("waits").hidden = !waiting.total;
  at("waiting-total").textContent = number(waiting.total);
  at("waiting").replaceChildren(...waiting.by_reason.map((reason) => reasonView(reason.label, reason.count, waiting.total)));
  const all = failed.reduce((sum, failure) => sum + failure.count, 0);
  at("failed").replaceChildren(...failed.slice(0, 4).map((failure) => reasonView(failure.words, failure.count, all)));
}

function reasonView(name, count, total) {
  const bar = el("i");
  bar.style.setProperty("--share", `${(100 * count) / total}%`);
  return el("li", { class: "reason" }, el("span", {}, name), el("span", { class: "reason-count" }, number(count)), el("div", { class: "reason-bar" }, bar));
}

function drawFigures({ steps }) {
  const figures = [["They wrote", steps.inbound], ["They said stop", steps.opted_out], ["Unclear, being settled", steps.unknown], ["Failed", steps.failed]];
  at("figures").replaceChildren(...figures.flatMap(([name, count]) => [el("dt", {}, name), el("dd", {}, number(count))]));
}

function pace({ points }) {
  const most = Math.max(1, ...points.map((point) => point.requested));
  const picture = shape("svg", { viewBox: `0 0 ${points.length * 10} 60`, preserveAspectRatio: "none", role: "img", "aria-label": "Messages asked for and held back over time" });
  points.forEach((point, index) => {
    const high = (56 * point.requested) / most;
    const held = Math.min(high, (56 * point.held_back) / most);
    const box = { x: index * 10 + 1, width: 8, rx: 1 };
    const told = shape("title", {}, `${clock(point.at)}: ${number(point.requested)} asked for, ${number(point.held_back)} held back`);
    picture.append(shape("g", {}, told,
      shape("rect", { ...box, y: 0, height: 60, fill: "transparent" }),
      shape("rect", { ...box, class: "pace-asked", y: 60 - high, height: high }),
      shape("rect", { ...box, class: "pace-held", y: 60 - held, height: held })));
  });
  picture.append(shape("path", { class: "pace-base", d: `M0 60H${points.length * 10}` }));
  return [picture, el("div", { class: "pace-axis" }, el("span", {}, clock(points[0].at)), el("span", {}, "now"))];
}
