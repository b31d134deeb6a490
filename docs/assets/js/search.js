// Search: a dialog, opened by its button or by the key /. Until then nothing of it is fetched. Then come the engine and
// the titles, which answer at once, and behind them the text of every section. All are classic scripts, which a browser
// also loads from a folder. tools/builders/search.py writes what there is to find, theme/partials/header.html the dialog.
"use strict";
{
  const root = new URL("../../", document.currentScript.src);
  const SHOWN = 12; // results
  const OF_A_PAGE = 3; // of them
  const ENOUGH = 5; // with fewer, other spellings count, too, and then fewer of the words
  const EXCERPT = 170; // letters
  const BOOST = { title: 6, terms: 8, about: 3, text: 1, code: 0.5 };
  // A page, or a term of the glossary, stands before sections, and before all the page that explains the term.
  const [PAGE, EXPLAINS] = [1.5, 4];
  const STOP = new Set(
    ("a an and are as at be by can do does for from how i if in into is it its me my of on or should so that the " +
      "their there this to us was we what when where which who why will with you your").split(" "),
  );

  const dialog = document.querySelector("dialog.search");
  const [input, status, list] = dialog.querySelectorAll("input, [role=status], ol");
  let pages, synonyms, entries, index;
  let waiting = "Loading …";

  // Words

  /** The words of a text. A/B is one word. */
  function words(text) {
    const plain = text.toLowerCase().normalize("NFKD").replace(/\p{M}/gu, "").replace(/\b(\w)\/(\w)\b/g, "$1$2");
    return plain.match(/[\p{L}\p{N}]+(?:-[\p{L}\p{N}]+)*/gu) ?? [];
  }

  const parts = (text) => words(text).flatMap((word) => word.split("-"));

  /** The words of a text, cold-start as cold, start and coldstart. */
  function tokenize(text) {
    return words(text).flatMap((word) => {
      const split = word.split("-");
      return split.length === 2 ? [...split, split.join("")] : split;
    });
  }

  /** A word without its ending, or null where it says nothing. */
  function processTerm(word) {
    if (STOP.has(word)) return null;
    if (word.length < 4) return word;
    const one = word.replace(/ies$/, "y").replace(/(s|x|z|ch|sh)es$/, "$1").replace(/([^siu])s$/, "$1");
    return one.replace(/(\w{4})ing$/, "$1");
  }

  /** By what a term is known, however it is written. */
  const key = (list) => list.map(processTerm).filter(Boolean).join(" ");

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
    const found = pages.flatMap((page, i) => {
      const of = (j) => ({ page, text: texts?.[i][j][0] ?? "", code: texts?.[i][j][1] ?? "" });
      const about = `${page.about} ${page.description}`;
      // Without their text, all sections of a page would be found by its title.
      const above = texts ? page.title : "";
      const sections = page.headings.map(([anchor, title], j) => ({ anchor, title, about: above, ...of(j + 1) }));
      return [{ anchor: "", title: page.title, terms: page.terms.join(". "), about, ...of(0) }, ...sections];
    });
    return found.map((entry, id) => ({ id, ...entry }));
  }

  const engine = () => new MiniSearch({ fields: Object.keys(BOOST), tokenize, processTerm });

  async function fill() {
    await Promise.all([load("assets/minisearch/minisearch.min.js"), load("search/titles.js")]);
    pages = searchTitles.pages;
    synonyms = new Map(searchTitles.synonyms.flatMap((names) => names.map((name) => [key(parts(name)), names])));
    entries = entriesOf();
    index = engine();
    index.addAll(entries);
    show();
    await load("search/texts.js");
    const [all, filled] = [entriesOf(searchTexts), engine()];
    await filled.addAllAsync(all, { chunkSize: 50 });
    [entries, index] = [all, filled];
    if (document.activeElement === input) show(); // nothing moves below the finger of who has gone on to the results
  }

  // The query

  /** What must be found, each in one of its ways: a word, or a term by any of its names. */
  function asked(text) {
    const left = parts(text).filter((word) => !STOP.has(word));
    const found = [];
    while (left.length) {
      let n = Math.min(6, left.length);
      while (n > 1 && !synonyms.has(key(left.slice(0, n)))) n--;
      const taken = left.splice(0, n);
      const names = synonyms.get(key(taken));
      found.push({ ways: names?.map(parts) ?? [taken], unfinished: !names && !left.length });
    }
    return found;
  }

  function query(found, combineWith, nearly) {
    const word = (text, unfinished) => ({
      queries: [text],
      prefix: text.length > (unfinished ? 1 : 2),
      // Letters that may differ: two that are exchanged are two.
      fuzzy: nearly && text.length > 3 && (text.length > 4 ? 2 : 1),
    });
    const ways = ({ ways, unfinished }) => ways.map((way) => ({
      combineWith: "AND",
      queries: way.filter((text) => !STOP.has(text)).map((text) => word(text, unfinished)),
    }));
    return { combineWith, queries: found.map((one) => ({ combineWith: "OR", queries: ways(one) })) };
  }

  /** The best entries: all words before any, as they are spelt before nearly so. */
  function find(text) {
    const found = asked(text);
    if (!found.length) return [];
    const term = key(parts(text));
    const boostDocument = (id) => {
      const { page, anchor, title } = entries[id];
      if (page.url === "glossary/" && title.split(", ").some((name) => key(parts(name)) === term)) return PAGE;
      if (anchor) return page.weight;
      return page.weight * (page.terms.some((name) => key(parts(name)) === term) ? EXPLAINS : PAGE);
    };
    const best = new Map();
    for (const [combineWith, nearly] of [["AND", false], ["AND", true], ["OR", false], ["OR", true]]) {
      if (best.size >= ENOUGH) break;
      for (const result of index.search(query(found, combineWith, nearly), { boost: BOOST, boostDocument })) {
        if (!best.has(result.id)) best.set(result.id, { ...entries[result.id], terms: result.terms });
      }
    }
    const shown = new Map();
    const few = [...best.values()].filter(({ page }) => {
      shown.set(page, (shown.get(page) ?? 0) + 1);
      return shown.get(page) <= OF_A_PAGE;
    });
    return few.slice(0, SHOWN);
  }

  // What is shown

  function element(name, attributes, ...children) {
    const made = document.createElement(name);
    for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value);
    made.append(...children);
    return made;
  }

  function marked(text, pattern) {
    return text.split(pattern).map((part, i) => (i % 2 ? element("mark", {}, part) : part));
  }

  /** The part of a text with most of the words, from the beginning of a sentence if one is near. */
  function excerpt(text, pattern) {
    let [at, most] = [0, 0];
    for (const match of text.matchAll(pattern)) {
      const here = text.slice(match.index, match.index + EXCERPT - 40).toLowerCase();
      const n = new Set(here.match(pattern)).size;
      if (n > most) [at, most] = [match.index, n];
    }
    const sentence = text.slice(0, at).match(/^(?:.*[.?!] )?/)[0].length;
    const start = at - sentence < 60 ? sentence : text.indexOf(" ", at - 40) + 1;
    const end = text.length - start > EXCERPT ? text.lastIndexOf(" ", start + EXCERPT) : text.length;
    return `${start > sentence ? "… " : ""}${text.slice(start, end)}${end < text.length ? " …" : ""}`;
  }

  function item({ page, anchor, title, text, terms }) {
    const stems = terms.map((term) => `${term.replace(/y$/, "[yi]")}[\\p{L}\\p{N}]*`);
    const pattern = new RegExp(`(?<![\\p{L}\\p{N}])(${stems.join("|")})`, "giu");
    const file = location.protocol === "file:" ? "index.html" : "";
    const link = element("a", { href: new URL(`${page.url}${file}${anchor && `#${anchor}`}`, root) });
    link.append(element("span", {}, anchor ? page.title : page.section));
    link.append(element("strong", {}, ...marked(title, pattern)));
    const said = anchor ? text : page.description;
    if (said) link.append(element("span", { class: "search-excerpt" }, ...marked(excerpt(said, pattern), pattern)));
    return element("li", page.phase ? { class: `p${page.phase}` } : {}, link);
  }

  function show() {
    const text = input.value.trim();
    const results = text && index ? find(text) : [];
    list.replaceChildren(...results.map(item));
    list.scrollTop = 0;
    if (!index) status.textContent = waiting;
    else if (!text) status.textContent = `${pages.length} pages. Arrows move, Enter opens, Escape closes.`;
    else if (!results.length) status.textContent = `Nothing found for “${text}”.`;
    else status.textContent = results.length > 1 ? `${results.length} results` : "One result";
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

  let filling;

  /** Show what is found of what was typed; the first time, fetch where to look. */
  function search() {
    filling ??= fill().catch(() => {
      waiting = "The search could not be loaded.";
      show();
    });
    show();
  }

  function open() {
    if (!dialog.open) dialog.showModal();
    input.select();
    search();
  }

  input.addEventListener("input", show);
  dialog.addEventListener("keydown", onKey);
  // A click beside it closes it, and one on a result, which may stand on this page.
  dialog.addEventListener("click", ({ target }) => {
    if (target === dialog || target.closest("a, button")) dialog.close();
  });
  document.querySelector(".search-open").addEventListener("click", (event) => {
    event.preventDefault(); // the browser opens it by itself, as it did until now, if it is young enough
    open();
  });
  if (dialog.open) search(); // somebody was faster than this script, and may have typed
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input:not([type=checkbox], [type=radio]), textarea, select");
    if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    open();
  });
}
