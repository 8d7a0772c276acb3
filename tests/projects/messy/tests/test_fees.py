from decimal import Decimal

from harbour.fees import fee_for


def test_a_night_in_summer():
    assert fee_for(10, 1) == Decimal("32.00")


def test_the_regatta_is_dear():
    assert fee_for( 10, 1, "regatta" ) == Decimal('79.00')
