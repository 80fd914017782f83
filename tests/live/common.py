"""Reads the script of a live page, and the data in it."""

import base64
import json
import re
import zlib


def script_of(page):
    """The script that a page makes of its compressed text."""
    packed = re.search(r'id="story">(.*?)</script>', page, re.DOTALL)[1]
    return zlib.decompress(base64.b64decode(packed)).decode()


def story_of(page):
    """The data that a page shows."""
    _, _, rest = script_of(page).partition("const story=")
    return json.JSONDecoder().raw_decode(rest)[0]
