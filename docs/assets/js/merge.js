// How two holders of the same data come to one: as entries, {path: [time of the last change, item]}, or [time] alone
// for an item that is gone. The newer entry of each path wins, in whatever order they meet. Nothing here keeps anything.
"use strict";
{
  const whole = (empty) => empty === null || typeof empty !== "object";

  /** The items of a value, as [path, item], by what its kind is when empty: a record, a list, or one item. */
  function unfold({ empty, deep }, value) {
    if (whole(empty)) return value === empty ? [] : [["", value]];
    if (Array.isArray(empty)) {
      const seen = new Map(); // the same may be there twice
      return value.map((item) => {
        const path = `#${window.mlDesign.digest(JSON.stringify(item))}`;
        seen.set(path, (seen.get(path) ?? 0) + 1);
        return [seen.get(path) > 1 ? `${path}.${seen.get(path)}` : path, item];
      });
    }
    if (!deep) return Object.entries(value);
    return Object.entries(value).flatMap(([page, own]) => Object.entries(own).map(([id, item]) => [`${page}#${id}`, item]));
  }

  /** The value that has these entries; a list with the oldest first. */
  function fold({ empty, deep }, entries) {
    const there = Object.entries(entries).filter(([, entry]) => entry.length === 2);
    if (Array.isArray(empty)) return there.sort(([, [a]], [, [b]]) => a - b).map(([, [, item]]) => item);
    const items = there.map(([path, [, item]]) => [path, item]);
    if (whole(empty)) return items.length ? items[0][1] : empty;
    if (!deep) return Object.fromEntries(items);
    const pages = new Map();
    for (const [path, item] of items) {
      const [page, id] = path.split(/#(.*)/s);
      pages.set(page, [...(pages.get(page) ?? []), [id, item]]);
    }
    return Object.fromEntries([...pages].map(([page, own]) => [page, Object.fromEntries(own)]));
  }

  /** Whether an entry wins over another; of two of the same time always the same one does. */
  function wins(entry, other) {
    if (!other || entry[0] !== other[0]) return !other || entry[0] > other[0];
    return JSON.stringify(entry) > JSON.stringify(other);
  }

  /** The newer of each. */
  function merge(some, others) {
    const all = new Map(Object.entries(some));
    for (const [path, entry] of Object.entries(others)) if (wins(entry, all.get(path))) all.set(path, entry);
    return Object.fromEntries(all);
  }

  /** Entries after a change to a value: what differs from before is of now, also where the clock was set back. */
  function change(kind, before, value) {
    const known = new Map(Object.entries(before));
    const items = new Map(unfold(kind, value));
    const paths = [...new Set([...known.keys(), ...items.keys()])];
    const changed = paths.map((path) => {
      const [at, ...was] = known.get(path) ?? [0];
      const is = items.has(path) ? [items.get(path)] : [];
      return [path, JSON.stringify(is) === JSON.stringify(was) ? [at, ...was] : [Math.max(Date.now(), at + 1), ...is]];
    });
    return Object.fromEntries(changed);
  }

  Object.assign(window.mlDesign, { unfold, fold, merge, change });
}
