"""Normal forms: the one spelling of each identifier that is stored and compared; for ingest, look-ups, imports."""

from core.normal_forms.junk import is_junk
from core.normal_forms.normalise import Rejected, normalise, normalise_all

__all__ = ["Rejected", "is_junk", "normalise", "normalise_all"]
