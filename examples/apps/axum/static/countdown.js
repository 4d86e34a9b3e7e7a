// The live countdown, the warnings, and the way to the sign-in when a session
// ends. All instants are the server's, in unix seconds: `now` of the last status
// plus the time that has passed since, so a wrong clock here does no harm.
"use strict";

(() => {
  const otherTabs = new BroadcastChannel("session");
  // A page was loaded: another tab may have signed in or out, or been active.
  otherTabs.postMessage("changed");
  localiseTimes();

  const panel = document.getElementById("countdown");
  if (!panel) return;

  const warnings = {
    idle: { dialog: document.getElementById("warn-idle"), before: Number(panel.dataset.warnIdle) },
    cap: { dialog: document.getElementById("warn-cap"), before: Number(panel.dataset.warnCap) },
  };
  const announcement = document.getElementById("announcement");
  const shown = new Map(); // which warning was shown for which deadline
  let status = JSON.parse(panel.dataset.status);
  let readAt = performance.now();
  let leaving = false;

  const now = () => status.now + (performance.now() - readAt) / 1000;
  const left = () => ({
    idle: status.idle_expires_at - now(),
    cap: status.absolute_expires_at - now(),
  });

  // Reading the status never extends the session; `POST` is the user's doing.
  async function ask(method) {
    const answer = await fetch("/session", {
      method,
      headers: { accept: "application/json" },
      cache: "no-store",
    });
    if (answer.status === 401) {
      leave((await answer.json()).reason);
      return false;
    }
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    const fresh = await answer.json();
    if (fresh.session !== status.session) {
      // Another session took this one's place, perhaps another user's.
      leaving = true;
      location.reload();
      return false;
    }
    status = fresh;
    readAt = performance.now();
    showTimes();
    tick();
    return true;
  }

  async function check() {
    if (leaving) return;
    // Out of reach for now: the next poll tries again.
    await ask("GET").catch(() => {});
  }

  async function extend(dialog) {
    const problem = dialog.querySelector("[data-problem]");
    problem.hidden = true;
    try {
      if (!(await ask("POST"))) return;
      dialog.close();
      announcement.textContent = `You stay signed in, for ${words(left().idle)}.`;
      otherTabs.postMessage("changed");
    } catch {
      problem.textContent = "That did not work. Try again.";
      problem.hidden = false;
    }
  }

  // Where the cookie ran out with the session, at its cap, the server sees no token and
  // can only say that there is no session; the deadlines here know why.
  function leave(reason) {
    if (leaving) return;
    leaving = true;
    const { idle, cap } = left();
    if (reason === "ended" && Math.min(idle, cap) <= 0) reason = cap <= 0 ? "absolute_cap" : "idle";
    document.documentElement.dataset.ended = reason;
    // Replaces this page, so that the back button does not return to it.
    const next = encodeURIComponent(location.pathname);
    location.replace(`/sign-in?reason=${encodeURIComponent(reason)}&next=${next}`);
  }

  function tick() {
    if (leaving) return;
    const remaining = left();
    for (const [kind, seconds] of Object.entries(remaining)) {
      for (const place of document.querySelectorAll(`[data-left=${kind}]`)) {
        place.textContent = words(seconds);
        place.hidden = false;
      }
    }
    // Without an extension to offer, the idle deadline is the cap itself.
    warn("idle", status.extendable && remaining.idle <= warnings.idle.before, status.idle_expires_at);
    warn("cap", remaining.cap <= warnings.cap.before, status.absolute_expires_at);
    panel.dataset.state =
      remaining.cap <= warnings.cap.before || remaining.idle <= warnings.idle.before ? "late" : "early";
  }

  function warn(kind, due, deadline) {
    const { dialog } = warnings[kind];
    if (!due) {
      if (dialog.open) dialog.close();
      shown.delete(kind);
    } else if (shown.get(kind) !== deadline && !document.querySelector("dialog[open]")) {
      shown.set(kind, deadline);
      dialog.showModal();
    }
  }

  function showTimes() {
    const times = panel.querySelectorAll("time");
    const instants = [status.idle_expires_at, status.absolute_expires_at];
    times.forEach((time, place) => {
      time.dateTime = new Date(instants[place] * 1000).toISOString();
    });
    localiseTimes();
  }

  for (const button of document.querySelectorAll("[data-extend]")) {
    button.addEventListener("click", () => extend(button.closest("dialog")));
  }
  for (const button of document.querySelectorAll("[data-close]")) {
    button.addEventListener("click", () => button.closest("dialog").close());
  }
  otherTabs.addEventListener("message", check);
  document.addEventListener("visibilitychange", () => document.hidden || check());
  // A page that the browser keeps for the back button is hidden there, and comes
  // back only by asking the server again.
  window.addEventListener("pagehide", () => document.documentElement.classList.add("left"));
  window.addEventListener("pageshow", (event) => event.persisted && location.reload());
  setInterval(check, Number(panel.dataset.poll) * 1000);
  setInterval(() => {
    tick();
    const { idle, cap } = left();
    if (Math.min(idle, cap) <= 0) check();
  }, 1000);
  tick();

  function words(seconds) {
    const whole = Math.max(0, Math.ceil(seconds));
    const days = Math.floor(whole / 86400);
    if (days > 1) return `${days} days`;
    const two = (part) => String(part).padStart(2, "0");
    const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
    return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
  }
})();

function localiseTimes() {
  const format = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
  for (const time of document.querySelectorAll("time")) {
    time.textContent = format.format(new Date(time.dateTime));
  }
}
