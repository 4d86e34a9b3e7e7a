// For every page: times in the reader's own time, questions as dialogs, and a notice that
// is said once.
"use strict";

(() => {
  // A page was loaded: another tab may have signed in or out, or been active.
  new BroadcastChannel("session").postMessage({ loaded: true });

  // Not said again after a reload or by the back button.
  const here = new URL(location.href);
  if (here.searchParams.has("notice")) {
    here.searchParams.delete("notice");
    here.searchParams.delete("count");
    history.replaceState(history.state, "", here);
  }

  // A link to a question opens it as a dialog; its page is there for whoever has no script.
  document.addEventListener("click", async (event) => {
    const link = event.target.closest("a[data-confirm]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    try {
      const answer = await fetch(link.href, { headers: { accept: "text/html" } });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      ask(page.getElementById("confirm"));
    } catch {
      location.assign(link.href);
    }
  });

  function ask(question) {
    const dialog = document.createElement("dialog");
    dialog.setAttribute("aria-labelledby", "confirm-title");
    dialog.append(...document.importNode(question, true).childNodes);
    const cancel = dialog.querySelector("[data-cancel]");
    cancel.addEventListener("click", (event) => {
      event.preventDefault();
      dialog.close();
    });
    dialog.addEventListener("close", () => dialog.remove());
    document.querySelector("main").append(dialog);
    dialog.showModal();
    // What cannot be undone is not under the first key.
    cancel.focus();
  }
})();

// As short as an instant can be told from others; the whole of it where it is pointed at.
function localiseTimes() {
  const full = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
  const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });
  const day = new Intl.DateTimeFormat(undefined, {
    day: "numeric", month: "short", hour: "numeric", minute: "2-digit",
  });
  const status = document.getElementById("session")?.dataset.status;
  const today = status ? new Date(JSON.parse(status).now * 1000) : new Date();
  for (const time of document.querySelectorAll("time")) {
    const at = new Date(time.dateTime);
    time.title = full.format(at);
    if (time.classList.contains("ago")) continue;
    const form = at.toDateString() === today.toDateString() ? clock
      : at.getFullYear() === today.getFullYear() ? day : full;
    time.textContent = form.format(at);
  }
}
localiseTimes();

// How long, in figures.
function words(seconds) {
  const whole = Math.max(0, Math.ceil(seconds));
  const days = Math.floor(whole / 86400);
  if (days > 1) return `${days} days`;
  const two = (part) => String(part).padStart(2, "0");
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

// For what is read aloud, and for a title.
function rough(seconds) {
  const [size, unit] = seconds > 60 ? [60, "minute"] : [1, "second"];
  const count = Math.max(1, Math.ceil(seconds / size));
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}
