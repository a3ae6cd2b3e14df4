"""The read bench: portions of a brand that differ, every endpoint in each round, misses that show."""

from cli.benchmarks.endpoints import EndpointCost, endpoints_markdown
from cli.benchmarks.mix import make_samples
from cli.benchmarks.reads import LIMITS, TARGETS, ReadCost, ReadResult, reads_markdown


def test_portions_of_a_large_brand_have_other_people_events_and_orders() -> None:
    first, second = make_samples(800, 0), make_samples(800, 10_000, first_person=800)
    for name in ("message_id", "identifiers"):
        told = [{str(sample.body[name]) for sample in samples} for samples in (first, second)]
        assert told[0].isdisjoint(told[1])
    orders = [{one.body["payload"].get("order_id") for one in samples} - {None} for samples in (first, second)]
    assert orders[0].isdisjoint(orders[1])


def test_the_report_names_every_endpoint_beside_the_hand_written_read() -> None:
    lines = endpoints_markdown([EndpointCost("journey", "/api/customer360/{id}/journey", 4.0, 9.0)], 3.0)
    assert "| journey | `/api/customer360/{id}/journey` | 4.0 | 9.0 | 3.0 |" in lines


def test_a_ratio_or_a_page_over_its_target_is_called_missed() -> None:
    names = ["read", *(name for name, _ in LIMITS), *(name for target in TARGETS for name in target[:2])]
    costs = {str(name): ReadCost(str(name), 1.0, 5.0) for name in names}
    costs["360"] = ReadCost("360", 1.0, 50.0)
    report = reads_markdown(ReadResult(costs, refused=2))
    assert "| 360 / read | 10.00 | 6.0 | MISSED |" in report
    assert "| lookup / read | 1.00 | 2.0 | reached |" in report
    assert "| timeline of 10 K events, ms | 5.0 | 20 | reached |" in report
    assert "| why, half across 100 identifiers, ms | 5.0 | 50 | reached |" in report
    assert "2 of these requests were not answered 200." in report
