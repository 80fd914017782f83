"""Reads the data of a live page."""

import json
import re


def story_of(page):
    """The data that a page shows."""
    return json.loads(unpacked(re.search(r'id="story">(.*?)</script>', page, re.DOTALL)[1]))


def unpacked(text):
    """The text that was packed, by the rule that `micrograd.live.packing` states."""
    found, here = "", 0
    while here < len(text):
        digits = [ord(sign) - 35 - (sign > "<") for sign in text[here + 1 : here + 4]]
        if text[here] == "\t":
            distance, long = 91 * digits[0] + digits[1], digits[2] + 5
            here += 4
        elif text[here] == "\n":
            distance, long = divmod(91 * digits[0] + digits[1], 8)
            long += 4
            here += 3
        else:
            found += text[here]
            here += 1
            continue
        start = len(found) - distance
        found += found[start : start + long]
    return found
