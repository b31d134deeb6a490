// Material fetches the search index, 300 kB, with every page. Here it is fetched once somebody opens the search.
"use strict";
{
  const { open, send } = XMLHttpRequest.prototype;
  XMLHttpRequest.prototype.open = function (method, url, ...others) {
    this.waits = new URL(url, location.href).pathname.endsWith("/search/search_index.json");
    return open.call(this, method, url, ...others);
  };
  XMLHttpRequest.prototype.send = function (body) {
    const search = document.getElementById("__search"); // checked while the search is open
    if (!this.waits || search.checked) send.call(this, body);
    else search.addEventListener("change", () => send.call(this, body), { once: true });
  };
}
