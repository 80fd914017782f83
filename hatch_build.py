"""What a package index shows: the README with links that lead to the repository.

A README is shown there without the repository around it, so pictures and links need addresses. The
workflow that publishes a release knows them: GitHub names the repository and the commit in its
environment. A build elsewhere takes the README as it is.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

LINK = re.compile(r"(?P<picture>!?)\[(?P<text>[^\]]*)\]\((?!https?:|#)(?P<path>[^)\s]+)\)")


def with_addresses(readme: str, repository: str, commit: str) -> str:
    """The README, in which links to files of the repository are addresses.

    Args:
        readme: the README in Markdown.
        repository: the owner and the name, such as `owner/micrograd-engine`.
        commit: the commit or the tag that the addresses name.
    """

    def address(link: re.Match[str]) -> str:
        site = "raw.githubusercontent.com" if link["picture"] else "github.com"
        folder = commit if link["picture"] else f"blob/{commit}"
        return f"{link['picture']}[{link['text']}](https://{site}/{repository}/{folder}/{link['path']})"

    return LINK.sub(address, readme)


class CustomMetadataHook(MetadataHookInterface):
    """Sets the readme, and the addresses of the project where they are known."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Set the fields that pyproject.toml calls dynamic."""
        readme = (Path(self.root) / "README.md").read_text(encoding="utf-8")
        repository, commit = os.environ.get("GITHUB_REPOSITORY"), os.environ.get("GITHUB_SHA")
        metadata["urls"] = {}
        if repository and commit:
            readme = with_addresses(readme, repository, commit)
            site = f"https://github.com/{repository}"
            metadata["urls"] = {
                "Repository": site,
                "Documentation": f"{site}/blob/{commit}/docs/guide.md",
                "Changes": f"{site}/blob/{commit}/CHANGELOG.md",
                "Issues": f"{site}/issues",
            }
        metadata["readme"] = {"content-type": "text/markdown", "text": readme}
