"use strict";
(() => {
  const gone = document.getElementById("gone");
  let digest = document.body.dataset.digest;
  let over = "over" in document.body.dataset;
  let missed = 0;
  let busy = false;
  const text = async (address) => {
    const answer = await fetch(address, { cache: "no-store", redirect: "error" });
    if (!answer.ok) throw new Error(String(answer.status));
    return answer.text();
  };
  const show = (page) => {
    const fresh = new DOMParser().parseFromString(page, "text/html");
    const held = document.activeElement?.getAttribute("href");
    for (const part of ["header", "main"]) document.querySelector(part).replaceWith(fresh.querySelector(part));
    document.title = fresh.title;
    document.querySelector("link[rel=icon]").replaceWith(fresh.querySelector("link[rel=icon]"));
    digest = fresh.body.dataset.digest;
    over = "over" in fresh.body.dataset;
    if (!digest) clearInterval(timer);
    if (held) [...document.links].find((link) => link.getAttribute("href") === held)?.focus({ preventScroll: true });
  };
  const look = async () => {
    if (busy) return;
    busy = true;
    try {
      const seen = document.visibilityState === "visible" ? 1 : 0;
      const now = await text(`${document.body.dataset.pulse}&seen=${seen}`);
      if (now !== digest) show(await text(location.href));
      missed = 0;
    } catch {
      missed += 1;
    }
    if (missed > 2 && over) clearInterval(timer);
    gone.hidden = missed < 3 || over;
    busy = false;
  };
  const timer = setInterval(look, 1000);
})();
