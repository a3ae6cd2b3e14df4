"""The steward's commands: merge, unmerge, reviews and imports, validated here and carried out on the graph's locks."""

from ingest.stewardship.importing import ImportedOrder, ImportedProfile, import_profiles
from ingest.stewardship.merging import merge_profiles, unmerge_profile
from ingest.stewardship.reviewing import ReviewOutcome, approve_review, reject_review, reject_some, split_review

__all__ = [
    "ImportedOrder",
    "ImportedProfile",
    "ReviewOutcome",
    "approve_review",
    "import_profiles",
    "merge_profiles",
    "reject_review",
    "reject_some",
    "split_review",
    "unmerge_profile",
]
