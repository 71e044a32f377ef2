// What a page may have wrong for some of its readers: read by tests/e2e/test_page_access.py, run in the page.

// Controls without an accessible name.
function nameless() {
  const wanted = "a[href], button, input, select, textarea, summary, dialog, [role=treeitem], [tabindex='0']";
  const text = (id) => document.getElementById(id)?.textContent ?? "";
  const name = (e) =>
    e.getAttribute("aria-label") ||
    (e.getAttribute("aria-labelledby") || "").split(" ").map(text).join("") ||
    [...(e.labels || [])].map((label) => label.textContent).join("") ||
    (e.matches("input, select, textarea") ? "" : e.textContent);
  return [...document.querySelectorAll(wanted)].filter((e) => !name(e).trim()).map((e) => e.outerHTML);
}

// Identifiers that stand twice or lead nowhere, landmarks and headings.
function broken() {
  const found = [];
  const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
  found.push(...ids.filter((id, at) => ids.indexOf(id) !== at).map((id) => `two of ${id}`));
  for (const name of ["aria-labelledby", "aria-describedby", "for"])
    for (const e of document.querySelectorAll(`[${name}]`))
      for (const id of e.getAttribute(name).split(" "))
        if (!document.getElementById(id)) found.push(`${name} ${id}`);
  for (const landmark of ["main", "header"])
    if (document.querySelectorAll(landmark).length !== 1) found.push(landmark);
  const navs = [...document.querySelectorAll("nav")].map((nav) => nav.getAttribute("aria-label"));
  if (!navs.length || navs.includes(null) || new Set(navs).size !== navs.length) found.push("nav");
  if (document.querySelectorAll("main h1").length !== 1) found.push("h1");
  if (!document.documentElement.lang) found.push("lang");
  return found;
}

// Text with less contrast than WCAG AA asks for.
function faint() {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const linear = (v) => (v <= 10 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4);
  const light = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const ground = (e) => {
    for (let at = e; at; at = at.parentElement) {
      const colour = rgba(getComputedStyle(at).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return rgba(getComputedStyle(document.body).backgroundColor);
  };
  const found = [];
  for (const e of document.querySelectorAll("body *")) {
    const own = [...e.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!own || !e.checkVisibility() || e.closest(":disabled, .unseen, option")) continue;
    const [one, other] = [light(rgba(getComputedStyle(e).color)), light(ground(e))].sort((a, b) => b - a);
    const ratio = (one + 0.05) / (other + 0.05);
    if (ratio < 4.5) found.push(`${ratio.toFixed(2)} ${e.className} ${e.textContent.slice(0, 30)}`);
  }
  return found;
}

const audit = () => [...nameless(), ...broken(), ...faint()];
