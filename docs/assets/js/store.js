// What a reader did, kept in this browser and nowhere else, each item with the time of its last change. What the browser
// does not store stays in memory as long as the page, and the reader is told.
"use strict";
{
  const { day, make, download, unfold, fold, merge, change } = window.mlDesign;
  const memory = {}; // kind: its entries, as long as they are not stored
  const aside = {}; // key: text that could not be read, as long as it is not stored
  const spoilt = new Set(); // names of what could not be read
  let loose = false; // something is in memory alone, and in no file

  /** Whether it is an object, not a list, of which each value passes. */
  function record(value, each) {
    return Boolean(value) && typeof value === "object" && !Array.isArray(value) && Object.values(value).every(each);
  }
  const text = (value) => typeof value === "string";
  const daysBefore = (due, days) => Date.parse(due) - days * 86_400_000;

  // name: what one item is called, and several. key: where it is stored. since: when an item was last changed, as far as
  // it tells itself: an old version kept no times. What an item is follows from what the kind is when empty: of a record
  // each value (deep: each of theirs), of a list each member, all else is one.
  const kinds = {
    // page: day it was read
    read: { name: ["page read", "pages read"], key: "ml-design.read", valid: (value) => record(value, text), since: Date.parse, empty: {} },
    // card: [times known in a row, day it is due]
    cards: {
      name: ["flashcard", "flashcards"],
      key: "ml-design.cards",
      valid: (value) => record(value, (card) => Array.isArray(card) && Number.isInteger(card[0]) && text(card[1])),
      since: ([times, due]) => daysBefore(due, times ? 2 ** Math.min(times - 1, 4) : 0),
      empty: {},
    },
    // cards to answer a day
    goal: { name: ["daily goal", "daily goals"], key: "ml-design.goal", valid: (value) => Number.isInteger(value) && value > 0, empty: 20 },
    // page: {question: [whether right at first, times right in a row, day it is asked again], or of old the first alone}
    quiz: {
      name: ["quiz answer", "quiz answers"],
      key: "ml-design.quiz",
      deep: true,
      valid: (value) =>
        record(value, (page) =>
          record(page, (it) => {
            const [first, times, due] = Array.isArray(it) ? it : [it, 0, ""];
            return typeof first === "boolean" && Number.isInteger(times) && text(due);
          }),
        ),
      since: (it) => daysBefore(it[2], it[1] ? 2 ** Math.min(it[1], 5) : 1),
      empty: {},
    },
    // exercise: day it was done
    exercises: { name: ["exercise", "exercises"], key: "ml-design.exercises", valid: (value) => record(value, text), since: Date.parse, empty: {} },
    // days: [day, [[kind, page, minutes], …]], left: [[page, minutes], …]; the first of the week is Monday, 0
    plan: {
      name: ["study plan", "study plans"],
      key: "ml-design.plan",
      valid: (value) =>
        value === null ||
        (record(value, () => true) &&
          [value.day, value.at].every(text) &&
          [value.minutes, value.revision, ...value.off].every(Number.isInteger) &&
          value.days.length > 0 &&
          value.days.every(([date, items]) => text(date) && items.every(([kind, page, each]) => text(kind) && text(page) && each >= 0)) &&
          (value.gone ?? []).every(text) &&
          value.left.every(([page, each]) => text(page) && each >= 0)),
      empty: null,
    },
    // runs of the mock interview, oldest first
    mock: {
      name: ["interview", "interviews"],
      key: "ml-design.mock",
      valid: (value) =>
        Array.isArray(value) &&
        value.every((run) => record(run, () => true) && text(run.date) && text(run.title) && text(run.summary)),
      since: ({ date }) => Date.parse(date),
      empty: [],
    },
    // incidents that were dealt with, oldest first
    drill: {
      name: ["incident", "incidents"],
      key: "ml-design.drill",
      valid: (value) =>
        Array.isArray(value) &&
        value.every(
          (run) =>
            record(run, () => true) && [run.date, run.id, run.title].every(text) && [run.points, run.of].every(Number.isInteger),
        ),
      since: ({ date }) => Date.parse(date),
      empty: [],
    },
    // the incident that is going on
    drilling: {
      name: ["incident going on", "incidents going on"],
      key: "ml-design.drill.now",
      here: true,
      valid: (value) =>
        value === null ||
        (record(value, () => true) &&
          text(value.id) &&
          Number.isFinite(value.elapsed) &&
          (value.since === null || Number.isFinite(value.since)) &&
          Array.isArray(value.asked) &&
          value.asked.every(text) &&
          [value.cause ?? 0, value.action ?? 0].every(Number.isInteger)),
      empty: null,
    },
    // the interview that is going on; here: one that is here is not replaced by one from a file
    now: {
      name: ["interview going on", "interviews going on"],
      key: "ml-design.mock.now",
      here: true,
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

  /** What is stored under a key, or undefined. What is not of the expected shape is put aside, not deleted. */
  function read(name, key, valid) {
    let found = null;
    try {
      found = localStorage.getItem(key);
      const value = JSON.parse(found ?? "");
      if (valid(value)) return value;
    } catch (error) {
      if (found === null) return undefined; // nothing there, or nobody may look
    }
    if (found !== null) putAside(name, key, found);
    return undefined;
  }

  function set(key, value) {
    try {
      localStorage.setItem(key, value);
      return true;
    } catch (error) {
      return false; // it is full, or forbids storing
    }
  }

  /** Keep a text that cannot be read, beside those put aside before. */
  function putAside(name, key, found) {
    try {
      localStorage.removeItem(key);
    } catch (error) {
      // then it stays where it is
    }
    keepAside(`${key}.unreadable`, found);
    spoilt.add(name);
    tell();
  }

  function keepAside(name, found) {
    const before = unreadable();
    let free = name;
    for (let i = 2; free in before && before[free] !== found; i++) free = `${name}.${i}`;
    if (free in before || set(free, found)) return;
    aside[free] = found;
    loose = true;
  }

  /** All that was put aside. */
  function unreadable() {
    try {
      const names = Object.keys(localStorage).filter((name) => /^ml-design\..*\.unreadable(\.\d+)?$/.test(name));
      return { ...aside, ...Object.fromEntries(names.map((name) => [name, localStorage.getItem(name)])) };
    } catch (error) {
      return { ...aside };
    }
  }

  const kept = ({ name, key, valid, empty }) => read(name[1], key, valid) ?? empty;

  /** The entries of a kind: what is stored, and what only this tab has. */
  function entries(id) {
    const kind = kinds[id];
    const there = unfold(kind, kept(kind));
    const times = new Map(Object.entries(read(`${kind.name[1]} (their times)`, `${kind.key}.at`, (all) => record(all, Number.isFinite)) ?? {}));
    const known = there.map(([path, item]) => [path, [times.get(path) ?? (kind.since?.(item) || 0), item]]);
    const gone = [...times].map(([path, at]) => [path, [at]]); // but for those known
    return merge(Object.fromEntries([...gone, ...known]), memory[id] ?? {});
  }

  const load = (id) => (memory[id] ? fold(kinds[id], entries(id)) : kept(kinds[id]));

  /** Store entries, and what waits to be stored; return whether the browser keeps them. */
  function put(id, all) {
    memory[id] = all;
    for (const waiting of Object.keys(memory)) {
      const { key } = kinds[waiting];
      const merged = entries(waiting);
      const times = Object.fromEntries(Object.entries(merged).map(([path, [at]]) => [path, at]));
      const stored = set(key, JSON.stringify(fold(kinds[waiting], merged))) && set(`${key}.at`, JSON.stringify(times));
      if (stored) delete memory[waiting];
    }
    if (memory[id] || !Object.keys(memory).length) loose = Boolean(memory[id]);
    tell();
    return !memory[id];
  }

  const save = (id, after) => put(id, change(kinds[id], entries(id), after));

  // What the reader is told, on any page, once.
  const said = make("span", { role: "status" });
  const button = make("button", { type: "button", class: "md-button", hidden: true, onclick: saveFile }, "Save your data");
  document.querySelector("article").before(make("div", { class: "kept md-typeset" }, said, " ", button));

  function tell() {
    const words = [];
    if (Object.keys(memory).length) {
      words.push("This browser keeps nothing more: it is full, or storing is off. Save your data before you leave this page.");
    }
    if (spoilt.size) words.push(`What was kept of your ${[...spoilt].join(", ")} cannot be read. It is put aside, and goes into what you save.`);
    if (said.textContent !== words.join(" ")) said.textContent = words.join(" ");
    button.hidden = !words.length;
    window.onbeforeunload = loose ? (event) => event.preventDefault() : null;
  }

  /** All that is kept, as one file. */
  function saveFile() {
    const all = Object.fromEntries(Object.keys(kinds).map((id) => [id, entries(id)]));
    const file = { format: "ml-design", version: 1, saved: new Date().toISOString(), kinds: all, unreadable: unreadable() };
    download(`ml-design-${day()}.json`, JSON.stringify(file), "application/json");
    loose = false;
    tell();
  }

  /** Forget all, what was put aside too. */
  function erase() {
    for (const all of [memory, aside]) for (const name of Object.keys(all)) delete all[name];
    spoilt.clear();
    loose = false;
    try {
      for (const key of Object.keys(localStorage)) if (key.startsWith("ml-design.")) localStorage.removeItem(key);
    } catch (error) {
      // nothing is stored
    }
    tell();
  }

  /** What is kept of a quiz, by question: [right at first, times right in a row, day it is asked again]. */
  function quizOf(page) {
    const answers = Object.entries(load("quiz")[page] ?? {});
    return Object.fromEntries(answers.map(([id, it]) => [id, Array.isArray(it) ? it : [it, Number(it), day()]])); // of old
  }

  const keyOf = (id) => kinds[id].key;
  Object.assign(window.mlDesign, { kinds, keyOf, load, save, quizOf, record, entries, put, unreadable, keepAside, saveFile, erase });
}
