// Brings what has changed into the page, while somebody looks at it. Without this script the page is as it was when it was loaded.
"use strict";
const main = document.querySelector("main[data-live]");
let source = null;
let isGone = false;

function isOpen(part) {
  return new Set([...part.querySelectorAll("details[open][data-key]")].map((each) => each.dataset.key));
}

function put(part, fresh) {
  const open = isOpen(part);
  const focused = part.contains(document.activeElement) ? document.activeElement : null;
  const key = focused?.closest("details[data-key]")?.dataset.key;
  const link = focused?.getAttribute("href");
  part.replaceChildren(...fresh.childNodes);
  for (const each of part.querySelectorAll("details[data-key]")) {
    each.open = each.open || open.has(each.dataset.key);
    if (focused?.tagName === "SUMMARY" && each.dataset.key === key) each.firstElementChild.focus();
  }
  if (link) [...part.querySelectorAll("a")].find((each) => each.getAttribute("href") === link)?.focus();
}

async function load() {
  const response = await fetch(main.dataset.page ?? location.href);
  if (!response.ok) return;
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html").querySelector("main[data-live]");
  if (!fresh) return;
  main.dataset.version = fresh.dataset.version;
  for (const part of main.querySelectorAll("[data-part]")) {
    const other = fresh.querySelector(`[data-part="${part.dataset.part}"]`);
    if (other && other.innerHTML !== part.innerHTML) put(part, other);
  }
}

function leave() {
  source.close();
  isGone = true;
  const said = document.createElement("p");
  said.className = "problem";
  said.setAttribute("role", "alert");
  said.textContent = main.dataset.gone;
  main.querySelector("h1").after(said);
}

function follow() {
  source?.close();
  source = null;
  if (document.hidden || isGone) return;
  const url = new URL(main.dataset.live, location.href);
  url.searchParams.set("known", main.dataset.version);
  source = new EventSource(url);
  source.onmessage = load;
  source.addEventListener("gone", leave);
}

if (main) {
  document.addEventListener("visibilitychange", follow);
  follow();
}
