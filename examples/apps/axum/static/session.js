// The countdown, the warning before a deadline, and the cover after it. All instants are
// the server's, in unix seconds: `now` of the last status plus the time that has passed
// since, so a wrong clock here does no harm.
"use strict";

(() => {
  const by = (id) => document.getElementById(id);
  const panel = by("session");
  const cover = by("cover");
  const otherTabs = new BroadcastChannel("session");
  const warnBefore = { idle: Number(panel.dataset.warnIdle), cap: Number(panel.dataset.warnCap) };
  const root = document.documentElement;
  const title = document.title;

  let status = JSON.parse(panel.dataset.status);
  let readAt = performance.now();
  let readOn = Date.now();
  let activeAt = status.now;
  let leaving = false;
  let asking = false;
  let failures = 0;
  let retry = 0; // The timer of the next question.
  let isTyped = false; // Something is typed here that a new page would lose.
  let isSure = false; // The server was asked twice whether the session is over.
  let isWarned = ""; // Which warning shows.
  let source = null;
  let quietUntil = 0; // A form is on its way, here or in another tab: its answer decides.

  // The greater, since one of them may stand still while the machine sleeps.
  const passed = () => Math.max(performance.now() - readAt, Date.now() - readOn) / 1000;
  const now = () => status.now + passed();
  const left = () => ({
    idle: status.idle_expires_at - now(),
    cap: status.absolute_expires_at - now(),
  });

  // An answer, an event and another tab's message may overtake one another.
  const isStale = (fresh) => cover.hidden && fresh.session === status.session
    && fresh.now < status.now && fresh.idle_expires_at <= status.idle_expires_at;

  // Takes over what the server says of the session.
  function adopt(fresh) {
    isSure = false;
    if (leaving || isStale(fresh)) return;
    if (fresh.subject !== status.subject) {
      // Another user has signed in: nothing of this one's page may stay.
      leaving = true;
      location.reload();
      return;
    }
    status = fresh;
    readAt = performance.now();
    readOn = Date.now();
    failures = 0;
    panel.dataset.status = JSON.stringify(status);
    uncover();
    showTimes();
    tick();
  }

  // Reading never extends the session; `POST` is the user's doing.
  async function ask(method) {
    const answer = await fetch("/session", {
      method,
      headers: { accept: "application/json" },
      cache: "no-store",
      signal: AbortSignal.timeout(10_000),
    });
    if (answer.status === 401) {
      const { reason } = await answer.json();
      over(reason);
      otherTabs.postMessage({ over: reason });
      return;
    }
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    const fresh = await answer.json();
    adopt(fresh);
    otherTabs.postMessage({ fresh });
  }

  // One at a time; where the server cannot be reached, again after a while: 5 s, 10 s, 20 s,
  // and then each minute.
  async function check() {
    if (asking || leaving) return;
    asking = true;
    try {
      await ask("GET");
      follow();
    } catch {
      failures += 1;
      const wait = Math.min(60, 5 * 2 ** (failures - 1));
      clearTimeout(retry);
      retry = setTimeout(check, wait * 1000);
      if (!cover.hidden) say("The server cannot be reached.", true);
    } finally {
      asking = false;
    }
  }

  async function extend() {
    activeAt = now();
    await ask("POST");
  }

  // One tab of a browser follows the events for all of them: a browser opens only six
  // connections to a server over HTTP/1.1.
  function follow() {
    if (source || leaving) return;
    source = "waiting";
    if (!navigator.locks) return listen(() => {});
    navigator.locks.request("session-events", () => new Promise(listen)).catch(() => {});
  }

  function listen(release) {
    if (leaving) return release();
    source = new EventSource("/session/events");
    source.addEventListener("status", ({ data }) => {
      const fresh = JSON.parse(data);
      adopt(fresh);
      otherTabs.postMessage({ fresh });
    });
    const stop = () => {
      source?.close();
      source = null;
      release();
    };
    source.addEventListener("ended", ({ data }) => {
      // Otherwise the stream alone ended, and the browser opens it again.
      if (JSON.parse(data).reason === "unavailable") return;
      stop();
      check();
    });
    source.addEventListener("error", () => {
      if (source?.readyState !== EventSource.CLOSED) return;
      stop();
      check();
    });
    addEventListener("pagehide", stop, { once: true });
  }

  // The session is over. What is on the page goes out of sight at once, and to the sign-in
  // unless something is typed here.
  function over(reason) {
    if (leaving) return;
    const { idle, cap } = left();
    const quiet = quietUntil - performance.now();
    if (quiet > 0 && idle > 0) {
      setTimeout(check, quiet);
      return;
    }
    // Another tab may have signed in, and its answer be under way: ask once more.
    if (reason === "no_session" && idle > 0 && cap > 0 && !isSure) {
      isSure = true;
      hide("Signed out", reasons.ended);
      setTimeout(check, 1_000);
      return;
    }
    // The server tells no more of a session that it has forgotten than that there is none.
    if (reason === "no_session") {
      reason = cap <= 0 ? "absolute_cap" : idle <= 0 ? "idle" : "ended";
    }
    hide("Signed out", reasons[reason] ?? reasons.ended);
    const next = encodeURIComponent(location.pathname);
    const signIn = `/sign-in?reason=${encodeURIComponent(reason)}&next=`;
    if (isTyped) {
      say(`${by("cover-text").textContent} What you typed is kept: sign in in a new tab, and it is here again.`);
      by("cover-sign-in").href = `${signIn}%2Fsession`;
      by("cover-sign-in").target = "_blank";
      return;
    }
    leaving = true;
    // Replaces this page, so that the back button does not return to it.
    location.replace(signIn + next);
  }

  const reasons = {
    absolute_cap: "This session reached its time limit.",
    ended: "You signed out, or this session was ended from another device.",
    idle: "You were signed out because nothing was done for a while.",
  };

  function hide(heading, text) {
    by("cover-title").textContent = heading;
    say(text);
    document.title = `${heading} – Sessions`;
    if (!cover.hidden) return;
    for (const part of document.querySelectorAll("body > :not(#cover, script)")) part.inert = true;
    document.querySelector("dialog[open]")?.close();
    root.classList.add("covered");
    cover.hidden = false;
    cover.focus();
  }

  function say(text, canRetry = false) {
    if (by("cover-text").textContent !== text) by("cover-text").textContent = text;
    by("cover-retry").hidden = !canRetry;
  }

  function uncover() {
    if (cover.hidden) return;
    cover.hidden = true;
    root.classList.remove("covered");
    for (const part of document.querySelectorAll("[inert]")) part.inert = false;
    document.title = title;
  }

  function tick() {
    if (leaving || !cover.hidden) return;
    const remaining = left();
    if (Math.min(remaining.idle, remaining.cap) <= 0) {
      hide("Session over", "The time of this session is over. Asking the server…");
      check();
      return;
    }
    by("left").textContent = words(remaining.idle);
    by("live").hidden = false;
    // Without an extension to offer, the idle deadline is the cap itself.
    const kind = remaining.cap <= warnBefore.cap ? "cap"
      : status.extendable && remaining.idle <= warnBefore.idle ? "idle" : "";
    warn(kind, remaining);
  }

  // Once hidden, a warning stays so, on every page, until its deadline is another.
  const deadline = (kind) =>
    `${kind} ${status.session} ${kind === "cap" ? status.absolute_expires_at : status.idle_expires_at}`;

  function warn(kind, remaining) {
    const isHidden = kind !== "" && sessionStorage.getItem("hidden-warning") === deadline(kind);
    document.title = kind ? `${rough(remaining.idle)} left – ${title}` : title;
    const shows = isHidden ? "" : kind;
    by("late").hidden = shows === "";
    root.classList.toggle("late", shows !== "");
    if (shows === isWarned) return;
    isWarned = shows;
    by("extend").hidden = shows !== "idle";
    by("again").hidden = shows !== "cap";
    by("extend-problem").hidden = true;
    by("warning").textContent = shows === "idle"
      ? `You will be signed out in ${rough(remaining.idle)}, since nothing was done for a while.`
      : shows === "cap"
        ? `This session ends in ${rough(remaining.cap)}, whatever you do. Save your work, or sign in again.`
        : "";
  }

  function showTimes() {
    const [idle, cap] = [by("idle"), by("cap")].map((part) => part?.querySelector("time"));
    if (idle) idle.dateTime = new Date(status.idle_expires_at * 1000).toISOString();
    if (cap) cap.dateTime = new Date(status.absolute_expires_at * 1000).toISOString();
    localiseTimes();
  }

  by("extend").addEventListener("click", () => {
    by("extend-problem").hidden = true;
    extend().catch(() => { by("extend-problem").hidden = false; });
  });
  by("dismiss").addEventListener("click", () => {
    sessionStorage.setItem("hidden-warning", deadline(isWarned));
    tick();
  });
  by("cover-retry").addEventListener("click", check);
  // Typing is activity, and what is typed is not thrown away.
  document.addEventListener("input", () => {
    isTyped = true;
    if (now() - activeAt >= Number(panel.dataset.typing)) extend().catch(() => {});
  });
  document.addEventListener("submit", () => {
    isTyped = false;
    hush();
    otherTabs.postMessage({ submitted: true });
  });
  otherTabs.addEventListener("message", ({ data }) => {
    if (data.fresh) adopt(data.fresh);
    else if (data.over) over(data.over);
    else if (data.submitted) hush();
    else if (data.loaded && (quietUntil > 0 || (source && source !== "waiting"))) {
      quietUntil = 0;
      check();
    }
  });
  document.addEventListener("visibilitychange", () => document.hidden || check());
  addEventListener("online", check);
  // A page that the browser keeps for the back button is hidden there, and shows again only
  // once the server has said that the session lives.
  addEventListener("pagehide", () => root.classList.add("left"));
  addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    hide("One moment", "Asking the server whether you are still signed in…");
    root.classList.remove("left");
    check();
  });
  setInterval(tick, 1000);
  follow();
  tick();

  // A change of the password ends this session before the next one is here. As long as a
  // request may take.
  function hush() {
    quietUntil = performance.now() + 20_000;
  }
})();
