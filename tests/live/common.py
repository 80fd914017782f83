"""Reads the script of a live page, and the data in it."""

import base64
import json
import re
import zlib


def script_of(page):
    """The script that a page makes of its packed text."""
    return unpacked(re.search(r'id="story">(.*?)</script>', page, re.DOTALL)[1])


def story_of(page):
    """The data that a page shows."""
    _, _, rest = script_of(page).partition("const story=")
    return json.JSONDecoder().raw_decode(rest)[0]


def unpacked(text):
    """The text that `micrograd.live.page.packed` made shorter."""
    return zlib.decompress(base64.b64decode(text), -15).decode()
