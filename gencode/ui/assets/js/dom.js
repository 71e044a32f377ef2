// Elements. Text goes in as text only; nothing here, or anywhere on this page, parses HTML.

/** An element. Attributes: `onX` listens, `true` sets, `false`, null and undefined leave out. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...present(children));
  return element;
}

/** Puts these in place of what an element holds; null and false are left out. */
export const fill = (element, ...children) => element.replaceChildren(...present(children));

const present = (children) => children.flat().filter((child) => child != null && child !== false);

const PATHS = {
  plus: "M8 3v10M3 8h10",
  copy: "M5.5 5.5v-3h8v8h-3M2.5 5.5h8v8h-8z",
  download: "M8 2v8m-3.5-3L8 10.5 11.5 7M3 13.5h10",
  external: "M6 3H3v10h10v-3M9 3h4v4M13 3L7 9",
  stop: "M4.5 4.5h7v7h-7z",
  again: "M13 8a5 5 0 1 1-1.6-3.7M13 2v3h-3",
  key: "M10.5 9a3.5 3.5 0 1 0-3.2-2.1L2.5 11.7v1.8h2.2v-1.6h1.6v-1.6h1.1L8.6 8.6c.6.3 1.2.4 1.9.4z",
  sun: "M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1 1M12 12l1 1M3 13l1-1M12 4l1-1",
  moon: "M13 9.5A5.5 5.5 0 0 1 6.5 3 5.5 5.5 0 1 0 13 9.5z",
  system: "M2 3h12v8H2zM6 14h4M8 11v3",
  check: "M3 8.5l3.2 3L13 4.5",
  cross: "M4 4l8 8M12 4l-8 8",
  dash: "M4 8h8",
  dot: "M8 6a2 2 0 1 0 0 4 2 2 0 0 0 0-4z",
  pen: "M3 13l.7-3L11 2.7l2.3 2.3L6 12.3z",
  folder: "M2 4h4l1.5 1.5H14V13H2z",
  bin: "M3 4.5h10M6.5 4.5V3h3v1.5M4.5 4.5l.6 9h5.8l.6-9",
  list: "M6 4h8M6 8h8M6 12h8M2.5 4h.1M2.5 8h.1M2.5 12h.1",
  board: "M2.5 2.5h4.5v4.5h-4.5zM9 2.5h4.5v4.5H9zM2.5 9h4.5v4.5h-4.5zM9 9h4.5v4.5H9z",
  warn: "M8 2.5l6 11H2zM8 6.5v3.3M8 11.8v.1",
};
const SVG = "http://www.w3.org/2000/svg";

/** A drawing beside words; screen readers pass it over. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("class", `icon icon-${name}`);
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}

/** Words for screen readers only. */
export const unseen = (text) => h("span", { class: "unseen" }, text);

/** Said once, politely, by screen readers. */
export function announce(text) {
  document.getElementById("announcer").textContent = text;
}

/** Sets text only if it differs: what does not change is not painted (nor read aloud) again. */
export function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** At most one run of `work` for each frame, however often it is asked for; at once if nobody looks. */
export function eachFrame(work) {
  let due = false;
  return () => {
    if (due) return;
    due = true;
    const run = () => {
      due = false;
      work();
    };
    if (document.hidden) setTimeout(run, 100);
    else requestAnimationFrame(run);
  };
}

/** The clipboard's own interface is there on secure origins only; plain HTTP in a local network is none. */
export async function copy(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const field = h("textarea", { class: "unseen", "aria-hidden": "true" });
  field.value = text;
  document.body.append(field);
  field.select();
  document.execCommand("copy");
  field.remove();
}
