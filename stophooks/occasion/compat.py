"""Names that other programs have for our variables, for commands that were written for them."""

from __future__ import annotations

# By the word of `compat`: our names, without their prefix, and theirs.
COMPAT: dict[str, tuple[tuple[str, str], ...]] = {
    "canopy": (
        ("SUBJECT_ID", "CANOPY_WORKSPACE_ID"),
        ("SUBJECT_PATH", "CANOPY_WORKSPACE_PATH"),
        ("BRANCH", "CANOPY_BRANCH"),
        ("ITEM_NAME", "CANOPY_REPO_NAME"),
        ("ITEM_PATH", "CANOPY_REPO_PATH"),
    ),
    "clsecure": (
        ("SESSION", "CLSECURE_SESSION"),
        ("CLEANUP_LEVEL", "CLSECURE_CLEANUP_LEVEL"),
        ("PROJECT_DIR", "CLSECURE_PROJECT_DIR"),
    ),
}
