/*! ConstIntel tracker: what a visitor looks at and puts into the cart, sent to /v1/batch of where this file comes from.
 *
 * <script async src="https://constintel.example/tracker.js" data-key="WRITE KEY"></script>
 *
 * data-consent="required"  nothing is kept or sent before constintel.optIn()
 * data-page="false"        no page view of its own accord;  data-spa: one for each address the page takes on
 * data-domain="shop.example"  share the visitor's id among subdomains
 * Calls before it is loaded: (window.constintel = window.constintel || []).push(["track", "Search", {query: "shoes"}])
 */
(() => {
  "use strict";
  const script = document.currentScript || document.querySelector("script[data-key][src*='tracker.js']");
  const early = window.constintel;
  if (!script || (early && early.version)) return;
  const options = script.dataset;
  const url = options.url || new URL("/v1/batch", script.src).href;
  const ID = "_ci_id", USER = "_ci_user", QUEUE = "_ci_queue", CONSENT = "_ci_consent";
  const MAX_MESSAGES = 500, BATCH = 50, MAX_BYTES = 60000, MAX_MESSAGE = 30000, WAIT = 1000, MAX_WAIT = 60000;
  const YEAR = 31536000;
  const memory = {};
  let timer = 0, failures = 0, flying = new Set();

  // What is remembered is gone with the page where the browser keeps nothing.
  const read = (name) => {
    try { return localStorage.getItem(name); } catch { return memory[name] || null; }
  };
  const write = (name, value) => {
    memory[name] = value;
    try {
      if (value === null) localStorage.removeItem(name);
      else localStorage.setItem(name, value);
    } catch { /* memory has it */ }
  };
  const cookie = (name) => {
    const found = document.cookie.split("; ").find((part) => part.startsWith(name + "="));
    return found ? found.slice(name.length + 1) : null;
  };
  const setCookie = (name, value, age) => {
    const domain = options.domain ? "; domain=" + options.domain : "";
    const secure = location.protocol === "https:" ? "; secure" : "";
    document.cookie = `${name}=${value}; path=/; max-age=${age}; samesite=lax${domain}${secure}`;
  };
  const uuid = () => {
    if (crypto.randomUUID) return crypto.randomUUID();
    return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  };

  // A signal of the browser counts for more than anything a page says.
  const refused = () => navigator.globalPrivacyControl === true || navigator.doNotTrack === "1" ||
    window.doNotTrack === "1" || cookie(CONSENT) === "0";
  const allowed = () => !refused() && (options.consent !== "required" || cookie(CONSENT) === "1");

  const visitor = () => {
    const id = cookie(ID) || read(ID) || uuid();
    setCookie(ID, id, YEAR);
    write(ID, id);
    return id;
  };
  const queue = () => {
    try { return JSON.parse(read(QUEUE)) || []; } catch { return []; }
  };
  const forget = (...names) => {
    setCookie(ID, "", 0);
    [ID, USER, ...names].forEach((name) => write(name, null));
  };

  const context = () => {
    const query = new URLSearchParams(location.search);
    const campaign = {};
    for (const part of ["source", "medium", "term", "content"]) {
      if (query.get("utm_" + part)) campaign[part] = query.get("utm_" + part);
    }
    if (query.get("utm_campaign")) campaign.name = query.get("utm_campaign");
    return {
      page: { url: location.href, path: location.pathname, search: location.search, title: document.title,
        referrer: document.referrer },
      campaign, locale: navigator.language, userAgent: navigator.userAgent,
      library: { name: "constintel.js", version: api.version },
    };
  };

  const add = (message) => {
    if (!allowed()) return;
    const whole = { messageId: uuid(), timestamp: new Date().toISOString(), anonymousId: visitor(), context: context(),
      ...message };
    const user = read(USER);
    if (user) whole.userId = user;
    if (JSON.stringify(whole).length > MAX_MESSAGE) {
      console.warn("constintel: an event is too large and is not sent");
      return;
    }
    const waiting = [...queue(), whole];
    write(QUEUE, JSON.stringify(waiting.slice(-MAX_MESSAGES)));
    later(waiting.length >= BATCH ? 0 : WAIT);
  };

  // The next messages that fit one request; the key in the body of a text needs no preflight.
  const next = () => {
    const batch = [];
    let size = 200;
    for (const message of queue().filter(({ messageId }) => !flying.has(messageId)).slice(0, BATCH)) {
      size += new Blob([JSON.stringify(message)]).size + 1;
      if (batch.length && size > MAX_BYTES) break;
      batch.push(message);
    }
    return batch;
  };
  const body = (batch) => JSON.stringify({ writeKey: options.key, sentAt: new Date().toISOString(), batch });
  const later = (wait) => {
    clearTimeout(timer);
    timer = setTimeout(flush, wait);
  };
  const done = (batch) => {
    // Another tab may have added to the queue or sent from it meanwhile.
    write(QUEUE, JSON.stringify(queue().filter(({ messageId }) => !batch.some((sent) => sent.messageId === messageId))));
  };

  const flush = async () => {
    const batch = allowed() && !flying.size ? next() : [];
    if (!batch.length) return;
    flying = new Set(batch.map(({ messageId }) => messageId));
    let wait = 0;
    try {
      const answer = await fetch(url, { method: "POST", body: body(batch), keepalive: true, credentials: "omit",
        headers: { "Content-Type": "text/plain" } });
      if (answer.status === 429 || answer.status >= 500) {
        wait = 1000 * Number(answer.headers.get("Retry-After")) || MAX_WAIT;
        throw new Error(String(answer.status));
      }
      failures = 0;
      done(batch);
    } catch {
      failures += 1;
      wait = Math.max(wait && Math.min(wait, MAX_WAIT), Math.min(MAX_WAIT, WAIT * 2 ** failures) * (0.5 + Math.random()));
    }
    flying = new Set();
    if (queue().length) later(failures ? wait : 0);
  };
  // Nobody hears the answer when the page goes: the messages stay and go again from the next one, with the same ids.
  const leave = () => {
    const batch = allowed() ? next() : [];
    if (batch.length) navigator.sendBeacon(url, new Blob([body(batch)], { type: "text/plain" }));
  };

  const api = {
    version: "1",
    track: (event, properties = {}) => add({ type: "track", event, properties }),
    page: (properties = {}) => add({ type: "page", properties: { url: location.href, title: document.title,
      ...properties } }),
    productView: (product) => api.track("Product Viewed", product),
    cartAdd: (product) => api.track("Product Added", product),
    cartRemove: (product) => api.track("Product Removed", product),
    identify: (userId, traits = {}) => {
      if (!allowed()) return;
      if (typeof userId === "object") return api.identify(null, userId || {});
      if (userId) write(USER, String(userId));
      add({ type: "identify", traits });
    },
    reset: () => forget(),
    optIn: () => {
      setCookie(CONSENT, "1", YEAR);
      start();
    },
    optOut: () => {
      setCookie(CONSENT, "0", YEAR);
      forget(QUEUE);
    },
    isTracking: allowed,
    anonymousId: () => (allowed() ? visitor() : null),
    flush,
    push: ([name, ...args]) => api[name] && api[name](...args),
  };

  let started = false;
  const start = () => {
    if (!allowed()) return;
    if (!started && options.page !== "false") api.page();
    started = true;
    later(WAIT);
  };
  if (options.spa !== undefined) {
    const { pushState } = history;
    history.pushState = function (...args) {
      const before = location.href;
      pushState.apply(this, args);
      if (location.href !== before) api.page();
    };
    addEventListener("popstate", () => api.page());
  }
  addEventListener("pagehide", leave);
  document.addEventListener("visibilitychange", () => document.visibilityState === "hidden" && leave());
  addEventListener("online", () => later(0));
  if (refused()) forget(QUEUE);
  window.constintel = api;
  start();
  if (Array.isArray(early)) early.forEach(api.push);
})();
