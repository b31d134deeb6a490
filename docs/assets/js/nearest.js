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
  const asked = words(decodeURI(location.pathname).replace(/(index)?\.\w+$/, ""));
  const scored = [...document.querySelectorAll(".pages a")].map((link) => {
    const known = words(`${new URL(link.href).pathname} ${link.textContent}`);
    const best = asked.map((word) => Math.max(...known.map((other) => likeness(word, other))));
    return { link, score: best.reduce((sum, value) => sum + value ** 2, 0) };
  });
  const near = scored.filter(({ score }) => score > 0.3).sort((a, b) => b.score - a.score).slice(0, 4);
  const list = document.createElement("ul");
  for (const { link } of near) {
    const item = document.createElement("li");
    item.append(link.cloneNode(true));
    list.append(item);
  }
  const place = document.querySelector(".nearest");
  if (near.length) place.after("Did you mean one of these?", list);
  const button = document.createElement("button");
  button.className = "md-button md-button--primary";
  button.textContent = asked.length ? `Search for “${asked.at(-1)}”` : "Search";
  button.addEventListener("click", () => {
    document.querySelector(".search-open").click();
    const field = document.querySelector("dialog.search input");
    field.value = asked.at(-1) ?? "";
    field.dispatchEvent(new Event("input"));
  });
  place.append(document.createElement("br"), button);
}
