// Search: a dialog, opened by its button or by the key /. Until then nothing of it is fetched. Then come the engine and
// the titles, which answer at once, and behind them the text of every section. All are classic scripts, which a browser
// also loads from a folder. What there is to find is written by tools/builders/search.py, the dialog by
// theme/partials/header.html.
"use strict";
{
  const KEYBOARD = matchMedia("(hover: hover)").matches; // a thumb has no arrows
  const root = new URL("../../", document.currentScript.src);
  const SHOWN = 12; // results
  const OF_A_PAGE = 3; // of them
  const ENOUGH = 5; // with fewer, those with some of the words follow
  const MANY = 2; // more pages than that share a heading that names a part, as Sources, and no subject
  const TYPED = 4; // letters, from which a word may be the beginning of another
  const LONG = 8; // letters, from which two may differ, and below one; two that are exchanged are one
  const EXCERPT = 170; // letters
  const WORD = /[\p{L}\p{N}]+(?:[-/][\p{L}\p{N}]+)*/gu;
  // Not behind a name that goes on, as et al. (2013) or D. Little.
  const SENTENCE = /(?<!\b(?:al|vs|Fig|Sec|No|\p{L}))[.?!]["”)]? (?=["“]?[\p{Lu}\p{N}])| · /gu;
  const BOOST = { title: 6, terms: 8, about: 3, text: 1, code: 0.5 };
  // A page, or a term of the glossary, stands before sections, and before all the page that explains the term.
  const [PAGE, EXPLAINS] = [1.5, 4];
  const STOP = new Set(
    ("a an and are as at be but by can do does for from how i if in into is it its me my of on or should so that the " +
      "their there this to us was we what when where which who why will with you your").split(" "),
  );

  const dialog = document.querySelector("dialog.search");
  const [input, status, list] = dialog.querySelectorAll("input, [role=status], ol");
  let pages, synonyms;
  let found; // the entries, their index, and the words that it knows, each with its term
  let filling; // once somebody searches
  let waiting = status.textContent;
  let behind = ""; // what is said while there are titles alone
  let leaving = false; // for the entry of the history before that of the dialog

  // Words

  /** The words of a text. A/B is one word. */
  function words(text) {
    let plain = text.toLowerCase();
    if (/[^\0-\x7f]/.test(plain)) plain = plain.normalize("NFKD").replace(/\p{M}/gu, "");
    return plain.replace(/\b(\w)\/(\w)\b/g, "$1$2").match(/[\p{L}\p{N}]+(?:-[\p{L}\p{N}]+)*/gu) ?? [];
  }

  /** The words of a query, cold-start as two, p-value as one. */
  const parts = (text) =>
    words(text).flatMap((word) => (/^\w-|-\w$/.test(word) ? word.replaceAll("-", "") : word.split("-")));

  /** The words of a text, cold-start as cold, start and coldstart. */
  function tokenize(text) {
    return words(text).flatMap((word) => {
      const split = word.split("-");
      return split.length === 2 ? [...split.filter((part) => part.length > 1), split.join("")] : split;
    });
  }

  const stems = new Map();

  /** A word without its ending, or null where it says nothing. */
  function processTerm(word) {
    if (!stems.has(word)) stems.set(word, stemOf(word));
    return stems.get(word);
  }

  function stemOf(word) {
    if (STOP.has(word)) return null;
    if (word.length < 4) return word;
    const one = word.replace(/ies$/, "y").replace(/(s|x|z|ch|sh)es$/, "$1").replace(/(?<![siu]|bia)s$/, "");
    const stem = one.replace(/(?<=\w{4})(ing|ed)$/, "");
    return stem === one ? one : stem.replace(/(?<=\w{3}([bdgmnprt]))\1$/, "");
  }

  const termsOf = (text) => parts(text).map(processTerm).filter(Boolean);

  /** By what names are known, however they are written: log loss, and in one word. */
  const named = (ways) => ways.flatMap((terms) => [terms.join(" "), terms.join("")]);

  /** How many letters two words differ by, one for two that are exchanged; more than the limit is any number above. */
  function distance(a, b, limit) {
    if (Math.abs(a.length - b.length) > limit) return Infinity;
    let [before, last] = [[], [...Array(b.length + 1).keys()]];
    for (let i = 1; i <= a.length; i++) {
      const row = [i];
      for (let j = 1; j <= b.length; j++) {
        row[j] = Math.min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] !== b[j - 1]));
        if (a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) row[j] = Math.min(row[j], before[j - 2] + 1);
      }
      if (Math.min(...row) > limit) return Infinity;
      [before, last] = [last, row];
    }
    return last[b.length];
  }

  // The index

  function load(name) {
    return new Promise((done, failed) => {
      const script = document.createElement("script");
      script.src = new URL(name, root);
      script.addEventListener("load", done);
      script.addEventListener("error", () => failed(new Error(name)));
      document.head.append(script);
    });
  }

  /** An entry for each page, and one for each of its sections. */
  function entriesOf(texts) {
    const times = new Map();
    for (const [, heading] of pages.flatMap((page) => page.headings)) times.set(heading, (times.get(heading) ?? 0) + 1);
    const all = pages.flatMap((page, i) => {
      const of = (j) => ({ page, text: texts?.[i][j][0] ?? "", code: texts?.[i][j][1] ?? "" });
      const about = `${page.about} ${page.description}`;
      // Without their text, all sections of a page would be found by its title.
      const above = texts ? page.title : "";
      const sections = page.headings.map(([anchor, heading], j) => {
        const title = times.get(heading) > MANY ? "" : heading;
        const keys = page.url === "glossary/" ? named(heading.split(", ").map(termsOf)) : [];
        return { anchor, heading, title, keys, about: above, ...of(j + 1) };
      });
      const names = { terms: page.terms.join(". "), keys: named(page.terms.map(termsOf)) };
      return [{ anchor: "", title: page.title, about, ...names, ...of(0) }, ...sections];
    });
    return all.filter(({ title }) => texts || title).map((entry, id) => ({ id, ...entry }));
  }

  async function indexed(entries, chunkSize) {
    const known = new Map(); // words, each with its term
    const note = (word) => {
      const term = processTerm(word);
      known.set(word, term);
      return term;
    };
    const searchOptions = { tokenize: (term) => [term], processTerm: (term) => term }; // as asked() has them
    const index = new MiniSearch({ fields: Object.keys(BOOST), tokenize, processTerm: note, searchOptions });
    await index.addAllAsync(entries, { chunkSize }); // between two chunks the page answers
    return { entries, index, known, terms: new Set(known.values()) };
  }

  async function fill() {
    await Promise.all([load("assets/minisearch/minisearch.min.js"), load("search/titles.js")]);
    pages = searchTitles.pages;
    const alone = pages.flatMap((page) => page.terms.map((name) => [name]));
    synonyms = new Map();
    for (const names of [...alone, ...searchTitles.synonyms]) {
      const ways = names.map(termsOf);
      for (const key of named(ways)) synonyms.set(key, ways);
    }
    behind = "Titles alone: the texts are loading …";
    found = await indexed(entriesOf(), Infinity);
    show();
    try {
      await load("search/texts.js");
    } catch (error) {
      behind = "Titles alone: the texts could not be loaded.";
      filling = null;
      return update();
    }
    found = await indexed(entriesOf(searchTexts), 50);
    behind = "";
    update();
  }

  /** Show what came meanwhile: nothing moves below the finger of who has gone on to the results. */
  function update() {
    if (document.activeElement === input) show();
    else input.addEventListener("focus", show, { once: true });
  }

  // The query

  /** What a word stands for, each way a list of terms, and what it was taken for, if it is not known. */
  function meant(word, unfinished) {
    const { known, terms } = found;
    const term = processTerm(word);
    const typed = unfinished && word.length >= TYPED;
    if (terms.has(term)) return { word, term, ways: [[term]], prefix: typed };
    if (synonyms.has(term)) return { word, term, ways: synonyms.get(term) };
    if (unfinished && word.length > 1) {
      const begun = [...known].filter(([other, of]) => of && other.startsWith(word)).map(([, of]) => of);
      const ways = [word, ...new Set(begun.filter((of) => !of.startsWith(word)))].map((of) => [of]);
      if (begun.length) return { word, term, ways, prefix: true, begins: true };
    }
    let limit = /^\p{L}{4,}$/u.test(word) ? (word.length < LONG ? 1 : 2) : 0;
    let near = [];
    for (const [other, of] of limit ? known : []) {
      if (!of || other[0] !== word[0]) continue;
      const n = distance(word, other, limit);
      if (n < limit) [limit, near] = [n, []];
      if (n === limit) near.push([other, of]);
    }
    const ways = [...new Set(near.map(([, of]) => of))].map((of) => [of]);
    return { word, term: ways.length === 1 ? ways[0][0] : term, ways, instead: near.map(([other]) => other) };
  }

  /** What must be found, each in one of its ways: a word, or a term by any of its names. */
  function asked(text) {
    const all = parts(text).filter((word) => !STOP.has(word));
    const left = all.map((word, i) => meant(word, i === all.length - 1 && /[\p{L}\p{N}]$/u.test(text)));
    const groups = [];
    const name = (n) => left.slice(0, n).map(({ term }) => term).join(" ");
    while (left.length) {
      let n = Math.min(6, left.length);
      while (n && !synonyms.has(name(n))) n--;
      const two = left.slice(0, 2);
      const joined = two.length > 1 && processTerm(two[0].word + two[1].word);
      if (n) groups.push({ ways: synonyms.get(name(n)), from: left.splice(0, n) });
      else if (found.terms.has(joined)) {
        const apart = two.every(({ word, term }) => word.length > 1 && found.terms.has(term));
        const ways = [[joined], ...(apart ? [two.map(({ term }) => term)] : [])];
        groups.push({ ways, from: [{ term: joined, ways }] });
        left.splice(0, 2);
      } else groups.push({ ...left[0], from: left.splice(0, 1) });
    }
    return groups;
  }

  function query(groups, combineWith) {
    const word = (text, prefix) => ({ queries: [text], prefix });
    const of = ({ ways, prefix }) => ways.map((way) => ({
      combineWith: "AND",
      queries: way.map((text) => word(text, Boolean(prefix))),
    }));
    return { combineWith, queries: groups.map((group) => ({ combineWith: "OR", queries: of(group) })) };
  }

  /** The best entries, those with all words first; how many there are of both; and what each word was taken for. */
  function find(text) {
    const groups = asked(text);
    const term = groups.flatMap(({ from }) => from.map((one) => one.term)).join(" ");
    const boostDocument = (id) => {
      const { page, anchor, keys } = found.entries[id];
      if (!keys.includes(term)) return page.weight * (anchor ? 1 : PAGE);
      return anchor ? PAGE : page.weight * EXPLAINS;
    };
    const some = groups.filter(({ ways }) => ways.length);
    const best = new Map();
    const counts = [];
    for (const combineWith of some.length > 1 ? ["AND", "OR"] : some.length ? ["AND"] : []) {
      if (best.size >= ENOUGH) break;
      for (const result of found.index.search(query(some, combineWith), { boost: BOOST, boostDocument })) {
        if (!best.has(result.id)) best.set(result.id, { ...found.entries[result.id], terms: new Set(result.terms) });
      }
      counts.push(best.size);
    }
    const shown = new Map();
    const few = [...best.values()].filter(({ page }) => {
      shown.set(page, (shown.get(page) ?? 0) + 1);
      return shown.get(page) <= OF_A_PAGE;
    });
    return { results: few.slice(0, SHOWN), counts, words: groups.flatMap(({ from }) => from) };
  }

  // What is shown

  function element(name, attributes, ...children) {
    const made = document.createElement(name);
    for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value);
    made.append(...children);
    return made;
  }

  /** Whether a word as it is written was found. */
  const hit = (word, terms) => tokenize(word).some((one) => terms.has(processTerm(one)));

  function marked(text, terms) {
    let at = 0;
    const children = [];
    for (const { 0: word, index } of text.matchAll(WORD)) {
      if (!hit(word, terms)) continue;
      children.push(text.slice(at, index), element("mark", {}, word));
      at = index + word.length;
    }
    return [...children, text.slice(at)];
  }

  /** The part of a text with most of the words, from the beginning of a sentence if one is near. */
  function excerpt(text, terms) {
    const hits = [...text.matchAll(WORD)].filter(([word]) => hit(word, terms));
    let [at, most] = [0, 0];
    for (const { index } of hits) {
      const here = hits.filter((other) => other.index >= index && other.index < index + EXCERPT - 40);
      const n = new Set(here.flatMap(([word]) => tokenize(word).map(processTerm).filter((one) => terms.has(one)))).size;
      if (n > most) [at, most] = [index, n];
    }
    const starts = [...text.matchAll(SENTENCE)].map((stop) => stop.index + stop[0].length);
    const sentence = starts.findLast((start) => start <= at) ?? 0;
    const start = at - sentence < 60 ? sentence : text.indexOf(" ", at - 40) + 1;
    const end = text.length - start > EXCERPT ? text.lastIndexOf(" ", start + EXCERPT) : text.length;
    return `${start > sentence ? "… " : ""}${text.slice(start, end)}${end < text.length ? " …" : ""}`;
  }

  function item({ page, anchor, heading, text, terms }) {
    const file = location.protocol === "file:" ? "index.html" : "";
    const link = element("a", { href: new URL(`${page.url}${file}${anchor && `#${anchor}`}`, root) });
    link.append(element("strong", {}, ...marked(page.title, terms)), " ");
    link.append(element("span", {}, ...(anchor ? marked(heading, terms) : [page.section])));
    const made = element("li", page.phase ? { class: `p${page.phase}` } : {}, link);
    const said = anchor ? text : page.description;
    if (said) made.append(element("div", { class: "search-excerpt" }, ...marked(excerpt(said, terms), terms)));
    return made;
  }

  const quoted = (words) => words.map((word) => `“${word}”`).join(" or ");

  /** What is said of the results: what was taken for what, how many there are, and of what. */
  function summary(text, { results, counts, words }) {
    const where = behind ? "title" : "page";
    const missing = words.filter(({ ways }) => !ways.length).map(({ word }) => word);
    const notes = missing.length ? [`No ${where} has ${quoted(missing)}.`] : [];
    for (const { word, begins, instead } of words) {
      const nearly = instead?.length && `spelt nearly so: ${instead.slice(0, 3).join(", ")}.`;
      const so = nearly || (begins && word.length < TYPED && "words that begin so:");
      if (so) notes.push(`No ${where} has “${word}”; ${so}`);
    }
    const [every, all = every] = counts;
    if (!words.length) notes.push(`Nothing to look for in “${text}”: add a word.`);
    else if (all > every) notes.push(`${every || "None"} with all of “${text}”, then some of it:`);
    if (all) {
      const n = all > results.length ? `${results.length} of ${all}` : all;
      const what = all > 1 ? "results" : "result";
      const same = all === every && !words.some(({ instead }) => instead?.length);
      const of = missing.length ? " for the rest" : same ? ` for “${text}${words.at(-1).begins ? "…" : ""}”` : "";
      notes.push(`${n} ${what}${of}.`);
    }
    return [...notes, behind].join(" ").trim();
  }

  function show() {
    const text = input.value.slice(0, input.maxLength);
    const answer = found && text.trim() ? find(text) : null;
    list.replaceChildren(...(answer?.results ?? []).map(item));
    list.scrollTop = 0;
    if (!found) status.textContent = waiting;
    else if (answer) status.textContent = summary(text.trim(), answer);
    else status.textContent = `${pages.length} pages.${KEYBOARD ? " Arrows move, Enter opens, Escape closes." : ""}`;
  }

  // The dialog

  function onKey(event) {
    const stops = [input, ...list.querySelectorAll("a")];
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      stops[stops.indexOf(document.activeElement) + step]?.focus();
      event.preventDefault();
    } else if (event.key === "Enter" && event.target === input) {
      if (!event.isComposing) stops[1]?.click();
    } else if (event.key.length === 1 && event.target !== input && !(event.ctrlKey || event.metaKey || event.altKey)) {
      if (event.key !== " ") input.focus(); // and goes on typing there, where the theme turns no pages by letters
    }
  }

  function onClick(event) {
    const link = event.target.closest("a");
    if (event.target === dialog || event.target.closest("button")) dialog.close(); // beside it, and older browsers
    if (!link || link.pathname !== location.pathname || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault(); // on this page: its place takes that of the dialog in the history
    history.replaceState(null, "");
    dialog.close();
    location.replace(link.href);
  }

  /** What was looked for, also on the page before; a browser may forbid to store it. */
  function remembered(text) {
    try {
      if (text !== undefined) sessionStorage.setItem("search", text);
      return sessionStorage.getItem("search") ?? "";
    } catch (error) {
      return "";
    }
  }

  /** Open the dialog, an entry of the history: Back closes it, and Back from a result opens it again. */
  function open() {
    if (!dialog.open) {
      input.value ||= remembered();
      dialog.showModal();
      input.select();
    }
    if (!history.state?.search) history.pushState({ search: true }, "");
    filling ??= fill().catch(() => {
      filling = null; // to be tried again
      waiting = "The search could not be loaded.";
      show();
    });
    show();
  }

  input.addEventListener("input", () => {
    remembered(input.value);
    show();
  });
  dialog.addEventListener("keydown", onKey);
  dialog.addEventListener("click", onClick);
  dialog.addEventListener("close", () => {
    if (!history.state?.search) return;
    leaving = true;
    history.back();
  });
  window.addEventListener("popstate", () => {
    const again = leaving && dialog.open;
    leaving = false;
    if (history.state?.search || again) open();
    else dialog.close();
  });
  document.querySelector(".search-open").addEventListener("click", (event) => {
    event.preventDefault(); // the browser opens it by itself, as it did until now, if it is young enough
    open();
  });
  if (dialog.open || history.state?.search) open(); // somebody was faster than this script, or came back
  document.addEventListener("keydown", (event) => {
    const { key, altKey, shiftKey } = event;
    const command = event.ctrlKey || event.metaKey;
    const typing = event.target.closest("input:not([type=checkbox], [type=radio]), textarea, select");
    const asks = command ? key === "k" && !shiftKey : key === "/" && !typing;
    if (!asks || altKey) return;
    event.preventDefault();
    open();
  });
}
