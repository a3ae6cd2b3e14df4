"""What a long-lived process tells Python's garbage collector, once it is up and before it takes work."""

import gc

_YOUNG = 2_000
_MIDDLE = 20
_OLD = 200


def settle_collector() -> None:
    """Leave what is there alone for ever, look at new objects in small portions and hardly ever at all of them.

    Everything waits while the collector looks. The driver leaves some 170 objects of each transaction to it: with
    portions of 50,000 that is 20 to 70 ms once a second at 270 events a second, with 2,000 a millisecond at a time. The
    default of 700 walks the rows of a batch more often than they live. All objects at once take a worker 150 ms.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, _MIDDLE, _OLD)
