const slides = [...document.querySelectorAll("section")];
const place = document.getElementById("place");
const by = { ArrowRight: 1, PageDown: 1, " ": 1, ArrowLeft: -1, PageUp: -1 };
let now = 0;

function show(to) {
  now = Math.max(0, Math.min(slides.length - 1, to));
  slides.forEach((slide, number) => slide.classList.toggle("on", number === now));
  document.body.classList.remove("large");
  place.textContent = `${now + 1} / ${slides.length}`;
  history.replaceState(null, "", `#${now + 1}`);
  scrollTo(0, 0);
}

function asked() {
  show((parseInt(location.hash.slice(1), 10) || 1) - 1);
}

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;

  if (event.key in by) {
    event.preventDefault();
    show(now + by[event.key]);
  } else if (event.key === "Home") show(0);
  else if (event.key === "End") show(slides.length - 1);
  else if (event.key === "Escape") document.body.classList.remove("large");
  else if (event.key.toLowerCase() === "z") document.body.classList.toggle("large");
  else if (event.key.toLowerCase() === "n") document.body.classList.toggle("noted");
  else if (event.key.toLowerCase() === "p") print();
});
addEventListener("click", (event) => {
  if (event.target.matches("img")) document.body.classList.toggle("large");
});
addEventListener("hashchange", asked);
asked();
