"""Reads the data of a live page."""

import json
import re


def story_of(page):
    """The data that a page shows."""
    return json.loads(unpacked(re.search(r'id="story">(.*?)</script>', page)[1]))


def unpacked(text):
    """The text that was packed, by the rule that `micrograd.live.packing` states."""
    found, here = "", 0
    while here < len(text):
        if text[here] == "\t":
            far, rest, long = (ord(sign) - 63 for sign in text[here + 1 : here + 4])
            start = len(found) - 64 * far - rest
            found += found[start : start + long + 5]
            here += 4
        else:
            found += text[here]
            here += 1
    return found
