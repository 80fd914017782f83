// A page in a frame asks for a frame as tall as itself. The frame of a notebook has no address, and
// is set at once. Other frames belong to the pages around them, which get a message.
function askForHeight() {
  const height = Math.ceil(document.documentElement.getBoundingClientRect().height);
  if (location.protocol === "about:" && frameElement) frameElement.style.height = `${height}px`;
  else parent.postMessage({ type: "micrograd-height", height }, "*");
}
if (parent !== window) {
  askForHeight(); // a frame that is out of sight is not observed
  new ResizeObserver(askForHeight).observe(document.documentElement);
  addEventListener("message", askForHeight); // from a page that began to listen later
}
