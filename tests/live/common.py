"""Reads the script of a live page, and the data in it."""

import json
import re


def script_of(page):
    """The script that a page makes of its packed text."""
    return unpacked(re.search(r'id="story">(.*?)</script>', page, re.DOTALL)[1])


def story_of(page):
    """The data that a page shows."""
    _, _, rest = script_of(page).partition("const story=")
    return json.JSONDecoder().raw_decode(rest)[0]


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
