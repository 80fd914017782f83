"""Finds letters of a page that are too small to be read."""

SMALL = """() => {
  const found = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement, range = document.createRange();
    range.selectNodeContents(walker.currentNode);
    if (element.closest("script, style, title, desc") || !range.getBoundingClientRect().width)
      continue;
    const matrix = element.closest("svg") && element.getScreenCTM();
    const scale = matrix ? Math.hypot(matrix.a, matrix.b) : 1;
    const size = scale * parseFloat(getComputedStyle(element).fontSize);
    if (size < 10.99) found.push(`${walker.currentNode.data.trim()} of ${size.toFixed(1)}`);
  }
  return found;
}"""


def small_letters(page, path, width):
    """The texts of a file with letters below 11 pixels, as the browser shows them."""
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"file://{path}")
    page.wait_for_timeout(300)
    return page.evaluate(SMALL)
