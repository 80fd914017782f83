"""What several tests of the articles share."""

from __future__ import annotations

from examples._common import Words

NUMBERS = range(1, 6)
NOTHING = Words.same("")
