"""Questions for a person within one working set: one open review for profiles that are asked about together."""

from resolver.ids import review_id_for
from resolver.records import OpenReview, Proposal


def open_or_extend(reviews: list[OpenReview], proposal: Proposal, apart: set[str]) -> str:
    """Add the proposal to the open reviews that concern one of its profiles, joined into one, or open one; its id.

    `apart` are live profiles that a NOT_SAME mark keeps from one of them: a pair that a person told apart is not
    proposed again by way of a third profile.
    """
    review = _join(_touching(reviews, proposal, apart))
    if review is None:
        review = OpenReview(review_id_for(proposal.event_id), set(), proposal.reason, is_new=True)
        reviews.append(review)
    review.profile_ids |= proposal.profile_ids
    review.proposed |= review.profile_ids
    review.apart |= apart
    review.rules |= proposal.rules
    review.identifiers |= proposal.identifiers
    review.event_ids.append(proposal.event_id)
    review.is_changed = True
    return review.id


def _touching(reviews: list[OpenReview], proposal: Proposal, apart: set[str]) -> list[OpenReview]:
    """Open reviews that can ask about these profiles, too; `apart` grows by whom they must not meet."""
    together = set(proposal.profile_ids)
    touching = []
    for review in reviews:
        if review.superseded_by is not None or not review.profile_ids & proposal.profile_ids:
            continue
        if not review.profile_ids & apart and not review.apart & together:
            touching.append(review)
            together |= review.profile_ids
            apart |= review.apart
    return touching


def _join(touching: list[OpenReview]) -> OpenReview | None:
    """The first one with what the others ask; these are superseded by it."""
    if not touching:
        return None
    review, *others = touching
    for other in others:
        review.profile_ids |= other.profile_ids
        review.identifiers |= other.identifiers
        review.event_ids += other.event_ids
        review.rules |= other.rules
        other.superseded_by, other.is_changed = review.id, True
    return review
