// Live parts, confirmation of actions, the shortcut of the search, the browser's time zone. Everything else is HTML.
"use strict";

function listen(element) {
  const source = new EventSource(element.dataset.live);
  const offline = document.querySelector(".offline");
  source.onopen = () => { offline.hidden = true; };
  source.onmessage = (event) => {
    offline.hidden = true;
    if (element.contains(document.activeElement) && document.activeElement !== document.body
        && !document.activeElement.id) return;  // do not take a link away under the focus of somebody's keyboard
    const ticked = [...element.querySelectorAll("input:checked")].map((box) => [box.name, box.value]);
    htmx.swap(element, event.data, {swapStyle: "innerHTML"});
    for (const box of element.querySelectorAll("input[type=checkbox]")) {
      box.checked = ticked.some(([name, value]) => box.name === name && box.value === value);
    }
  };
  source.onerror = () => {
    offline.hidden = false;
    if (source.readyState === EventSource.CLOSED) setTimeout(() => location.reload(), 10000);
  };
  addEventListener("pagehide", () => source.close());
}

document.addEventListener("submit", (event) => {
  const question = event.target.dataset.confirm;
  if (question && !confirm(question)) event.preventDefault();
});

document.addEventListener("change", (event) => {
  const box = event.target;
  if (!box.matches("input[data-all]")) return;
  for (const other of document.querySelectorAll(`input[name="${box.dataset.all}"]`)) other.checked = box.checked;
});

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
  button.dataset.copied = "";
});

document.addEventListener("keydown", (event) => {
  if (event.key === "/" && !event.target.closest("input, textarea, select")) {
    document.getElementById("find")?.focus();
    event.preventDefault();
  }
  if (event.key === "Escape") document.querySelector("details.menu[open]")?.removeAttribute("open");
});

document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll("[data-live]").forEach(listen);
  if (!document.cookie.includes("hookstream_zone=")) {
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    document.cookie = `hookstream_zone=${zone}; path=/; max-age=31536000; samesite=lax`;
  }
});
