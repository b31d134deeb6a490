// Where there is no page: shows the pages whose address or title is most like what was asked for, and offers to search.
"use strict";
{
  const words = (text) => text.toLowerCase().match(/[a-z0-9]{2,}/g) ?? [];
  const pairs = (word) => new Set([...word].slice(1).map((letter, i) => word[i] + letter));
  // The share of their pairs of letters that two words have in common: 1 for the same word.
  const likeness = (a, b) => {
    const [first, second] = [pairs(a), pairs(b)];
    return (2 * [...first].filter((pair) => second.has(pair)).length) / (first.size + second.size);
  };
  function path() {
    try {
      return decodeURI(location.pathname);
    } catch {
      return location.pathname; // no text in any encoding
    }
  }
  const parts = path().replace(/(index)?\.\w+$/, "").split("/").map(words).filter((part) => part.length);
  const asked = parts.flat();
  const links = [...document.querySelectorAll(".pages a")];
  // What an address or a title has counts more than what a description (the link's title) has, and that to the letter.
  const likes = links.map((link) => {
    const known = words(`${new URL(link.href).pathname} ${link.textContent}`);
    const told = words(link.title);
    return asked.map((word) => {
      const value = Math.max(...known.map((other) => likeness(word, other)));
      return value > 0.5 ? value ** 2 : told.includes(word) ? 0.5 : 0;
    });
  });
  // Beside other words, one that many pages have, such as that of their folder, tells none of them.
  const pages = asked.map((_, i) => (asked.length > 1 ? likes.reduce((sum, values) => sum + values[i], 0) : 1));
  const scored = links.map((link, n) => ({ link, score: likes[n].reduce((sum, v, i) => sum + (v && v / pages[i]), 0) }));
  const near = scored.filter(({ score }) => score > 0.15).sort((a, b) => b.score - a.score).slice(0, 4);
  const list = document.createElement("ul");
  for (const { link } of near) {
    const item = document.createElement("li");
    item.append(link.cloneNode(true));
    list.append(item);
  }
  const place = document.querySelector(".nearest");
  if (near.length) place.after("Did you mean one of these?", list);
  const wanted = (parts.at(-1) ?? []).join(" ");
  const button = document.createElement("button");
  button.className = "md-button md-button--primary";
  button.textContent = wanted ? `Search for “${wanted}”` : "Search";
  button.addEventListener("click", () => {
    document.querySelector(".search-open").click();
    const field = document.querySelector("dialog.search input");
    field.value = wanted;
    field.dispatchEvent(new Event("input"));
  });
  place.append(document.createElement("br"), button);
}
