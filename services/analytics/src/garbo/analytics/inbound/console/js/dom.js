/** Elements without markup strings: whatever a message holds, it stays text. */

const SVG = "http://www.w3.org/2000/svg";

/** Make an element; children that are not nodes become text, null ones are left out. */
export function el(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

/** The same for SVG. */
export function shape(name, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, name), attributes, children);
}

function filled(node, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) node.setAttribute(key, value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}

/** Find the one element with this id. */
export const at = (id) => document.getElementById(id);

/** Say something to those who listen instead of looking. */
export function say(text) {
  at("said").textContent = text;
}

const NUMBER = new Intl.NumberFormat("en");
export const number = (count) => NUMBER.format(count);

/** Give a share in whole percent, without claiming 0 or 100 where it is not. */
export function percent(part, whole) {
  if (!whole) return "";
  const share = (100 * part) / whole;
  if (part > 0 && share < 1) return "<1 %";
  if (part < whole && share > 99) return ">99 %";
  return `${Math.round(share)} %`;
}
