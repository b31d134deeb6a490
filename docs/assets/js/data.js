// All that the guide keeps of a reader, as a file: saved, loaded again here or elsewhere, or deleted.
"use strict";
{
  const { kinds, load, record, entries, fold, unfold, merge, put, unreadable, keepAside, saveFile, erase, make, button, count } = window.mlDesign;
  const VERSION = 1; // of the file; what a newer one means, this script cannot know
  const MOST = 5_000_000; // bytes: about what a browser keeps for a site
  const held = make("p", { class: "state" });
  const said = make("p", { role: "status" });
  const chosen = make("input", { type: "file", accept: ".json,application/json", hidden: true, "aria-label": "File", onchange: open });
  const panel = make(
    "section",
    { class: "trainer", "aria-label": "Your data" },
    held,
    make(
      "p",
      { class: "controls" },
      button("Save your data", saveFile, true),
      " ",
      button("Load a file", () => chosen.click()),
      " ",
      button("Delete everything", forget),
    ),
    chosen,
    said,
  );
  let after = document.getElementById("your-data");
  while (after.nextElementSibling?.matches("p")) after = after.nextElementSibling;
  after.after(panel);

  function show() {
    const there = Object.entries(kinds).map(([id, { name }]) => [unfold(kinds[id], load(id)).length, name]);
    const words = there.filter(([number]) => number).map(([number, name]) => count(number, ...name));
    const spoilt = Object.values(unreadable()).length;
    held.textContent = words.length ? `Kept here: ${words.join(", ")}.` : "Nothing is kept here yet.";
    if (spoilt) held.append(` Put aside, since it could not be read: ${count(spoilt, "text")}.`);
  }

  /** What a file holds, or an error that says in one sentence why it is refused. */
  function parse(text) {
    let file;
    try {
      file = JSON.parse(text);
    } catch (error) {
      throw new Error("It is damaged, or no file of this guide.");
    }
    if (!record(file, () => true) || file.format !== "ml-design") throw new Error("It is no file of this guide.");
    if (Number.isInteger(file.version) && file.version > VERSION) {
      throw new Error(`A newer version of this guide saved it (${file.version}; this one reads ${VERSION}). Reload the page and try again.`);
    }
    if (file.version !== VERSION) throw new Error("It names no version.");
    if (!record(file.kinds, () => true)) throw new Error("It holds no data.");
    for (const [id, all] of Object.entries(file.kinds)) {
      if (!Object.hasOwn(kinds, id)) throw new Error(`It holds “${id.slice(0, 40)}”, which this version of the guide does not know.`);
      if (!isSound(kinds[id], all)) throw new Error(`Its ${kinds[id].name[1]} cannot be read.`);
    }
    const aside = file.unreadable ?? {};
    if (!record(aside, (text) => typeof text === "string") || !Object.keys(aside).every((name) => /^ml-design\.[\w.]+\.unreadable(\.\d+)?$/.test(name))) {
      throw new Error("Its texts put aside cannot be read.");
    }
    return { all: file.kinds, aside };
  }

  /** Whether these are entries of a kind, such as it would have itself. */
  function isSound(kind, all) {
    const sound = (entry) => Array.isArray(entry) && [1, 2].includes(entry.length) && Number.isFinite(entry[0]) && Math.abs(entry[0]) < 2 ** 52;
    if (!record(all, sound)) return false;
    const there = Object.keys(all).filter((path) => all[path].length === 2);
    try {
      const value = fold(kind, all);
      const paths = new Set(unfold(kind, value).map(([path]) => path));
      return kind.valid(value) && paths.size === there.length && there.every((path) => paths.has(path));
    } catch (error) {
      return false;
    }
  }

  /** Take what is newer in a file; return in words what that was. */
  function take({ all, aside }) {
    const taken = [];
    for (const [id, theirs] of Object.entries(all)) {
      if (kinds[id].here && load(id) !== kinds[id].empty) continue;
      const before = entries(id);
      const merged = merge(before, theirs);
      const newer = Object.keys(merged).filter((path) => !Object.hasOwn(before, path) || before[path] !== merged[path]);
      const seen = newer.filter((path) => merged[path].length === 2 || before[path]?.length === 2); // not what was gone here, too
      if (newer.length) put(id, merged);
      if (seen.length) taken.push(count(seen.length, ...kinds[id].name));
    }
    for (const [name, text] of Object.entries(aside)) keepAside(name.replace(/\.\d+$/, ""), text);
    return taken.length ? `Loaded, newer than here: ${taken.join(", ")}.` : "Loaded. Nothing in it is newer than here.";
  }

  async function open() {
    const [file] = chosen.files;
    if (!file) return;
    try {
      if (file.size > MOST) throw new Error(`It has ${(file.size / 1e6).toFixed(1)} MB, and a browser keeps about ${MOST / 1e6} for a site.`);
      said.textContent = take(parse(await file.text()));
      window.dispatchEvent(new Event("storage")); // so that the page shows it
    } catch (error) {
      said.textContent = `Nothing was changed by ${file.name}. ${error.message}`;
    }
    chosen.value = "";
  }

  function forget() {
    if (!window.confirm("Delete all that the guide keeps in this browser: ticks, cards, answers, interviews? Only a file that you saved brings it back.")) return;
    erase();
    window.dispatchEvent(new Event("storage"));
    said.textContent = "Deleted. Nothing is kept here any more.";
  }

  window.addEventListener("storage", show);
  show();
}
