// What the scripts of the guide share. Classic scripts, not ES modules: browsers refuse modules from a folder, and the
// guide must also work unzipped.
"use strict";
window.mlDesign = (() => {
  const { base } = JSON.parse(document.getElementById("__config").textContent);
  const root = new URL(base.replace(/\/?$/, "/"), location.href); // "..", or "/" on the page of errors

  /** The address of a page within the site, the same online and unzipped. */
  function pageOf(href) {
    const path = new URL(href, location.href).pathname;
    return path.startsWith(root.pathname) ? path.slice(root.pathname.length).replace(/index\.html$/, "") : null;
  }

  /** The address of a page that is known by its path within the site: from a folder, a link names the file. */
  const addressOf = (page) => new URL(`${page}${location.protocol === "file:" ? "index.html" : ""}`, root).href;

  /** The day of a date, where the reader is: 2026-11-25. */
  function dayOf(date) {
    const two = (number) => String(number).padStart(2, "0");
    return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  }

  /** Today, or so many days from now. */
  function day(ahead = 0) {
    const date = new Date();
    date.setDate(date.getDate() + ahead);
    return dayOf(date);
  }

  /** A number with its word: 1 card, 2 cards. */
  const count = (number, one, several = `${one}s`) => `${number} ${number === 1 ? one : several}`;

  /** A whole number below 2^32 that follows from a text, and looks as if drawn. */
  function digest(text) {
    let sum = 2_166_136_261;
    for (const sign of text) sum = Math.imul(sum ^ sign.codePointAt(0), 16_777_619); // FNV-1a
    sum = Math.imul(sum ^ (sum >>> 16), 2_246_822_507);
    return (sum ^ (sum >>> 13)) >>> 0;
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

  /** A button that does something, the first of its row in colour. */
  const button = (words, onclick, primary) =>
    make("button", { type: "button", class: `md-button${primary ? " md-button--primary" : ""}`, onclick }, words);

  /** The bar of the five phases, as decoration: the words beside it say the same. `fill` takes a share for each. */
  function phaseBar(kind) {
    const parts = [1, 2, 3, 4, 5].map((number) => make("span", { class: `seg p${number}` }));
    const bar = make("div", { class: `phases phases--${kind}`, "aria-hidden": "true" }, ...parts);
    const fill = (shares) => parts.forEach((part, i) => part.style.setProperty("--done", shares[i]));
    return { bar, fill };
  }

  /** Hand the reader a file. */
  function download(name, text, type = "text/plain") {
    const href = URL.createObjectURL(new Blob([text], { type }));
    make("a", { href, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(href), 1_000);
  }

  return { pageOf, addressOf, dayOf, day, count, digest, make, button, phaseBar, download };
})();
