// What a reader did, kept in this browser and nowhere else. Classic scripts, not ES modules: browsers refuse modules
// from a folder, and the guide must also work unzipped.
"use strict";
window.mlDesign = (() => {
  const { base } = JSON.parse(document.getElementById("__config").textContent);
  const root = new URL(base.replace(/\/?$/, "/"), location.href); // "..", or "/" on the page of errors
  const memory = {}; // where the browser stores nothing, it lasts as long as the page

  /** The address of a page within the site, the same online and unzipped. */
  function pageOf(href) {
    const path = new URL(href, location.href).pathname;
    return path.startsWith(root.pathname) ? path.slice(root.pathname.length).replace(/index\.html$/, "") : null;
  }

  /** Whether the browser kept it: it may be full, or forbid storing. */
  function store(key, text) {
    try {
      localStorage.setItem(key, text);
      return true;
    } catch (error) {
      return false;
    }
  }

  /** What is stored under a key. What is not of the expected shape is put aside, not deleted. */
  function load(key, valid, empty) {
    let text = null;
    try {
      text = localStorage.getItem(key);
      if (text !== null) {
        const value = JSON.parse(text);
        if (valid(value)) return value;
        throw new TypeError(`not what ${key} holds`);
      }
    } catch (error) {
      if (text !== null && store(`${key}.unreadable`, text)) localStorage.removeItem(key);
    }
    return memory[key] ?? empty;
  }

  function save(key, value) {
    memory[key] = value;
    return store(key, JSON.stringify(value));
  }

  /** Whether it is an object, not a list, of which each value passes. */
  function record(value, each) {
    return Boolean(value) && typeof value === "object" && !Array.isArray(value) && Object.values(value).every(each);
  }

  /** Today, or so many days from now, where the reader is: 2026-11-25. */
  function day(ahead = 0) {
    const date = new Date();
    date.setDate(date.getDate() + ahead);
    const two = (number) => String(number).padStart(2, "0");
    return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  }

  /** A new element with attributes and children; "onclick" and the like listen. */
  function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else if (value === true) element.setAttribute(name, "");
      else if (value !== false) element.setAttribute(name, value);
    }
    element.append(...children);
    return element;
  }

  /** The bar of the five phases, as decoration: the words beside it say the same. `fill` takes a share for each. */
  function phaseBar(kind) {
    const parts = [1, 2, 3, 4, 5].map((number) => make("span", { class: `seg p${number}` }));
    const bar = make("div", { class: `phases phases--${kind}`, "aria-hidden": "true" }, ...parts);
    const fill = (shares) => parts.forEach((part, i) => part.style.setProperty("--done", shares[i]));
    return { bar, fill };
  }

  /** What is kept of a quiz, by question: [right at first, times right in a row, day it is asked again]. */
  function quizOf(page) {
    const answers = Object.entries(load(kinds.quiz.key, kinds.quiz.valid, kinds.quiz.empty)[page] ?? {});
    return Object.fromEntries(answers.map(([id, it]) => [id, Array.isArray(it) ? it : [it, Number(it), day()]])); // of old
  }

  const text = (value) => typeof value === "string";
  const kinds = {
    read: { key: "ml-design.read", valid: (value) => record(value, text), empty: {} },
    // card: [times known in a row, day it is due]
    cards: {
      key: "ml-design.cards",
      valid: (value) => record(value, (card) => Array.isArray(card) && Number.isInteger(card[0]) && text(card[1])),
      empty: {},
    },
    // page: {question: [whether right at first, times right in a row, day it is asked again], or of old the first alone}
    quiz: {
      key: "ml-design.quiz",
      valid: (value) =>
        record(value, (page) =>
          record(page, (it) => {
            const [first, times, due] = Array.isArray(it) ? it : [it, 0, ""];
            return typeof first === "boolean" && Number.isInteger(times) && text(due);
          }),
        ),
      empty: {},
    },
    // runs of the mock interview, oldest first
    mock: {
      key: "ml-design.mock",
      valid: (value) =>
        Array.isArray(value) &&
        value.every((run) => record(run, () => true) && text(run.date) && text(run.title) && text(run.summary)),
      empty: [],
    },
    // the interview that is going on
    now: {
      key: "ml-design.mock.now",
      valid: (value) =>
        value === null ||
        (record(value, () => true) &&
          text(value.title) &&
          [value.elapsed, value.asked].every((number) => typeof number === "number") &&
          (value.since === null || typeof value.since === "number") &&
          (value.scores === undefined || Array.isArray(value.scores)) && // there while scoring
          record(value.notes, text)),
      empty: null,
    },
  };
  return {
    pageOf,
    day,
    make,
    phaseBar,
    quizOf,
    keyOf: (kind) => kinds[kind].key,
    load: (kind) => load(kinds[kind].key, kinds[kind].valid, kinds[kind].empty),
    save: (kind, value) => save(kinds[kind].key, value),
  };
})();
