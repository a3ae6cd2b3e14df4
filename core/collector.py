"""What a long-lived process tells Python's garbage collector, once it is up and before it takes requests."""

import gc

_YOUNG = 50_000
_MIDDLE = 20
_OLD = 50


def settle_collector() -> None:
    """Leave what is there alone for ever and look at new objects less often.

    A batch makes tens of thousands of short-lived rows that reference counts free by themselves: with the default of
    700 the collector walks them again and again, a tenth of the time of a commit.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, _MIDDLE, _OLD)
